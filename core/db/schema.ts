import type { ColumnType, Generated } from 'kysely';

/** A timestamptz: read as a Date, written as a Date or RFC 3339 text. */
type Time = ColumnType<Date, Date | string, Date | string>;
type NullableTime = ColumnType<Date | null, Date | string | null, Date | string | null>;
/** A jsonb: read parsed, written as JSON text. */
type Json = ColumnType<unknown, string | null, string | null>;

/** The tables of migrations/, for kysely. A test compares it with the database. */
export interface Schema {
  tenants: { tenant_id: Generated<number>; id: string; slug: string; name: string; created_at: Time };
  api_keys: {
    tenant_id: number;
    key_id: Generated<number>;
    id: string;
    name: string;
    role: 'admin' | 'operator' | 'redeemer';
    secret_hash: Buffer;
    expires_at: NullableTime;
    revoked_at: NullableTime;
    created_at: Time;
  };
  code_secrets: { key_version: number; check_value: Buffer; created_at: Time };
  books: {
    tenant_id: number;
    book_id: Generated<number>;
    id: string;
    name: string;
    description: string | null;
    status: 'draft' | 'active' | 'paused' | 'closed';
    time_zone: string;
    starts_at: NullableTime;
    ends_at: NullableTime;
    max_codes_per_user: number | null;
    max_redemptions_per_code: number | null;
    max_redemptions_per_user: number | null;
    max_redemptions: number | null;
    lock_ttl_seconds: number;
    require_lock: boolean;
    self_service: boolean;
    metadata: Json;
    rev: number;
    created_at: Time;
    updated_at: Time;
  };
  book_revisions: {
    tenant_id: number;
    book_id: number;
    rev: number;
    at: Time;
    actor: string;
    status: string;
    starts_at: NullableTime;
    ends_at: NullableTime;
    max_codes_per_user: number | null;
    max_redemptions_per_code: number | null;
    max_redemptions_per_user: number | null;
    max_redemptions: number | null;
  };
  book_counters: {
    tenant_id: number;
    book_id: number;
    stripe: number;
    redemptions: Generated<number>;
    voided: Generated<number>;
  };
  dealers: { tenant_id: number; book_id: number };
  code_patterns: {
    tenant_id: number;
    pattern_id: Generated<number>;
    template: string;
    alphabet: string;
    key_version: number;
    wrapped_key: Buffer;
    next_index: number;
    created_at: Time;
  };
  decks: {
    tenant_id: number;
    deck_id: Generated<number>;
    id: string;
    book_id: number;
    kind: 'generated' | 'uploaded';
    size: number;
    next_pos: Generated<number>;
    taken_ahead: Generated<number>;
    voided: Generated<number>;
    pattern_id: number | null;
    first_index: number | null;
    created_at: Time;
  };
  deck_codes: { tenant_id: number; deck_id: number; pos: number; code: string };
  deck_blocks: { tenant_id: number; deck_id: number; block: number; codes: string };
  deck_taken: { tenant_id: number; deck_id: number; pos: number };
  holders: { holder_id: Generated<number>; tenant_id: number; book_id: number; user_id: string | null };
  coupons: {
    pos: number;
    holder_id: number | null;
    assigned_at: NullableTime;
    lock_expires_at: NullableTime;
    tenant_id: number;
    deck_id: number;
    rev: number;
    redemptions: Generated<number>;
    max_redemptions: number | null;
    fence: Generated<number>;
    voided: Generated<boolean>;
    code: string;
  };
  redemptions: {
    id: string;
    pos: number;
    at: Time;
    reversed_at: NullableTime;
    tenant_id: number;
    deck_id: number;
    seq: number;
    reference: string | null;
    metadata: Json;
  };
  events: {
    pos: number;
    at: Time;
    holder_id: number | null;
    lock_expires_at: NullableTime;
    expires_at: NullableTime;
    redemption_id: string | null;
    tenant_id: number;
    deck_id: number;
    rev: number;
    redemptions: number;
    fence: number;
    kind: number;
    actor: string;
    reason: string | null;
  };
  idempotency: {
    key_hash: string;
    fingerprint: number;
    pos: number | null;
    kept_until: NullableTime;
    tenant_id: number;
    deck_id: number | null;
    rev: number | null;
    status: number | null;
    reply: Json;
  };
  failed_lookups: {
    empty_at_ms: number;
    last_at_ms: number;
    tenant_id: number;
    cost_ms: number;
    depth_ms: number;
    key_hash: string;
  };
}
