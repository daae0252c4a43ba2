import { Type } from 'typebox';
import { limits } from '../../../core/index.ts';
import { Id, nullable, oneOf, ref, strictObject, Time } from './common.ts';

const KeyRole = oneOf(['admin', 'operator', 'redeemer'], { examples: ['operator'] });

const keyFields = {
  id: Id,
  name: Type.String({ examples: ['checkout'] }),
  role: KeyRole,
  expiresAt: nullable(Time),
  createdAt: Time,
};

/** Body that makes an API key. */
export const ApiKeyInput = strictObject(
  {
    name: Type.String({ minLength: 1, maxLength: limits.apiKeyNameMaxChars }),
    role: KeyRole,
    expiresAt: Type.Optional(
      nullable(Type.String({ minLength: 1, maxLength: 64, description: 'RFC 3339; null or left out: never.' })),
    ),
  },
  { examples: [{ name: 'checkout', role: 'redeemer' }] },
);

/** An API key without its secret. */
export const ApiKey = Type.Object(keyFields, {
  $id: 'ApiKey',
  description: 'An API key. Its secret is shown once, when the key is made.',
});

/** An API key just made. */
export const NewApiKey = Type.Object(
  {
    ...keyFields,
    secret: Type.Optional(
      Type.String({ description: 'Shown this once; a replayed request leaves it out.', examples: ['qk_…'] }),
    ),
  },
  { $id: 'NewApiKey', description: 'An API key with its secret.' },
);

/** Body that makes a tenant. */
export const TenantInput = strictObject(
  {
    slug: Type.String({
      minLength: 1,
      maxLength: limits.tenantSlugMaxChars,
      pattern: '^[a-z0-9-]+$',
      description: 'Lower-case letters a-z, digits and hyphens.',
      examples: ['acme'],
    }),
    name: Type.String({ minLength: 1, maxLength: limits.bookNameMaxChars, examples: ['Acme'] }),
  },
  { examples: [{ slug: 'acme', name: 'Acme' }] },
);

/** A tenant just made. */
export const NewTenant = Type.Object(
  { id: Id, slug: Type.String(), name: Type.String(), createdAt: Time, adminKey: ref(NewApiKey) },
  { $id: 'NewTenant', description: 'A tenant with its first admin key, whose secret is shown this once.' },
);
