-- A deck tells where it is from, and when, by whom and why what was left of it was voided. Decks that are there, and those
-- that an earlier version makes or voids beside this one, tell nothing: all of it is null. So the rows need not be looked at.

-- The name is what an upload called itself. voided_from: the first position that was still to be dealt when the deck was voided;
-- a code before it without a coupon was void already. voided_by is an actor as events have them.
alter table decks
  add column name          text,
  add column voided_at     timestamptz,
  add column voided_from   bigint,
  add column voided_by     text collate "C",
  add column voided_reason text;
alter table decks add constraint decks_told_void_check check (
  case when voided_at is null then num_nonnulls(voided_from, voided_by, voided_reason) = 0
    else voided_from is not null and voided_by is not null and next_pos = size end) not valid;
