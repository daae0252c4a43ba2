-- What is asked of a redemption for as long as it is there, once its event has been exported and removed: who made it,
-- and which redemptions a coupon has had.
create table archived_redemptions (
  redemption_id uuid not null,
  pos           bigint not null,
  at            timestamptz not null,
  holder_id     bigint,
  tenant_id     int not null,
  deck_id       int not null,
  rev           int not null,
  constraint archived_redemptions_pk primary key (tenant_id, deck_id, pos, redemption_id)
);

-- Each redemption with the holder who made it, wherever its event is now. While a month is being removed, a redemption may
-- be in it twice.
create view redeemers as
  select tenant_id, deck_id, pos, redemption_id, rev, at, holder_id from events where kind = 5
  union all
  select tenant_id, deck_id, pos, redemption_id, rev, at, holder_id from archived_redemptions;
