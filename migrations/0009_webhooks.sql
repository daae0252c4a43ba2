-- Who wants to be told of what happens, and where. types are the numbers of event types (core/webhooks/event-types.ts).
-- lease_until and fence say which process serves the endpoint, by the database's clock. failures counts those in a row,
-- since failing_since; nothing is sent before retry_at. A deleted one is there until its deliveries are removed.
create table webhooks (
  fence           bigint not null default 0,
  id              uuid not null,
  lease_until     timestamptz,
  retry_at        timestamptz,
  failing_since   timestamptz,
  created_at      timestamptz not null,
  updated_at      timestamptz not null,
  deleted_at      timestamptz,
  tenant_id       int not null constraint webhooks_tenant_fk references tenants,
  webhook_id      int generated always as identity,
  failures        int not null default 0,
  status          text collate "C" not null default 'enabled'
    constraint webhooks_status_check check (status in ('enabled', 'disabled')),
  disabled_reason text collate "C"
    constraint webhooks_disabled_reason_check check (disabled_reason in ('by-admin', 'failing', 'gone')),
  url             text not null,
  description     text,
  types           smallint[] not null,
  constraint webhooks_pk primary key (tenant_id, webhook_id),
  constraint webhooks_id_key unique (id, tenant_id),
  constraint webhooks_disabled_check check ((status = 'disabled') = (disabled_reason is not null))
) with (fillfactor = 70);

-- Their signing secrets, wrapped by CODE_SECRET like the keys of patterns. signs_until is null for the newest one.
create table webhook_secrets (
  secret_id   bigint generated always as identity,
  signs_until timestamptz,
  tenant_id   int not null,
  webhook_id  int not null,
  key_version int not null,
  wrapped_key bytea not null,
  constraint webhook_secrets_pk primary key (tenant_id, webhook_id, secret_id),
  constraint webhook_secrets_webhook_fk foreign key (tenant_id, webhook_id) references webhooks on delete cascade
);

-- What is to be told to whom, and what came of it: a reference to what happened, never its text, so that an erased user is
-- in none of them. subject: 1 a coupon's event (deck, pos, rev); 2 a book's revision (book, 0, rev); 3 a book's stock
-- (book, 0, seq); 4 a job (0, job, 0); 5 a test (0, number, 0). Those with the same subject, part and pos go in the order of rev.
create table webhook_deliveries (
  delivery_id  bigint generated always as identity,
  pos          bigint not null,
  at           timestamptz not null,
  created_at   timestamptz not null,
  next_at      timestamptz,
  attempted_at timestamptz,
  tenant_id    int not null,
  webhook_id   int not null,
  part         int not null,
  rev          int not null,
  millis       int,
  type         smallint not null,
  subject      smallint not null constraint webhook_deliveries_subject_check check (subject between 1 and 5),
  attempts     smallint not null default 0,
  status_code  smallint,
  is_replay    boolean not null default false,
  status       text collate "C" not null default 'pending'
    constraint webhook_deliveries_status_check check (status in ('pending', 'delivered', 'failed')),
  error        text collate "C",
  constraint webhook_deliveries_pk primary key (delivery_id, tenant_id),
  constraint webhook_deliveries_next_check check ((status = 'pending') = (next_at is not null))
) with (fillfactor = 70);
-- One that waits is there once, however often it is asked for; and it looks here for those before it.
create unique index webhook_deliveries_waiting_key on webhook_deliveries (webhook_id, subject, part, pos, rev)
  where status = 'pending';
create index webhook_deliveries_due_idx on webhook_deliveries (webhook_id, next_at, delivery_id) where status = 'pending';
create index webhook_deliveries_webhook_idx on webhook_deliveries (webhook_id, delivery_id);

-- How far the settled events are handed on to webhooks: one row.
create table webhook_events (
  only_row      boolean constraint webhook_events_pk primary key default true
    constraint webhook_events_only_row_check check (only_row),
  read_until timestamptz not null
);
insert into webhook_events (read_until) values (clock_timestamp());

-- Spans of time that are to be told again, and how far each is.
create table webhook_replays (
  replay_id  bigint generated always as identity,
  read_until timestamptz not null,
  ends_at    timestamptz not null,
  tenant_id  int not null,
  webhook_id int not null,
  constraint webhook_replays_pk primary key (tenant_id, webhook_id, replay_id),
  constraint webhook_replays_webhook_fk foreign key (tenant_id, webhook_id) references webhooks on delete cascade
);

-- What webhooks were told of a book: its revisions up to told_rev, and how much of its codes was left. 0 enough, 1 low, 2 none.
create table webhook_books (
  tenant_id  int not null,
  book_id    int not null,
  told_rev   int not null,
  stock      smallint not null constraint webhook_books_stock_check check (stock between 0 and 2),
  stock_seq  int not null,
  constraint webhook_books_pk primary key (tenant_id, book_id)
);

-- Each time a book's codes came to be low or none, with the counts of that moment.
create table stock_changes (
  at        timestamptz not null,
  codes     bigint not null,
  available bigint not null,
  tenant_id int not null,
  book_id   int not null,
  seq       int not null,
  stock     smallint not null constraint stock_changes_stock_check check (stock between 1 and 2),
  constraint stock_changes_pk primary key (tenant_id, book_id, seq)
);
