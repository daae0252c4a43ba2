-- The whole coupon engine. Every key contains tenant_id, so that the schema can be distributed by tenant later, but a
-- hot table has only one index that starts with it (0002 sees to books and decks). With two, PostgreSQL may look a row
-- up by the wrong one, reading the whole tenant, as long as it has no statistics of a table that grows by thousands of
-- rows a second.
-- Tables that hot inserts reach carry no foreign key to books or decks: a foreign key locks its parent row on every
-- insert, and what it would guard (books and decks are never deleted) can't happen.

create table tenants (
  tenant_id  int generated always as identity primary key,
  id         uuid not null constraint tenants_id_key unique,
  slug       text collate "C" not null constraint tenants_slug_key unique,
  name       text not null,
  created_at timestamptz not null
);
-- A UUIDv7 like every public id: PostgreSQL 15 makes version 4, so its first 48 bits become the time.
insert into tenants (id, slug, name, created_at)
select encode(set_byte(
    overlay(uuid_send(gen_random_uuid())
      placing substring(int8send((extract(epoch from now.at) * 1000)::bigint) from 3) from 1 for 6),
    6, (get_byte(uuid_send(gen_random_uuid()), 6) & 15) | 112), 'hex')::uuid,
  'default', 'Default', now.at
from (select date_trunc('milliseconds', clock_timestamp()) as at) as now;

-- key_id is the short name under which events remember a key; secret_hash is SHA-256 of the whole key.
create table api_keys (
  tenant_id   int not null constraint api_keys_tenant_fk references tenants,
  key_id      int generated always as identity constraint api_keys_key_id_key unique,
  id          uuid not null,
  name        text not null,
  role        text collate "C" not null constraint api_keys_role_check check (role in ('admin', 'operator', 'redeemer')),
  secret_hash bytea not null,
  expires_at  timestamptz,
  revoked_at  timestamptz,
  created_at  timestamptz not null,
  constraint api_keys_pk primary key (tenant_id, id),
  constraint api_keys_secret_hash_key unique (tenant_id, secret_hash)
);

-- One row a version of CODE_SECRET: a start with a secret that does not match its check value is refused.
create table code_secrets (
  key_version int primary key,
  check_value bytea not null,
  created_at  timestamptz not null
);

create table books (
  tenant_id                int not null constraint books_tenant_fk references tenants,
  book_id                  int generated always as identity,
  id                       uuid not null,
  name                     text not null,
  description              text,
  status                   text collate "C" not null
    constraint books_status_check check (status in ('draft', 'active', 'paused', 'closed')),
  time_zone                text not null,
  starts_at                timestamptz,
  ends_at                  timestamptz,
  max_codes_per_user       int constraint books_max_codes_per_user_check check (max_codes_per_user > 0),
  max_redemptions_per_code int constraint books_max_redemptions_per_code_check check (max_redemptions_per_code > 0),
  max_redemptions_per_user int constraint books_max_redemptions_per_user_check check (max_redemptions_per_user > 0),
  max_redemptions          bigint constraint books_max_redemptions_check check (max_redemptions > 0),
  lock_ttl_seconds         int not null constraint books_lock_ttl_seconds_check check (lock_ttl_seconds > 0),
  require_lock             boolean not null,
  self_service             boolean not null,
  metadata                 jsonb not null,
  rev                      int not null constraint books_rev_check check (rev > 0),
  created_at               timestamptz not null,
  updated_at               timestamptz not null,
  constraint books_pk primary key (tenant_id, book_id),
  constraint books_id_key unique (tenant_id, id),
  constraint books_window_check check (starts_at < ends_at)
);

-- What each revision of a book allowed and from when: the audit of its rules, and what the tests hold events against.
create table book_revisions (
  tenant_id                int not null,
  book_id                  int not null,
  rev                      int not null,
  at                       timestamptz not null,
  actor                    text collate "C" not null,
  status                   text collate "C" not null,
  starts_at                timestamptz,
  ends_at                  timestamptz,
  max_codes_per_user       int,
  max_redemptions_per_code int,
  max_redemptions_per_user int,
  max_redemptions          bigint,
  constraint book_revisions_pk primary key (tenant_id, book_id, rev)
);

-- Sums striped over several rows, so that transactions in flight seldom meet. A book with max_redemptions uses
-- stripe 0 alone, locked last. voided counts coupons that were in a user's hands when they were voided.
create table book_counters (
  tenant_id   int not null,
  book_id     int not null,
  stripe      smallint not null,
  redemptions bigint not null default 0,
  voided      bigint not null default 0,
  constraint book_counters_pk primary key (tenant_id, book_id, stripe)
) with (fillfactor = 50);

-- The row to lock for whoever deals, takes or voids codes of a book ahead of their use.
create table dealers (
  tenant_id int not null,
  book_id   int not null,
  constraint dealers_pk primary key (tenant_id, book_id)
) with (fillfactor = 50);

-- A pattern's sequence: code number i is FF1 of i under the pattern's key, which is stored wrapped by CODE_SECRET.
create table code_patterns (
  tenant_id   int not null,
  pattern_id  int generated always as identity,
  template    text collate "C" not null,
  alphabet    text collate "C" not null,
  key_version int not null,
  wrapped_key bytea not null,
  next_index  bigint not null constraint code_patterns_next_index_check check (next_index >= 0),
  created_at  timestamptz not null,
  constraint code_patterns_pk primary key (tenant_id, pattern_id),
  constraint code_patterns_template_key unique (tenant_id, template, alphabet)
);

-- An immutable list of codes in random order, dealt from the top. next_pos is the next position to deal; positions
-- from there on that were taken by name are counted by taken_ahead and stand in deck_taken.
-- What is left = size - next_pos - taken_ahead. voided counts codes that were voided before anyone had them.
-- A position below next_pos without a coupon is a voided code.
create table decks (
  tenant_id   int not null,
  deck_id     int generated always as identity,
  id          uuid not null,
  book_id     int not null,
  kind        text collate "C" not null constraint decks_kind_check check (kind in ('generated', 'uploaded')),
  size        bigint not null constraint decks_size_check check (size >= 0),
  next_pos    bigint not null default 0 constraint decks_next_pos_check check (next_pos between 0 and size),
  taken_ahead bigint not null default 0
    constraint decks_taken_ahead_check check (taken_ahead between 0 and size - next_pos),
  voided      bigint not null default 0 constraint decks_voided_check check (voided between 0 and size),
  pattern_id  int,
  first_index bigint,
  created_at  timestamptz not null,
  constraint decks_pk primary key (tenant_id, deck_id),
  constraint decks_id_key unique (tenant_id, id),
  constraint decks_pattern_check check ((kind = 'generated') = (pattern_id is not null and first_index is not null))
) with (fillfactor = 50);
create index decks_book_idx on decks (tenant_id, book_id, deck_id);
create index decks_pattern_idx on decks (tenant_id, pattern_id, first_index) where pattern_id is not null;

-- An uploaded code twice, each table written and read in the order of its own key. deck_codes says where a code stands
-- and keeps it unique in its tenant; its rows are inserted in the order of the codes. deck_blocks says which codes
-- stand where: block n holds the codes of positions 64n to 64n + 63 in their order, one a line, so that dealing reads
-- a row for dozens of codes. With both in one table, each code of an upload would touch a random page of an index.
create table deck_codes (
  tenant_id int not null,
  deck_id   int not null,
  pos       bigint not null,
  code      text collate "C" not null,
  constraint deck_codes_code_key primary key (tenant_id, code)
);

create table deck_blocks (
  tenant_id int not null,
  deck_id   int not null,
  block     bigint not null,
  codes     text collate "C" not null,
  constraint deck_blocks_pk primary key (tenant_id, deck_id, block)
);

create table deck_taken (
  tenant_id int not null,
  deck_id   int not null,
  pos       bigint not null,
  constraint deck_taken_pk primary key (tenant_id, deck_id, pos)
);

-- One user in one book, and the only place that holds a user's id: null once the user has been erased.
create table holders (
  holder_id bigint generated always as identity,
  tenant_id int not null,
  book_id   int not null,
  user_id   text collate "C",
  constraint holders_pk primary key (holder_id, tenant_id),
  constraint holders_user_key unique (tenant_id, user_id, book_id)
);

-- A coupon is named by where its code stands, (deck_id, pos): dealing then appends to the end of the index instead of
-- touching a random page a code, which is what keeps an assign's cost flat. A code and its place determine each other:
-- by deck_codes and deck_blocks in an uploaded deck, by FF1 in a generated one.
-- Fields are ordered by alignment, which saves 12 bytes a row.
create table coupons (
  pos             bigint not null,
  holder_id       bigint,
  assigned_at     timestamptz,
  lock_expires_at timestamptz,
  tenant_id       int not null,
  deck_id         int not null,
  rev             int not null constraint coupons_rev_check check (rev > 0),
  redemptions     int not null default 0,
  max_redemptions int,
  fence           int not null default 0 constraint coupons_fence_check check (fence >= 0),
  voided          boolean not null default false,
  code            text collate "C" not null,
  constraint coupons_pk primary key (tenant_id, deck_id, pos),
  constraint coupons_redemptions_check check (redemptions >= 0 and redemptions <= max_redemptions),
  constraint coupons_voided_lock_check check (not (voided and lock_expires_at is not null)),
  constraint coupons_holder_check check (voided or holder_id is not null)
) with (fillfactor = 85);
create index coupons_holder_idx on coupons (holder_id);

-- The only place, beside an event's reason, for personal text: erasing a user empties reference and metadata.
create table redemptions (
  id          uuid not null,
  pos         bigint not null,
  at          timestamptz not null,
  reversed_at timestamptz,
  tenant_id   int not null,
  deck_id     int not null,
  seq         int not null constraint redemptions_seq_check check (seq > 0),
  reference   text,
  metadata    jsonb,
  constraint redemptions_pk primary key (tenant_id, id)
) with (fillfactor = 95);

-- Audit and outbox: one row a change of a coupon, with the coupon as it was after it. Append-only.
-- kind: 1 assigned, 2 locked, 3 lock-renewed, 4 unlocked, 5 redeemed, 6 reversed, 7 voided.
create table events (
  pos             bigint not null,
  at              timestamptz not null,
  holder_id       bigint,
  lock_expires_at timestamptz,
  expires_at      timestamptz,
  redemption_id   uuid,
  tenant_id       int not null,
  deck_id         int not null,
  rev             int not null,
  redemptions     int not null,
  fence           int not null,
  kind            smallint not null constraint events_kind_check check (kind between 1 and 7),
  actor           text collate "C" not null,
  reason          text,
  constraint events_pk primary key (tenant_id, deck_id, pos, rev, at)
) partition by range (at);
create table events_default partition of events default;

-- Makes the monthly partitions of events from the month of from_time on; a month that is there already is left alone.
create function create_event_partitions(from_time timestamptz, months int) returns void language plpgsql as $$
declare
  first_day timestamptz;
  name text;
begin
  for step in 0 .. months - 1 loop
    first_day := (date_trunc('month', from_time at time zone 'UTC') + make_interval(months => step)) at time zone 'UTC';
    name := 'events_' || to_char(first_day at time zone 'UTC', 'YYYY_MM');
    if to_regclass(name) is null then
      execute format(
        'create table %I partition of events for values from (%L) to (%L)', name, first_day,
        ((first_day at time zone 'UTC') + interval '1 month') at time zone 'UTC');
    end if;
  end loop;
end $$;
select create_event_partitions(clock_timestamp(), 4);

-- One row an idempotency key. A change of a coupon points to its event, from which the answer is rebuilt; any other
-- call stores its reply. kept_until is null where the key lives as long as its coupon.
create table idempotency (
  key_hash    uuid not null,
  fingerprint bigint not null,
  pos         bigint,
  kept_until  timestamptz,
  tenant_id   int not null,
  deck_id     int,
  rev         int,
  status      smallint,
  reply       jsonb,
  constraint idempotency_pk primary key (tenant_id, key_hash)
);
create index idempotency_kept_until_idx on idempotency (kept_until) where kept_until is not null;

-- Failed look-ups of users, tokens and addresses, where Redis is not there to count them; see core/throttling. key_hash
-- can't be read back. Times are milliseconds since 1970 by the tasks' clocks. Not logged: it writes no WAL, and what a
-- crash empties, the tasks bring back. cost_ms and depth_ms are there for ON CONFLICT, which sees only columns.
create unlogged table failed_lookups (
  empty_at_ms bigint not null,
  last_at_ms  bigint not null,
  tenant_id   int not null,
  cost_ms     int not null,
  depth_ms    int not null,
  key_hash    uuid not null,
  constraint failed_lookups_pk primary key (tenant_id, key_hash)
) with (fillfactor = 70);
