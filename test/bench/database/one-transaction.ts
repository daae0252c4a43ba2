/**
 * What an assign and a redeem write, one transaction a request, as scripts of pgbench: the usual way to build this, at
 * its best. Each is a single statement, so that rows are locked for no round trip; sent one by one between BEGIN and
 * COMMIT the same writes reach two thirds of it. There is no HTTP, no authentication, no decision and no look at
 * idempotency keys that were used before.
 * Variables: book, deck, and for redeem first, turn and clients, which give each client coupons of its own.
 */
export const oneTransactionScripts = {
  assign: `
\\set user random(0, 1099511627775)
with h as (insert into holders (tenant_id, book_id, user_id) values (1, :book, 'user-' || (:user)::text)
  on conflict (tenant_id, user_id, book_id) do update set user_id = excluded.user_id returning holder_id),
d as (update decks set next_pos = next_pos + 1 where tenant_id = 1 and deck_id = :deck and next_pos < size
  returning next_pos - 1 as pos, date_trunc('milliseconds', clock_timestamp()) as now),
c as (insert into coupons (tenant_id, deck_id, pos, code, holder_id, assigned_at, max_redemptions, rev)
  select 1, :deck, pos, 'BENCH-' || pos::text, holder_id, now, 1, 1 from d, h),
e as (insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, actor)
  select 1, now, :deck, pos, 1, 1, holder_id, 0, 0, 'root' from d, h)
insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
  select 1, gen_random_uuid(), 0, :deck, pos, 1 from d;
`,
  redeem: `
\\set turn :turn + 1
\\set pos :first + :turn * :clients + :client_id
\\set stripe random(0, 15)
with locked as materialized (select holder_id, pos, date_trunc('milliseconds', clock_timestamp()) as now
  from coupons where tenant_id = 1 and deck_id = :deck and pos = :pos for no key update),
l as materialized (select locked.*, (lpad(to_hex((extract(epoch from now) * 1000)::bigint), 12, '0')
    || right(replace(gen_random_uuid()::text, '-', ''), 20))::uuid as redemption from locked),
u as (update coupons c set rev = 2, redemptions = 1 from l where c.tenant_id = 1 and c.deck_id = :deck and c.pos = :pos),
r as (insert into redemptions (tenant_id, at, id, deck_id, pos, seq, reference)
  select 1, now, redemption, :deck, pos, 1, 'order-' || pos::text from l),
e as (insert into events (tenant_id, at, deck_id, pos, rev, kind, holder_id, redemptions, fence, redemption_id, actor)
  select 1, now, :deck, pos, 2, 5, holder_id, 1, 0, redemption, 'root' from l),
i as (insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev)
  select 1, gen_random_uuid(), 0, :deck, pos, 2 from l)
update book_counters set redemptions = redemptions + 1 where tenant_id = 1 and book_id = :book and stripe = :stripe;
`,
};
