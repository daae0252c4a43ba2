table api_keys
  tenant_id integer not null
  key_id integer not null generated always as identity
  id uuid not null
  name text not null
  role text collate C not null
  secret_hash bytea not null
  expires_at timestamp with time zone
  revoked_at timestamp with time zone
  created_at timestamp with time zone not null
  api_keys_key_id_key: UNIQUE (key_id)
  api_keys_pk: PRIMARY KEY (tenant_id, id)
  api_keys_role_check: CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'redeemer'::text])))
  api_keys_secret_hash_key: UNIQUE (tenant_id, secret_hash)
  api_keys_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)

table archived_redemptions
  redemption_id uuid not null
  pos bigint not null
  at timestamp with time zone not null
  holder_id bigint
  tenant_id integer not null
  deck_id integer not null
  rev integer not null
  archived_redemptions_pk: PRIMARY KEY (tenant_id, deck_id, pos, redemption_id)

table book_counters with (fillfactor=50)
  tenant_id integer not null
  book_id integer not null
  stripe smallint not null
  redemptions bigint not null default 0
  voided bigint not null default 0
  book_counters_pk: PRIMARY KEY (tenant_id, book_id, stripe)

table book_revisions
  tenant_id integer not null
  book_id integer not null
  rev integer not null
  at timestamp with time zone not null
  actor text collate C not null
  status text collate C not null
  starts_at timestamp with time zone
  ends_at timestamp with time zone
  max_codes_per_user integer
  max_redemptions_per_code integer
  max_redemptions_per_user integer
  max_redemptions bigint
  valid_for_days integer
  book_revisions_pk: PRIMARY KEY (tenant_id, book_id, rev)

table books
  tenant_id integer not null
  book_id integer not null generated always as identity
  id uuid not null
  name text not null
  description text
  status text collate C not null
  time_zone text not null
  starts_at timestamp with time zone
  ends_at timestamp with time zone
  max_codes_per_user integer
  max_redemptions_per_code integer
  max_redemptions_per_user integer
  max_redemptions bigint
  lock_ttl_seconds integer not null
  require_lock boolean not null
  self_service boolean not null
  metadata jsonb not null
  rev integer not null
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  valid_for_days integer
  public_code text collate C
  books_id_key: UNIQUE (tenant_id, id)
  books_lock_ttl_seconds_check: CHECK ((lock_ttl_seconds > 0))
  books_max_codes_per_user_check: CHECK ((max_codes_per_user > 0))
  books_max_redemptions_check: CHECK ((max_redemptions > 0))
  books_max_redemptions_per_code_check: CHECK ((max_redemptions_per_code > 0))
  books_max_redemptions_per_user_check: CHECK ((max_redemptions_per_user > 0))
  books_pk: PRIMARY KEY (book_id, tenant_id)
  books_public_code_check: CHECK (((octet_length(public_code) >= 4) AND (octet_length(public_code) <= 64)))
  books_rev_check: CHECK ((rev > 0))
  books_status_check: CHECK ((status = ANY (ARRAY['draft'::text, 'active'::text, 'paused'::text, 'closed'::text])))
  books_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)
  books_valid_for_days_check: CHECK (((valid_for_days >= 1) AND (valid_for_days <= 3650)))
  books_window_check: CHECK ((starts_at < ends_at))

table code_patterns
  tenant_id integer not null
  pattern_id integer not null generated always as identity
  template text collate C not null
  alphabet text collate C not null
  key_version integer not null
  wrapped_key bytea not null
  next_index bigint not null
  created_at timestamp with time zone not null
  code_patterns_next_index_check: CHECK ((next_index >= 0))
  code_patterns_pk: PRIMARY KEY (tenant_id, pattern_id)
  code_patterns_template_key: UNIQUE (tenant_id, template, alphabet)

table code_secrets
  key_version integer not null
  check_value bytea not null
  created_at timestamp with time zone not null
  code_secrets_pkey: PRIMARY KEY (key_version)

table console_links
  secret_hash bytea not null
  root_check bytea not null
  ends_at timestamp with time zone not null
  console_links_pk: PRIMARY KEY (secret_hash)

table console_people
  tenant_id integer not null
  person_id integer not null generated always as identity
  issuer text collate C not null
  subject text collate C not null
  name text not null
  created_at timestamp with time zone not null
  console_people_person_id_key: UNIQUE (person_id)
  console_people_pk: PRIMARY KEY (tenant_id, issuer, subject)
  console_people_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)

table console_sessions
  secret_hash bytea not null
  tenant_id integer not null
  id uuid not null
  role text collate C not null
  actor text collate C not null
  key_id integer
  person_id integer
  root_check bytea
  created_at timestamp with time zone not null
  used_at timestamp with time zone not null
  ends_at timestamp with time zone not null
  console_sessions_one_base_check: CHECK ((num_nonnulls(key_id, person_id, root_check) = 1))
  console_sessions_pk: PRIMARY KEY (secret_hash)
  console_sessions_role_check: CHECK ((role = ANY (ARRAY['root'::text, 'admin'::text, 'operator'::text, 'redeemer'::text])))
  console_sessions_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)

table counted_events
  only_row boolean not null default true
  counted_until timestamp with time zone not null
  counted_events_only_row_check: CHECK (only_row)
  counted_events_pk: PRIMARY KEY (only_row)

table coupons with (fillfactor=85)
  pos bigint not null
  holder_id bigint
  assigned_at timestamp with time zone
  lock_expires_at timestamp with time zone
  tenant_id integer not null
  deck_id integer not null
  rev integer not null
  redemptions integer not null default 0
  max_redemptions integer
  fence integer not null default 0
  voided boolean not null default false
  code text collate C not null
  reversals integer not null default 0
  valid_until timestamp with time zone
  coupons_fence_check: CHECK ((fence >= 0))
  coupons_holder_check: CHECK ((voided OR (holder_id IS NOT NULL)))
  coupons_pk: PRIMARY KEY (tenant_id, deck_id, pos)
  coupons_redemptions_check: CHECK (((redemptions >= 0) AND (redemptions <= max_redemptions)))
  coupons_rev_check: CHECK ((rev > 0))
  coupons_voided_lock_check: CHECK ((NOT (voided AND (lock_expires_at IS NOT NULL))))

table dealers with (fillfactor=50)
  tenant_id integer not null
  book_id integer not null
  dealers_pk: PRIMARY KEY (tenant_id, book_id)

table deck_blocks
  tenant_id integer not null
  deck_id integer not null
  block bigint not null
  codes text collate C not null
  deck_blocks_pk: PRIMARY KEY (tenant_id, deck_id, block)

table deck_codes
  tenant_id integer not null
  deck_id integer not null
  pos bigint not null
  code text collate C not null
  deck_codes_code_check: CHECK (((octet_length(code) >= 4) AND (octet_length(code) <= 64))) NOT VALID
  deck_codes_code_key: PRIMARY KEY (tenant_id, code)

table deck_taken
  tenant_id integer not null
  deck_id integer not null
  pos bigint not null
  deck_taken_pk: PRIMARY KEY (tenant_id, deck_id, pos)

table decks with (fillfactor=50)
  tenant_id integer not null
  deck_id integer not null generated always as identity
  id uuid not null
  book_id integer not null
  kind text collate C not null
  size bigint not null
  next_pos bigint not null default 0
  taken_ahead bigint not null default 0
  voided bigint not null default 0
  pattern_id integer
  first_index bigint
  created_at timestamp with time zone not null
  name text
  voided_at timestamp with time zone
  voided_from bigint
  voided_by text collate C
  voided_reason text
  decks_id_key: UNIQUE (id, tenant_id)
  decks_kind_check: CHECK ((kind = ANY (ARRAY['generated'::text, 'uploaded'::text])))
  decks_next_pos_check: CHECK (((next_pos >= 0) AND (next_pos <= size)))
  decks_pattern_check: CHECK (((kind = 'generated'::text) = ((pattern_id IS NOT NULL) AND (first_index IS NOT NULL))))
  decks_pk: PRIMARY KEY (tenant_id, deck_id)
  decks_size_check: CHECK ((size >= 0))
  decks_taken_ahead_check: CHECK (((taken_ahead >= 0) AND (taken_ahead <= (size - next_pos))))
  decks_told_void_check: CHECK (
CASE
    WHEN (voided_at IS NULL) THEN (num_nonnulls(voided_from, voided_by, voided_reason) = 0)
    ELSE ((voided_from IS NOT NULL) AND (voided_by IS NOT NULL) AND (next_pos = size))
END) NOT VALID
  decks_voided_check: CHECK (((voided >= 0) AND (voided <= size)))

table event_counts
  tenant_id integer not null
  book_id integer not null
  at timestamp with time zone not null
  assigned bigint not null
  locked bigint not null
  redeemed bigint not null
  reversed bigint not null
  voided bigint not null
  event_counts_pk: PRIMARY KEY (tenant_id, book_id, at)

table events partition by RANGE (at)
  pos bigint not null
  at timestamp with time zone not null
  holder_id bigint
  lock_expires_at timestamp with time zone
  expires_at timestamp with time zone
  redemption_id uuid
  tenant_id integer not null
  deck_id integer not null
  rev integer not null
  redemptions integer not null
  fence integer not null
  kind smallint not null
  actor text collate C not null
  reason text
  events_kind_check: CHECK (((kind >= 1) AND (kind <= 8))) NOT VALID
  events_pk: PRIMARY KEY (tenant_id, deck_id, pos, rev, at)

table events_default DEFAULT
  pos bigint not null
  at timestamp with time zone not null
  holder_id bigint
  lock_expires_at timestamp with time zone
  expires_at timestamp with time zone
  redemption_id uuid
  tenant_id integer not null
  deck_id integer not null
  rev integer not null
  redemptions integer not null
  fence integer not null
  kind smallint not null
  actor text collate C not null
  reason text
  events_default_pkey: PRIMARY KEY (tenant_id, deck_id, pos, rev, at)
  events_kind_check: CHECK (((kind >= 1) AND (kind <= 8))) NOT VALID

table failed_lookups with (fillfactor=70)
  empty_at_ms bigint not null
  last_at_ms bigint not null
  tenant_id integer not null
  cost_ms integer not null
  depth_ms integer not null
  key_hash uuid not null
  failed_lookups_pk: PRIMARY KEY (tenant_id, key_hash)

table former_holders
  holder_id bigint not null
  pos bigint not null
  tenant_id integer not null
  deck_id integer not null
  former_holders_pk: PRIMARY KEY (holder_id, deck_id, pos, tenant_id)

table holders
  holder_id bigint not null generated always as identity
  tenant_id integer not null
  book_id integer not null
  user_id text collate C
  carried_redemptions integer not null default 0
  holders_pk: PRIMARY KEY (holder_id, tenant_id)
  holders_user_key: UNIQUE (tenant_id, user_id, book_id)

table idempotency
  key_hash uuid not null
  fingerprint bigint not null
  pos bigint
  kept_until timestamp with time zone
  tenant_id integer not null
  deck_id integer
  rev integer
  status smallint
  reply jsonb
  idempotency_pk: PRIMARY KEY (tenant_id, key_hash)

table job_pieces
  tenant_id integer not null
  job_id bigint not null
  piece integer not null
  rows jsonb not null
  job_pieces_pk: PRIMARY KEY (tenant_id, job_id, piece)

table jobs with (fillfactor=70)
  job_id bigint not null generated always as identity
  fence bigint not null default 0
  step bigint not null default 0
  total bigint
  done bigint not null default 0
  refused bigint not null default 0
  lease_until timestamp with time zone not null
  started_at timestamp with time zone
  finished_at timestamp with time zone
  id uuid not null
  tenant_id integer not null
  book_id integer
  pieces integer not null default 0
  piece integer not null default 0
  failures integer not null default 0
  kind text collate C not null
  status text collate C not null
  created_by text collate C not null
  filters jsonb not null default '{}'::jsonb
  position jsonb
  error text
  jobs_counts_check: CHECK ((((refused >= 0) AND (refused <= done)) AND (done <= COALESCE(total, done))))
  jobs_finished_check: CHECK (((finished_at IS NOT NULL) = (status = ANY (ARRAY['done'::text, 'failed'::text, 'cancelled'::text]))))
  jobs_id_key: UNIQUE (id, tenant_id)
  jobs_kind_check: CHECK ((kind = ANY (ARRAY['assign'::text, 'void'::text, 'export-codes'::text, 'export-redemptions'::text])))
  jobs_pk: PRIMARY KEY (tenant_id, job_id)
  jobs_status_check: CHECK ((status = ANY (ARRAY['receiving'::text, 'queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
  jobs_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)

view redeemers
  tenant_id integer
  deck_id integer
  pos bigint
  redemption_id uuid
  rev integer
  at timestamp with time zone
  holder_id bigint

table redemptions with (fillfactor=95)
  id uuid not null
  pos bigint not null
  at timestamp with time zone not null
  reversed_at timestamp with time zone
  tenant_id integer not null
  deck_id integer not null
  seq integer not null
  reference text
  metadata jsonb
  redemptions_pk: PRIMARY KEY (tenant_id, id)
  redemptions_seq_check: CHECK ((seq > 0))

table settled_events
  only_row boolean not null default true
  settled_until timestamp with time zone not null
  candidate_until timestamp with time zone
  candidate_xid xid8
  settled_events_only_row_check: CHECK (only_row)
  settled_events_pk: PRIMARY KEY (only_row)

table stock_changes
  at timestamp with time zone not null
  codes bigint not null
  available bigint not null
  tenant_id integer not null
  book_id integer not null
  seq integer not null
  stock smallint not null
  announce_at timestamp with time zone
  stock_changes_pk: PRIMARY KEY (tenant_id, book_id, seq)
  stock_changes_stock_check: CHECK (((stock >= 1) AND (stock <= 2)))

table stock_watch
  only_row boolean not null default true
  since timestamp with time zone not null
  stock_watch_only_row_check: CHECK (only_row)
  stock_watch_pk: PRIMARY KEY (only_row)

table tenants
  tenant_id integer not null generated always as identity
  id uuid not null
  slug text collate C not null
  name text not null
  created_at timestamp with time zone not null
  tenants_id_key: UNIQUE (id)
  tenants_pkey: PRIMARY KEY (tenant_id)
  tenants_slug_key: UNIQUE (slug)

table webhook_books
  tenant_id integer not null
  book_id integer not null
  told_rev integer not null
  stock smallint not null
  stock_seq integer not null
  webhook_books_pk: PRIMARY KEY (tenant_id, book_id)
  webhook_books_stock_check: CHECK (((stock >= 0) AND (stock <= 2)))

table webhook_deliveries with (fillfactor=70)
  delivery_id bigint not null generated always as identity
  pos bigint not null
  at timestamp with time zone not null
  created_at timestamp with time zone not null
  next_at timestamp with time zone
  attempted_at timestamp with time zone
  tenant_id integer not null
  webhook_id integer not null
  part integer not null
  rev integer not null
  millis integer
  type smallint not null
  subject smallint not null
  attempts smallint not null default 0
  status_code smallint
  is_replay boolean not null default false
  status text collate C not null default 'pending'::text
  error text collate C
  webhook_deliveries_next_check: CHECK (((status = 'pending'::text) = (next_at IS NOT NULL)))
  webhook_deliveries_pk: PRIMARY KEY (delivery_id, tenant_id)
  webhook_deliveries_status_check: CHECK ((status = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text])))
  webhook_deliveries_subject_check: CHECK (((subject >= 1) AND (subject <= 5)))

table webhook_events
  only_row boolean not null default true
  read_until timestamp with time zone not null
  webhook_events_only_row_check: CHECK (only_row)
  webhook_events_pk: PRIMARY KEY (only_row)

table webhook_replays
  replay_id bigint not null generated always as identity
  read_until timestamp with time zone not null
  ends_at timestamp with time zone not null
  tenant_id integer not null
  webhook_id integer not null
  webhook_replays_pk: PRIMARY KEY (tenant_id, webhook_id, replay_id)
  webhook_replays_webhook_fk: FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks(tenant_id, webhook_id) ON DELETE CASCADE

table webhook_secrets
  secret_id bigint not null generated always as identity
  signs_until timestamp with time zone
  tenant_id integer not null
  webhook_id integer not null
  key_version integer not null
  wrapped_key bytea not null
  webhook_secrets_pk: PRIMARY KEY (tenant_id, webhook_id, secret_id)
  webhook_secrets_webhook_fk: FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks(tenant_id, webhook_id) ON DELETE CASCADE

table webhooks with (fillfactor=70)
  fence bigint not null default 0
  id uuid not null
  lease_until timestamp with time zone
  retry_at timestamp with time zone
  failing_since timestamp with time zone
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null
  deleted_at timestamp with time zone
  tenant_id integer not null
  webhook_id integer not null generated always as identity
  failures integer not null default 0
  status text collate C not null default 'enabled'::text
  disabled_reason text collate C
  url text not null
  description text
  types smallint[] not null
  missed_from timestamp with time zone
  missed_until timestamp with time zone
  webhooks_disabled_check: CHECK (((status = 'disabled'::text) = (disabled_reason IS NOT NULL)))
  webhooks_disabled_reason_check: CHECK ((disabled_reason = ANY (ARRAY['by-admin'::text, 'failing'::text, 'gone'::text])))
  webhooks_id_key: UNIQUE (id, tenant_id)
  webhooks_missed_check: CHECK (((missed_from IS NULL) = (missed_until IS NULL))) NOT VALID
  webhooks_pk: PRIMARY KEY (tenant_id, webhook_id)
  webhooks_status_check: CHECK ((status = ANY (ARRAY['enabled'::text, 'disabled'::text])))
  webhooks_tenant_fk: FOREIGN KEY (tenant_id) REFERENCES tenants(tenant_id)

CREATE UNIQUE INDEX api_keys_key_id_key ON public.api_keys USING btree (key_id)

CREATE UNIQUE INDEX api_keys_pk ON public.api_keys USING btree (tenant_id, id)

CREATE UNIQUE INDEX api_keys_secret_hash_key ON public.api_keys USING btree (tenant_id, secret_hash)

CREATE UNIQUE INDEX archived_redemptions_pk ON public.archived_redemptions USING btree (tenant_id, deck_id, pos, redemption_id)

CREATE UNIQUE INDEX book_counters_pk ON public.book_counters USING btree (tenant_id, book_id, stripe)

CREATE UNIQUE INDEX book_revisions_pk ON public.book_revisions USING btree (tenant_id, book_id, rev)

CREATE UNIQUE INDEX books_id_key ON public.books USING btree (tenant_id, id)

CREATE UNIQUE INDEX books_pk ON public.books USING btree (book_id, tenant_id)

CREATE UNIQUE INDEX books_public_code_key ON public.books USING btree (tenant_id, public_code) WHERE (public_code IS NOT NULL)

CREATE UNIQUE INDEX code_patterns_pk ON public.code_patterns USING btree (tenant_id, pattern_id)

CREATE UNIQUE INDEX code_patterns_template_key ON public.code_patterns USING btree (tenant_id, template, alphabet)

CREATE UNIQUE INDEX code_secrets_pkey ON public.code_secrets USING btree (key_version)

CREATE UNIQUE INDEX console_links_pk ON public.console_links USING btree (secret_hash)

CREATE UNIQUE INDEX console_people_person_id_key ON public.console_people USING btree (person_id)

CREATE UNIQUE INDEX console_people_pk ON public.console_people USING btree (tenant_id, issuer, subject)

CREATE INDEX console_sessions_ends_at ON public.console_sessions USING btree (ends_at)

CREATE UNIQUE INDEX console_sessions_of_one ON public.console_sessions USING btree (tenant_id, actor, id)

CREATE UNIQUE INDEX console_sessions_pk ON public.console_sessions USING btree (secret_hash)

CREATE UNIQUE INDEX counted_events_pk ON public.counted_events USING btree (only_row)

CREATE INDEX coupons_holder_idx ON public.coupons USING btree (holder_id)

CREATE UNIQUE INDEX coupons_pk ON public.coupons USING btree (tenant_id, deck_id, pos)

CREATE UNIQUE INDEX dealers_pk ON public.dealers USING btree (tenant_id, book_id)

CREATE UNIQUE INDEX deck_blocks_pk ON public.deck_blocks USING btree (tenant_id, deck_id, block)

CREATE UNIQUE INDEX deck_codes_code_key ON public.deck_codes USING btree (tenant_id, code)

CREATE UNIQUE INDEX deck_taken_pk ON public.deck_taken USING btree (tenant_id, deck_id, pos)

CREATE INDEX decks_book_idx ON public.decks USING btree (book_id, deck_id, tenant_id)

CREATE UNIQUE INDEX decks_id_key ON public.decks USING btree (id, tenant_id)

CREATE INDEX decks_pattern_idx ON public.decks USING btree (tenant_id, pattern_id, first_index) WHERE (pattern_id IS NOT NULL)

CREATE UNIQUE INDEX decks_pk ON public.decks USING btree (tenant_id, deck_id)

CREATE UNIQUE INDEX event_counts_pk ON public.event_counts USING btree (tenant_id, book_id, at)

CREATE INDEX events_at_idx ON ONLY public.events USING brin (at) WITH (pages_per_range='32', autosummarize='on')

CREATE INDEX events_default_at_idx ON public.events_default USING brin (at) WITH (pages_per_range='32', autosummarize='on')

CREATE UNIQUE INDEX events_default_pkey ON public.events_default USING btree (tenant_id, deck_id, pos, rev, at)

CREATE UNIQUE INDEX events_pk ON ONLY public.events USING btree (tenant_id, deck_id, pos, rev, at)

CREATE UNIQUE INDEX failed_lookups_pk ON public.failed_lookups USING btree (tenant_id, key_hash)

CREATE UNIQUE INDEX former_holders_pk ON public.former_holders USING btree (holder_id, deck_id, pos, tenant_id)

CREATE UNIQUE INDEX holders_pk ON public.holders USING btree (holder_id, tenant_id)

CREATE UNIQUE INDEX holders_user_key ON public.holders USING btree (tenant_id, user_id, book_id)

CREATE INDEX idempotency_kept_until_idx ON public.idempotency USING btree (kept_until) WHERE (kept_until IS NOT NULL)

CREATE UNIQUE INDEX idempotency_pk ON public.idempotency USING btree (tenant_id, key_hash)

CREATE UNIQUE INDEX job_pieces_pk ON public.job_pieces USING btree (tenant_id, job_id, piece)

CREATE INDEX jobs_finished_idx ON public.jobs USING btree (finished_at, job_id) WHERE (finished_at IS NOT NULL)

CREATE UNIQUE INDEX jobs_id_key ON public.jobs USING btree (id, tenant_id)

CREATE INDEX jobs_open_idx ON public.jobs USING btree (lease_until) WHERE (status = ANY (ARRAY['receiving'::text, 'queued'::text, 'running'::text]))

CREATE UNIQUE INDEX jobs_pk ON public.jobs USING btree (tenant_id, job_id)

CREATE UNIQUE INDEX jobs_running_key ON public.jobs USING btree (tenant_id) WHERE (status = 'running'::text)

CREATE INDEX redemptions_deck_idx ON public.redemptions USING btree (deck_id, id)

CREATE UNIQUE INDEX redemptions_pk ON public.redemptions USING btree (tenant_id, id)

CREATE INDEX redemptions_reference_idx ON public.redemptions USING btree (reference COLLATE "C", ((tenant_id)::oid), id) WHERE (reference IS NOT NULL)

CREATE UNIQUE INDEX settled_events_pk ON public.settled_events USING btree (only_row)

CREATE INDEX stock_changes_announce_idx ON public.stock_changes USING btree (announce_at) WHERE (announce_at IS NOT NULL)

CREATE UNIQUE INDEX stock_changes_pk ON public.stock_changes USING btree (tenant_id, book_id, seq)

CREATE UNIQUE INDEX stock_watch_pk ON public.stock_watch USING btree (only_row)

CREATE UNIQUE INDEX tenants_id_key ON public.tenants USING btree (id)

CREATE UNIQUE INDEX tenants_pkey ON public.tenants USING btree (tenant_id)

CREATE UNIQUE INDEX tenants_slug_key ON public.tenants USING btree (slug)

CREATE UNIQUE INDEX webhook_books_pk ON public.webhook_books USING btree (tenant_id, book_id)

CREATE INDEX webhook_books_stock_idx ON public.webhook_books USING btree (stock) WHERE (stock > 0)

CREATE INDEX webhook_deliveries_due_idx ON public.webhook_deliveries USING btree (webhook_id, next_at, delivery_id) WHERE (status = 'pending'::text)

CREATE UNIQUE INDEX webhook_deliveries_pk ON public.webhook_deliveries USING btree (delivery_id, tenant_id)

CREATE UNIQUE INDEX webhook_deliveries_waiting_key ON public.webhook_deliveries USING btree (webhook_id, subject, part, pos, rev) WHERE (status = 'pending'::text)

CREATE INDEX webhook_deliveries_webhook_idx ON public.webhook_deliveries USING btree (webhook_id, delivery_id)

CREATE UNIQUE INDEX webhook_events_pk ON public.webhook_events USING btree (only_row)

CREATE UNIQUE INDEX webhook_replays_pk ON public.webhook_replays USING btree (tenant_id, webhook_id, replay_id)

CREATE UNIQUE INDEX webhook_secrets_pk ON public.webhook_secrets USING btree (tenant_id, webhook_id, secret_id)

CREATE UNIQUE INDEX webhooks_id_key ON public.webhooks USING btree (id, tenant_id)

CREATE UNIQUE INDEX webhooks_pk ON public.webhooks USING btree (tenant_id, webhook_id)

CREATE OR REPLACE FUNCTION public.create_event_partitions(from_time timestamp with time zone, months integer)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
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
end $function$
