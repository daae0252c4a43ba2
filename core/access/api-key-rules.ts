import type { Role } from '../caller.ts';
import { Fault, orNull, type Readers, readFields, readLabel } from '../input/field-rules.ts';
import { readTime } from '../input/time-rules.ts';
import { limits } from '../limits.ts';

/** What an API key may be. `customer` tokens are JWTs, and `root` is the bootstrap key alone. */
export type ApiKeyRole = Extract<Role, 'admin' | 'operator' | 'redeemer'>;

/** What a new key is to be, checked. */
export interface NewApiKey {
  /** 1 to limits.apiKeyNameMaxChars characters, not all of them white space. */
  name: string;
  role: ApiKeyRole;
  /** RFC 3339 in UTC with milliseconds, after `now`; null: until it is revoked. */
  expiresAt: string | null;
}

const roles: readonly ApiKeyRole[] = ['admin', 'operator', 'redeemer'];

/**
 * Reads the body of a request that makes an API key.
 * @param now milliseconds since the Unix epoch
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readNewApiKey(input: unknown, now: number): NewApiKey {
  const readers: Readers<NewApiKey> = {
    name: (value) => readLabel(value, limits.apiKeyNameMaxChars),
    role: (value) => roles.find((role) => role === value) ?? new Fault(`must be one of ${roles.join(', ')}`),
    expiresAt: orNull((value) => readFuture(value, now)),
  };
  return { expiresAt: null, ...readFields<NewApiKey, 'name' | 'role'>(input, readers, 'an API key', ['name', 'role']) };
}

function readFuture(value: unknown, now: number): string | Fault {
  const time = readTime(value);
  if (time instanceof Fault || !('instant' in time)) {
    return new Fault(
      'must be a time with an offset, such as 2027-01-01T00:00:00Z, or null for a key that never expires',
    );
  }
  return Date.parse(time.instant) > now ? time.instant : new Fault('must be in the future');
}
