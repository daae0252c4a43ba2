import { type Static, Type } from 'typebox';
import { Id, nullable, shown, Time } from '../input/shapes.ts';
import { ApiKeyInput } from './api-key-input.ts';

const { name, role } = shown(ApiKeyInput.properties);
const fields = { id: Id, name, role, expiresAt: nullable(Time), createdAt: Time };

/** An API key as callers see it, without its secret, which nobody has but its holder. */
export const ApiKeyDocument = Type.Object(fields);
export type ApiKeyDocument = Static<typeof ApiKeyDocument>;

/** A new key with the key itself. */
export const CreatedApiKey = Type.Object({
  ...fields,
  secret: Type.Optional(
    Type.String({ description: 'Shown this once; a replayed request leaves it out.', examples: ['qk_…'] }),
  ),
});
export type CreatedApiKey = Static<typeof CreatedApiKey>;

/** A key's row, as apiKeyColumns reads it. */
export interface ApiKeyRow extends Omit<ApiKeyDocument, 'expiresAt' | 'createdAt'> {
  expiresAt: Date | null;
  createdAt: Date;
}

/** The columns of api_keys that make an ApiKeyRow. */
export const apiKeyColumns = 'id, name, role, expires_at as "expiresAt", created_at as "createdAt"';

/** A row as callers see it. */
export function apiKeyDocument(row: ApiKeyRow): ApiKeyDocument {
  return { ...row, expiresAt: row.expiresAt?.toISOString() ?? null, createdAt: row.createdAt.toISOString() };
}
