import { type Static, Type } from 'typebox';
import { Id, label, shown, strictObject, Time } from '../input/shapes.ts';
import { limits } from '../limits.ts';
import { CreatedApiKey } from './api-key-document.ts';

const slugPattern = '^[a-z0-9-]+$';
const slugShape = new RegExp(slugPattern);

/** A tenant's public name, in JWTs too. It never changes. */
const Slug = Type.String({
  minLength: 1,
  maxLength: limits.tenantSlugMaxChars,
  pattern: slugPattern,
  description: 'Lower-case letters a-z, digits and hyphens.',
  examples: ['acme'],
});

/** What makes a tenant. */
export const TenantInput = strictObject(
  { slug: Slug, name: label(limits.bookNameMaxChars, 'Acme') },
  { examples: [{ slug: 'acme', name: 'Acme' }] },
);
export type TenantInput = Static<typeof TenantInput>;

/** A new tenant with its first key, of the role admin, which does not expire. A replay has no `secret` in it. */
export const CreatedTenant = Type.Object({
  id: Id,
  ...shown(TenantInput.properties),
  createdAt: Time,
  adminKey: CreatedApiKey,
});
export type CreatedTenant = Static<typeof CreatedTenant>;

/** True for a text that may be a tenant's slug, without which none is looked up. */
export function isSlug(text: string): boolean {
  return text.length <= limits.tenantSlugMaxChars && slugShape.test(text);
}
