-- People who sign in to the console by the company's OpenID Connect. Events name them by the short person_id, so that a
-- name is in one place and may change; issuer and subject are who they are.
create table console_people (
  tenant_id  int not null constraint console_people_tenant_fk references tenants,
  person_id  int generated always as identity constraint console_people_person_id_key unique,
  issuer     text collate "C" not null,
  subject    text collate "C" not null,
  name       text not null,
  created_at timestamptz not null,
  constraint console_people_pk primary key (tenant_id, issuer, subject)
);

-- Who is signed in to the console. secret_hash is SHA-256 of 256 random bits, which the browser's cookie has. A session
-- stands on one thing, and ends with it: an API key, a person, or the bootstrap key, of which root_check is an HMAC.
create table console_sessions (
  secret_hash bytea not null constraint console_sessions_pk primary key,
  tenant_id   int not null constraint console_sessions_tenant_fk references tenants,
  id          uuid not null,
  role        text collate "C" not null
    constraint console_sessions_role_check check (role in ('root', 'admin', 'operator', 'redeemer')),
  actor       text collate "C" not null,
  key_id      int,
  person_id   int,
  root_check  bytea,
  created_at  timestamptz not null,
  used_at     timestamptz not null,
  ends_at     timestamptz not null,
  constraint console_sessions_one_base_check check (num_nonnulls(key_id, person_id, root_check) = 1)
);
create unique index console_sessions_of_one on console_sessions (tenant_id, actor, id);
create index console_sessions_ends_at on console_sessions (ends_at);

-- Links that sign somebody in once. Using one deletes its row, so of two who try at once one finds it.
create table console_links (
  secret_hash bytea not null constraint console_links_pk primary key,
  root_check  bytea not null,
  ends_at     timestamptz not null
);
