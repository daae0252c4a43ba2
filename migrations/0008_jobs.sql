-- Long work in the background: a file of users or codes, or an export. A job's row says what it is and how far it is. It
-- is claimed by a lease on the database's clock. fence grows with each claim and step with each step, and a step is
-- committed only by whoever read both as they are, in one transaction with its effects.
-- status 'receiving': its file still comes in, and nobody is shown it.
create table jobs (
  job_id      bigint generated always as identity,
  fence       bigint not null default 0,
  step        bigint not null default 0,
  total       bigint,
  done        bigint not null default 0,
  refused     bigint not null default 0,
  lease_until timestamptz not null,
  started_at  timestamptz,
  finished_at timestamptz,
  id          uuid not null,
  tenant_id   int not null constraint jobs_tenant_fk references tenants,
  book_id     int,
  pieces      int not null default 0,
  piece       int not null default 0,
  failures    int not null default 0,
  kind        text collate "C" not null
    constraint jobs_kind_check check (kind in ('assign', 'void', 'export-codes', 'export-redemptions')),
  status      text collate "C" not null
    constraint jobs_status_check check (status in ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')),
  created_by  text collate "C" not null,
  filters     jsonb not null default '{}',
  position    jsonb,
  error       text,
  constraint jobs_pk primary key (tenant_id, job_id),
  constraint jobs_id_key unique (id, tenant_id),
  constraint jobs_counts_check check (refused between 0 and done and done <= coalesce(total, done)),
  constraint jobs_finished_check check ((finished_at is not null) = (status in ('done', 'failed', 'cancelled')))
) with (fillfactor = 70);
-- One job of a tenant runs at a time, whoever claims it.
create unique index jobs_running_key on jobs (tenant_id) where status = 'running';
create index jobs_open_idx on jobs (lease_until) where status in ('receiving', 'queued', 'running');
-- Those that have ended, in the order in which they did.
create index jobs_finished_idx on jobs (finished_at, job_id) where finished_at is not null;

-- The rows of a job, some hundred a piece: those of its file with what became of each, or those of its result. They and a
-- job's filters are the only things of a job that may hold a user's id.
create table job_pieces (
  tenant_id int not null,
  job_id    bigint not null,
  piece     int not null,
  rows      jsonb not null,
  constraint job_pieces_pk primary key (tenant_id, job_id, piece)
);
