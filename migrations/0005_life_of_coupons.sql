-- A coupon goes from one user to another: events of kind 8, transferred. The rows that are there have passed the narrower
-- check, so they are not looked at again (not valid).
alter table events drop constraint events_kind_check;
alter table events add constraint events_kind_check check (kind between 1 and 8) not valid;

-- A redemption counts for the user in whose hands it was made, wherever its coupon is now. A holder's redemptions are those
-- of the coupons in its hands, and this beside: those that it made of coupons which it gave away, less those that others
-- had made of coupons which it was given. An earlier version that goes on beside this one does not add it: during an
-- upgrade it counts the redemptions of a transferred coupon for the user who has it.
alter table holders add column carried_redemptions int not null default 0;

-- Which coupons were in a user's hands before: what an erasure of that user has to look at too.
create table former_holders (
  holder_id bigint not null,
  pos       bigint not null,
  tenant_id int not null,
  deck_id   int not null,
  constraint former_holders_pk primary key (holder_id, deck_id, pos, tenant_id)
);

-- How many days a coupon of the book is valid after the day of its assignment; null: as long as the book. Coupons that are
-- there keep what they have, and so do those that an earlier version assigns beside this one.
alter table books add column valid_for_days int
  constraint books_valid_for_days_check check (valid_for_days between 1 and 3650);
alter table book_revisions add column valid_for_days int;

-- The end of a coupon's own time, fixed when it is assigned; null: it has none of its own. It expires with its book at the
-- latest, whose end may be moved.
alter table coupons add column valid_until timestamptz;
