import { Fault, type Readers, readFields, readLabel } from '../input/field-rules.ts';
import { limits } from '../limits.ts';

/** What a new tenant is to be, checked. */
export interface NewTenant {
  /** The tenant's public name, in JWTs too: 1 to limits.tenantSlugMaxChars of `a-z 0-9 -`. It never changes. */
  slug: string;
  /** 1 to limits.bookNameMaxChars characters, for people. */
  name: string;
}

const slugShape = /^[a-z0-9-]+$/;

const readers: Readers<NewTenant> = {
  slug: (value) =>
    isSlug(value) ? value : new Fault(`must be 1 to ${limits.tenantSlugMaxChars} of the characters a-z, 0-9 and -`),
  name: (value) => readLabel(value, limits.bookNameMaxChars),
};

/** True for a text that may be a tenant's slug. */
export function isSlug(value: unknown): value is string {
  return typeof value === 'string' && value.length <= limits.tenantSlugMaxChars && slugShape.test(value);
}

/**
 * Reads the body of a request that makes a tenant.
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readNewTenant(input: unknown): NewTenant {
  return readFields<NewTenant, 'slug' | 'name'>(input, readers, 'a tenant', ['slug', 'name']);
}
