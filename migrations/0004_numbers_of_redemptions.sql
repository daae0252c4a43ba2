-- How many redemptions of a coupon were given back. With those that count it numbers the next one: a number that was given
-- back is not used again. The column's default is in the catalogue and rewrites nothing; the few coupons with a reversal are
-- counted. An earlier version that goes on beside this one does not count, and may use a number again meanwhile.
alter table coupons add column reversals int not null default 0;

update coupons c set reversals = given.back
from (
  select tenant_id, deck_id, pos, count(*)::int as back from redemptions
  where reversed_at is not null group by tenant_id, deck_id, pos) as given
where c.tenant_id = given.tenant_id and c.deck_id = given.deck_id and c.pos = given.pos;
