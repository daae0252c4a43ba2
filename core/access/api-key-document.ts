import type { ApiKeyRole } from './api-key-rules.ts';

/** An API key as callers see it, without its secret, which nobody has but its holder. */
export interface ApiKeyDocument {
  /** UUIDv7 in lower case. */
  id: string;
  name: string;
  role: ApiKeyRole;
  /** RFC 3339 in UTC with milliseconds; null: until it is revoked. */
  expiresAt: string | null;
  createdAt: string;
}

/** A key's row, as apiKeyColumns reads it. */
export interface ApiKeyRow {
  id: string;
  name: string;
  role: ApiKeyRole;
  expiresAt: Date | null;
  createdAt: Date;
}

/** The columns of api_keys that make an ApiKeyRow. */
export const apiKeyColumns = 'id, name, role, expires_at as "expiresAt", created_at as "createdAt"';

/** A row as callers see it. */
export function apiKeyDocument(row: ApiKeyRow): ApiKeyDocument {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    createdAt: row.createdAt.toISOString(),
  };
}
