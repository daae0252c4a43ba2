-- How far the events are settled: one row. Up to settled_until every event is visible, and none will come;
-- core/events/settled-events.ts says how that is known. candidate_until is settled once no transaction older than
-- candidate_xid runs.
create table settled_events (
  only_row        boolean constraint settled_events_pk primary key default true
    constraint settled_events_only_row_check check (only_row),
  settled_until   timestamptz not null,
  candidate_until timestamptz,
  candidate_xid   xid8
);
-- How far the settled events are counted for reports: one row.
create table counted_events (
  only_row      boolean constraint counted_events_pk primary key default true
    constraint counted_events_only_row_check check (only_row),
  counted_until timestamptz not null
);
-- No event is older than the first book.
with first as (
    select date_trunc('hour', coalesce(min(created_at), clock_timestamp())) - interval '1 day' as at from books),
  settled as (insert into settled_events (settled_until) select at from first)
insert into counted_events (counted_until) select at from first;

-- Events counted by the quarter of an hour, of which the hours and days of all zones are made.
create table event_counts (
  tenant_id int not null,
  book_id   int not null,
  at        timestamptz not null,
  assigned  bigint not null,
  locked    bigint not null,
  redeemed  bigint not null,
  reversed  bigint not null,
  voided    bigint not null,
  constraint event_counts_pk primary key (tenant_id, book_id, at)
);

-- Events of a stretch of time. Rows come nearly in its order, so that a few bytes for each 32 pages do. This makes it for
-- partitions to come. Those that are there get theirs outside of this transaction, beside whoever writes into them
-- (core/db/migrate.ts).
create index events_at_idx on only events using brin (at) with (pages_per_range = 32, autosummarize = on);
