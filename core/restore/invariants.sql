-- The promises of the product as queries: each returns no row where its promise is kept. Every line that begins with
-- "-- name:" starts a query. Run them when nothing is in flight. Tests ask them after every load, and a drill asks them of a
-- restored database. "-- folds events" says that a promise can be held only where no month of events has been removed.

-- name: 1a a code has at most one coupon
select tenant_id, code, count(*) from coupons group by 1, 2 having count(*) > 1;

-- name: 1b a coupon's holder is its last event's
select c.tenant_id, c.code, c.holder_id, e.holder_id from coupons c
join events e on (e.tenant_id, e.deck_id, e.pos, e.rev) = (c.tenant_id, c.deck_id, c.pos, c.rev)
where c.holder_id is distinct from e.holder_id;

-- name: 1d a coupon changes hands by a transfer alone, and whoever had it before is known
-- folds events
select tenant_id, deck_id, pos, rev, kind from (
  select *, lag(holder_id) over (partition by tenant_id, deck_id, pos order by rev) as before from events) e
where rev > 1 and (holder_id is distinct from before) <> (kind = 8)
  or kind = 8 and not exists (
    select from former_holders f where (f.tenant_id, f.deck_id, f.pos, f.holder_id) = (e.tenant_id, e.deck_id, e.pos, e.before));

-- name: 1c an uploaded coupon carries the code of its place
select c.tenant_id, c.code, d.code from coupons c
join decks k on (k.tenant_id, k.deck_id) = (c.tenant_id, c.deck_id) and k.kind = 'uploaded'
left join deck_codes d on (d.tenant_id, d.deck_id, d.pos) = (c.tenant_id, c.deck_id, c.pos)
where d.code is distinct from c.code;

-- name: 2a redemptions counted are the redemptions not reversed
select c.tenant_id, c.code, c.redemptions, count(r.id) from coupons c
left join redemptions r on (r.tenant_id, r.deck_id, r.pos) = (c.tenant_id, c.deck_id, c.pos) and r.reversed_at is null
group by c.tenant_id, c.deck_id, c.pos having c.redemptions <> count(r.id);

-- name: 2b redemptions counted are the redeemed events less the reversed ones
-- folds events
select c.tenant_id, c.code, c.redemptions from coupons c
join events e on (e.tenant_id, e.deck_id, e.pos) = (c.tenant_id, c.deck_id, c.pos)
group by c.tenant_id, c.deck_id, c.pos
having c.redemptions <> count(*) filter (where e.kind = 5) - count(*) filter (where e.kind = 6);

-- name: 2c no coupon was redeemed more often than it allows, at any revision
select c.tenant_id, c.code, e.rev, e.redemptions, c.max_redemptions from coupons c
join events e on (e.tenant_id, e.deck_id, e.pos) = (c.tenant_id, c.deck_id, c.pos)
where e.redemptions > c.max_redemptions or e.redemptions < 0;

-- name: 2d every redemption has its redeemed event, and every reversed one its reversed event
-- folds events
select r.tenant_id, r.id from redemptions r
left join events e on (e.tenant_id, e.deck_id, e.pos) = (r.tenant_id, r.deck_id, r.pos) and e.redemption_id = r.id
group by r.tenant_id, r.id
having count(*) filter (where e.kind = 5) <> 1
  or count(*) filter (where e.kind = 6) <> (case when r.reversed_at is null then 0 else 1 end);

-- name: 3a no user has more codes of a book than some revision of the book allowed
select h.tenant_id, h.book_id, h.holder_id, count(*) from holders h
join coupons c on (c.tenant_id, c.holder_id) = (h.tenant_id, h.holder_id) and not c.voided
join lateral (select bool_or(max_codes_per_user is null) as free, max(max_codes_per_user) as most from book_revisions r
  where (r.tenant_id, r.book_id) = (h.tenant_id, h.book_id)) allowed on not allowed.free
group by h.tenant_id, h.book_id, h.holder_id, allowed.most having count(*) > allowed.most;

-- name: 3f a book with a public code gives each user one coupon
select h.tenant_id, h.book_id, h.holder_id, count(*) from holders h
join books b on (b.tenant_id, b.book_id) = (h.tenant_id, h.book_id) and b.public_code is not null
join coupons c on (c.tenant_id, c.holder_id) = (h.tenant_id, h.holder_id) and not c.voided
group by h.tenant_id, h.book_id, h.holder_id having count(*) > 1;

-- name: 3b no user has redeemed more in a book than some revision of the book allowed
select h.tenant_id, h.book_id, h.holder_id, coalesce(sum(c.redemptions), 0) + h.carried_redemptions from holders h
left join coupons c on (c.tenant_id, c.holder_id) = (h.tenant_id, h.holder_id)
join lateral (select bool_or(max_redemptions_per_user is null) as free, max(max_redemptions_per_user) as most
  from book_revisions r where (r.tenant_id, r.book_id) = (h.tenant_id, h.book_id)) allowed on not allowed.free
group by h.tenant_id, h.book_id, h.holder_id, h.carried_redemptions, allowed.most
having coalesce(sum(c.redemptions), 0) + h.carried_redemptions > allowed.most;

-- name: 3e a redemption counts for the user in whose hands it was made, wherever its coupon is now
-- folds events
with made as (
  select e.tenant_id, e.holder_id, count(*) as redemptions from events e
  join redemptions r on (r.tenant_id, r.id) = (e.tenant_id, e.redemption_id) and r.reversed_at is null
  where e.kind = 5 group by e.tenant_id, e.holder_id),
held as (select tenant_id, holder_id, sum(redemptions) as redemptions from coupons group by tenant_id, holder_id)
select h.tenant_id, h.holder_id, h.carried_redemptions, held.redemptions, made.redemptions from holders h
left join made on (made.tenant_id, made.holder_id) = (h.tenant_id, h.holder_id)
left join held on (held.tenant_id, held.holder_id) = (h.tenant_id, h.holder_id)
where coalesce(held.redemptions, 0) + h.carried_redemptions <> coalesce(made.redemptions, 0);

-- name: 3c no book was redeemed more often than some revision of it allowed
select b.tenant_id, b.book_id, sum(n.redemptions) from books b
join book_counters n on (n.tenant_id, n.book_id) = (b.tenant_id, b.book_id)
join lateral (select bool_or(max_redemptions is null) as free, max(max_redemptions) as most from book_revisions r
  where (r.tenant_id, r.book_id) = (b.tenant_id, b.book_id)) allowed on not allowed.free
group by b.tenant_id, b.book_id, allowed.most having sum(n.redemptions) > allowed.most;

-- name: 3d a book's counters equal a recount
select b.tenant_id, b.book_id, n.redemptions, n.voided, found.redemptions, found.voided from books b
join lateral (select coalesce(sum(redemptions), 0) as redemptions, coalesce(sum(voided), 0) as voided
  from book_counters n where (n.tenant_id, n.book_id) = (b.tenant_id, b.book_id)) n on true
join lateral (select coalesce(sum(c.redemptions), 0) as redemptions,
    count(*) filter (where c.voided and c.holder_id is not null) as voided
  from decks d join coupons c on (c.tenant_id, c.deck_id) = (d.tenant_id, d.deck_id)
  where (d.tenant_id, d.book_id) = (b.tenant_id, b.book_id)) found on true
where (n.redemptions, n.voided) is distinct from (found.redemptions, found.voided);

-- name: 4a a grant adds one to the fence, and nothing else changes it
-- folds events
select tenant_id, deck_id, pos, rev, kind, fence, before from (
  select *, lag(fence, 1, 0) over (partition by tenant_id, deck_id, pos order by rev) as before from events) e
where fence <> before + (case when kind = 2 then 1 else 0 end);

-- name: 4b no lock is granted and no coupon transferred while a lock is live, and only a live one is renewed or ended
-- folds events
select tenant_id, deck_id, pos, rev, kind, at, lock_before from (
  -- A lock's end may have a mark behind its milliseconds, which no decision sees (lock-expiry.ts).
  select *, lag(date_trunc('milliseconds', lock_expires_at)) over (partition by tenant_id, deck_id, pos order by rev)
    as lock_before from events) e
where (kind in (2, 8) and lock_before > at) or (kind in (3, 4) and (lock_before is null or lock_before <= at));

-- name: 4c a redeem, a void and a transfer end the lock
select tenant_id, deck_id, pos, rev from events where kind in (4, 5, 7, 8) and lock_expires_at is not null;

-- name: 5a every idempotency key of a change points to an event of its own
-- folds events
select i.tenant_id, i.key_hash from idempotency i
left join events e on (e.tenant_id, e.deck_id, e.pos, e.rev) = (i.tenant_id, i.deck_id, i.pos, i.rev)
where i.deck_id is not null and e.rev is null
union all
select tenant_id, (array_agg(key_hash))[1] from idempotency where deck_id is not null
group by tenant_id, deck_id, pos, rev having count(*) > 1;

-- name: 6a the revisions of a coupon are 1 to its own, without gaps
-- folds events
select c.tenant_id, c.code, c.rev, count(e.rev), min(e.rev), max(e.rev) from coupons c
left join events e on (e.tenant_id, e.deck_id, e.pos) = (c.tenant_id, c.deck_id, c.pos)
group by c.tenant_id, c.deck_id, c.pos
having count(e.rev) <> c.rev or min(e.rev) <> 1 or max(e.rev) <> c.rev or count(distinct e.rev) <> c.rev;

-- name: 6b the last event gives the coupon
select c.tenant_id, c.code from coupons c
join events e on (e.tenant_id, e.deck_id, e.pos, e.rev) = (c.tenant_id, c.deck_id, c.pos, c.rev)
where (c.redemptions, c.fence, c.lock_expires_at, c.voided)
  is distinct from (e.redemptions, e.fence, e.lock_expires_at, e.kind = 7);

-- name: 6d reversals are counted, and no two redemptions of a coupon have one number
select c.tenant_id, c.code, c.reversals, found.* from coupons c
full join (select tenant_id, deck_id, pos, count(*) filter (where reversed_at is not null) as back, count(*) as made,
    count(distinct seq) as numbers, max(seq) as highest
  from redemptions group by tenant_id, deck_id, pos) as found using (tenant_id, deck_id, pos)
where coalesce(c.reversals, -1) <> coalesce(found.back, 0) or found.numbers <> found.made or found.highest <> found.made;

-- name: 6e a redemption's id begins with its time
select tenant_id, id, at from redemptions
where ('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint <> floor(extract(epoch from at) * 1000);

-- name: 6c every event belongs to a coupon, and time does not go back along a coupon's revisions
select e.tenant_id, e.deck_id, e.pos, e.rev from events e
left join coupons c on (c.tenant_id, c.deck_id, c.pos) = (e.tenant_id, e.deck_id, e.pos) where c.rev is null
union all
select tenant_id, deck_id, pos, rev from (
  select *, lag(at) over (partition by tenant_id, deck_id, pos order by rev) as before from events) e
where at < before;

-- name: 6d a coupon is made by an assignment or by voiding, and nothing follows voiding
select tenant_id, deck_id, pos, rev, kind from events where rev = 1 and kind not in (1, 7) or rev > 1 and kind = 1
union all
select e.tenant_id, e.deck_id, e.pos, e.rev, e.kind from events e
join coupons c on (c.tenant_id, c.deck_id, c.pos) = (e.tenant_id, e.deck_id, e.pos) where e.kind = 7 and e.rev <> c.rev;

-- name: 7a codes are left, in somebody's hands, or voided before
select d.tenant_id, d.deck_id, d.size, d.next_pos, d.taken_ahead, d.voided, count(c.pos) from decks d
left join coupons c on (c.tenant_id, c.deck_id) = (d.tenant_id, d.deck_id) and c.holder_id is not null
group by d.tenant_id, d.deck_id
having d.size <> (d.size - d.next_pos - d.taken_ahead) + count(c.pos) + d.voided;

-- name: 7b what was taken ahead stands in deck_taken, ahead of the deal and with a coupon
select d.tenant_id, d.deck_id, d.taken_ahead, count(t.pos) from decks d
left join deck_taken t on (t.tenant_id, t.deck_id) = (d.tenant_id, d.deck_id)
group by d.tenant_id, d.deck_id having d.taken_ahead <> count(t.pos) or min(t.pos) < d.next_pos
union all
select t.tenant_id, t.deck_id, t.pos, 0 from deck_taken t
left join coupons c on (c.tenant_id, c.deck_id, c.pos) = (t.tenant_id, t.deck_id, t.pos) where c.rev is null;

-- name: 7c an uploaded deck has its codes, at the positions 0 to size - 1
select d.tenant_id, d.deck_id, d.size, count(c.pos) from decks d
left join deck_codes c on (c.tenant_id, c.deck_id) = (d.tenant_id, d.deck_id)
where d.kind = 'uploaded' group by d.tenant_id, d.deck_id
having count(c.pos) <> d.size or min(c.pos) < 0 or max(c.pos) >= d.size;

-- name: 7c2 a block holds the codes that stand in it, each at its place, and no other
select c.tenant_id, c.deck_id, c.pos, c.code from deck_codes c
left join deck_blocks b on (b.tenant_id, b.deck_id, b.block) = (c.tenant_id, c.deck_id, c.pos / 64)
where c.deck_id > 0 and split_part(b.codes, chr(10), (c.pos % 64)::int + 1) is distinct from c.code
union all
select d.tenant_id, d.deck_id, d.size, null from decks d
left join deck_blocks b on (b.tenant_id, b.deck_id) = (d.tenant_id, d.deck_id)
where d.kind = 'uploaded' group by d.tenant_id, d.deck_id
having coalesce(sum(length(b.codes) - length(replace(b.codes, chr(10), '')) + 1), 0) <> d.size;

-- name: 7e a public code is one of the tenant's codes, for its book alone
select coalesce(b.tenant_id, c.tenant_id), b.book_id, b.public_code, c.deck_id, c.code
from (select * from books where public_code is not null) b
full join (select * from deck_codes where deck_id < 0) c
  on (c.tenant_id, c.deck_id, c.code) = (b.tenant_id, -b.book_id, b.public_code)
where b.book_id is null or c.code is null;

-- name: 7f a book that opened with a public code has codes
select b.tenant_id, b.book_id from books b
left join decks d on (d.tenant_id, d.book_id) = (b.tenant_id, b.book_id)
where b.public_code is not null and b.status <> 'draft' and d.deck_id is null;

-- name: 7d the decks of a pattern do not overlap and stay below its next index
select a.tenant_id, a.deck_id, b.deck_id from decks a
join decks b on (b.tenant_id, b.pattern_id) = (a.tenant_id, a.pattern_id) and a.deck_id < b.deck_id
where a.first_index < b.first_index + b.size and b.first_index < a.first_index + a.size
union all
select d.tenant_id, d.deck_id, p.pattern_id from decks d
join code_patterns p on (p.tenant_id, p.pattern_id) = (d.tenant_id, d.pattern_id)
where d.first_index + d.size > p.next_index;

-- name: 8a no lock, redeem, assign or transfer unless some revision in force at that moment allowed it
select e.tenant_id, e.deck_id, e.pos, e.rev, e.kind, e.at from events e
join decks d on (d.tenant_id, d.deck_id) = (e.tenant_id, e.deck_id)
where e.kind in (1, 2, 3, 5, 8) and not exists (
  select from (
    select *, lead(at, 1, 'infinity') over (partition by tenant_id, book_id order by rev) as until from book_revisions) r
  where (r.tenant_id, r.book_id) = (d.tenant_id, d.book_id) and e.at >= r.at and e.at <= r.until
    and r.status = 'active' and e.at < coalesce(r.ends_at, 'infinity')
    and (e.kind in (1, 8) or e.at >= coalesce(r.starts_at, '-infinity')));

-- name: 8b no lock, redeem or transfer once the coupon's own time is over, and no lock lives on
select e.tenant_id, e.deck_id, e.pos, e.rev, e.kind, e.at, c.valid_until from events e
join coupons c on (c.tenant_id, c.deck_id, c.pos) = (e.tenant_id, e.deck_id, e.pos)
where e.kind in (2, 3, 5, 8) and (e.at >= c.valid_until
  or e.lock_expires_at >= c.valid_until + interval '1 millisecond');

-- name: 9a no row crosses tenants
select c.tenant_id, c.deck_id from coupons c
left join decks d on (d.tenant_id, d.deck_id) = (c.tenant_id, c.deck_id) where d.deck_id is null
union all
select d.tenant_id, d.deck_id from decks d
left join books b on (b.tenant_id, b.book_id) = (d.tenant_id, d.book_id) where b.book_id is null
union all
select c.tenant_id, c.deck_id from coupons c
left join holders h on (h.tenant_id, h.holder_id) = (c.tenant_id, c.holder_id)
join decks d on (d.tenant_id, d.deck_id) = (c.tenant_id, c.deck_id)
where c.holder_id is not null and h.book_id is distinct from d.book_id;

-- name: 10 reports have counted each settled event once, and no other
-- folds events
select tenant_id, book_id, at, sum(assigned), sum(locked), sum(redeemed), sum(reversed), sum(voided) from (
  select tenant_id, book_id, at, assigned, locked, redeemed, reversed, voided from event_counts
  union all
  select e.tenant_id, d.book_id, date_bin('15 minutes', e.at, 'epoch'), -count(*) filter (where e.kind = 1),
    -count(*) filter (where e.kind = 2), -count(*) filter (where e.kind = 5), -count(*) filter (where e.kind = 6),
    -count(*) filter (where e.kind = 7)
  from events e join decks d on (d.tenant_id, d.deck_id) = (e.tenant_id, e.deck_id)
  where e.at < (select counted_until from counted_events) group by 1, 2, 3) as difference
group by 1, 2, 3
having (sum(assigned), sum(locked), sum(redeemed), sum(reversed), sum(voided)) is distinct from (0, 0, 0, 0, 0);

-- name: 11a a job's counts are those of its rows
select j.tenant_id, j.job_id, j.status, j.total, j.done, j.refused, r.* from jobs j
cross join lateral (
  select count(*) as rows, count(*) filter (where row ? 'outcome' or j.kind like 'export%') as with_outcome,
    count(*) filter (where row ->> 'outcome' not in ('assigned', 'voided')) as refusals
  from job_pieces p cross join jsonb_array_elements(p.rows) as row where (p.tenant_id, p.job_id) = (j.tenant_id, j.job_id)) r
where j.status <> 'receiving' and (coalesce(j.total, r.rows) <> r.rows or j.done <> r.with_outcome or j.refused <> r.refusals
  or (j.status = 'done' and j.done <> r.rows));

-- name: 11b a code that a job assigned or voided is the coupon that it says, and of one row alone
select p.tenant_id, row ->> 'code', row ->> 'outcome', count(*) from job_pieces p
cross join jsonb_array_elements(p.rows) as row
left join coupons c on c.tenant_id = p.tenant_id and c.code = row ->> 'code'
where row ->> 'outcome' in ('assigned', 'voided')
group by p.tenant_id, row ->> 'code', row ->> 'outcome'
having count(*) > 1 or bool_or(c.code is null or (row ->> 'outcome' = 'voided' and not c.voided));

-- name: 11c the pieces of a job are there without gaps, and what names a user besides goes with its end
select j.tenant_id, j.job_id, j.status, j.pieces, count(p.piece), j.filters from jobs j
left join job_pieces p on (p.tenant_id, p.job_id) = (j.tenant_id, j.job_id)
where j.status <> 'receiving' and coalesce(j.finished_at > clock_timestamp() - interval '7 days', true)
group by j.tenant_id, j.job_id
having count(p.piece) <> j.pieces or min(p.piece) <> 0 or max(p.piece) <> j.pieces - 1 or j.piece > j.pieces
  or (j.finished_at is not null and (j.filters <> '{}' or j.position is not null));

-- name: 12a webhooks are handed no event that is not settled
-- Before the first look, read_until is the moment in which there came to be webhooks.
select tenant_id, webhook_id, delivery_id, at, settled_until from webhook_deliveries cross join settled_events
where subject in (1, 4) and at >= settled_until;

-- name: 12b each event that was handed on stands once among the deliveries of each webhook that was to be told of it
-- Of a webhook that is as it was made, and younger than what is removed for its age. A replay that was faster will do.
select tenant_id, webhook_id, subject, part, pos, rev, type, sum(wanted), sum(firsts), count(*) from (
  select tenant_id, webhook_id, subject, part, pos, rev, type, 0 as wanted, (not is_replay)::int as firsts
  from webhook_deliveries where subject in (1, 4)
  union all
  select w.tenant_id, w.webhook_id, subject, part, pos, rev, type, 1, 0 from webhooks w cross join webhook_events handed
  join (
    select tenant_id, 1 as subject, deck_id as part, pos, rev, kind as type, at from events
    union all
    select tenant_id, 4, 0, job_id, 0, 31, finished_at from jobs where finished_at is not null) as happened
    on happened.tenant_id = w.tenant_id and happened.type = any(w.types) and happened.at >= w.created_at
      and happened.at < handed.read_until
  where w.status = 'enabled' and w.deleted_at is null and w.updated_at = w.created_at
    and w.created_at > clock_timestamp() - interval '30 days') as each
group by tenant_id, webhook_id, subject, part, pos, rev, type
having sum(firsts) > 1 or (sum(wanted) = 1 and count(*) = 1);

-- name: 12f nothing is told that did not happen, but for what has left the database since
select tenant_id, subject, part, pos, rev, type, at from (
  select tenant_id, subject, part, pos, rev, type, at, 0 as happened from webhook_deliveries
  where subject = 1 and at >= (select min(at) from events) or subject = 4 and at > clock_timestamp() - interval '7 days'
  union all
  select tenant_id, 1, deck_id, pos, rev, kind, at, 1 from events
  union all
  select tenant_id, 4, 0, job_id, 0, 31, finished_at, 1 from jobs where finished_at is not null) as each
group by tenant_id, subject, part, pos, rev, type, at having sum(happened) = 0;

-- name: 12c nothing that comes later was delivered while what was before it waits, and it was not answered before that
select tenant_id, webhook_id, subject, part, pos, rev, status, before, status_before from (
  select *, lag(rev) over w as before, lag(status) over w as status_before, lag(attempted_at) over w as attempted_before
  from webhook_deliveries where not is_replay window w as (partition by tenant_id, webhook_id, subject, part, pos order by rev)) d
where status = 'delivered' and (status_before = 'pending' or attempted_before > attempted_at);

-- name: 12d what is delivered was answered with a 2xx, what failed was not, and each belongs to a webhook of its tenant
select d.tenant_id, d.delivery_id, d.status, d.status_code, d.attempts from webhook_deliveries d
left join webhooks w on (w.tenant_id, w.webhook_id) = (d.tenant_id, d.webhook_id)
where w.webhook_id is null or d.attempts > 10
  or (d.status = 'delivered') is distinct from coalesce(d.status_code between 200 and 299, false)
  or (d.status = 'delivered' and (d.attempts = 0 or d.attempted_at is null));

-- name: 12e a webhook has one secret for good, and each one before it signs no longer than a day
select w.tenant_id, w.webhook_id, count(*) filter (where s.signs_until is null) from webhooks w
left join webhook_secrets s on (s.tenant_id, s.webhook_id) = (w.tenant_id, w.webhook_id)
where w.deleted_at is null group by w.tenant_id, w.webhook_id
having count(*) filter (where s.secret_id is not null and s.signs_until is null) <> 1
  or max(s.signs_until) > clock_timestamp() + interval '24 hours';
