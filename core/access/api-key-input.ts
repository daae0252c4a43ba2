import { type Static, Type } from 'typebox';
import { invalidInput } from '../errors.ts';
import { Fault } from '../input/field-rules.ts';
import { givenTime, label, nullable, oneOf, strictObject } from '../input/shapes.ts';
import { readTime } from '../input/time-rules.ts';
import { limits } from '../limits.ts';

/** What an API key may be. `customer` tokens are JWTs, and `root` is the bootstrap key alone. */
export const ApiKeyRole = oneOf(['admin', 'operator', 'redeemer'], { examples: ['operator'] });
export type ApiKeyRole = Static<typeof ApiKeyRole>;

/** What makes an API key. */
export const ApiKeyInput = strictObject(
  {
    name: label(limits.apiKeyNameMaxChars, 'checkout'),
    role: ApiKeyRole,
    expiresAt: Type.Optional(nullable(givenTime('RFC 3339; null or left out: never.', '2027-01-01T00:00:00Z'))),
  },
  { examples: [{ name: 'checkout', role: 'redeemer' }] },
);
export type ApiKeyInput = Static<typeof ApiKeyInput>;

/**
 * Reads when a new key is to expire: RFC 3339 in UTC with milliseconds; null: when it is revoked.
 * @param now milliseconds since the Unix epoch
 * @throws CouponError `invalid-input` for what is no instant, or is past
 */
export function readExpiry(expiresAt: string | null, now: number): string | null {
  if (expiresAt === null) return null;
  const time = readTime(expiresAt);
  if (time instanceof Fault || !('instant' in time)) {
    throw invalidInput(
      '/expiresAt',
      'must be a time with an offset, such as 2027-01-01T00:00:00Z, or null for a key that never expires',
    );
  }
  if (Date.parse(time.instant) <= now) throw invalidInput('/expiresAt', 'must be in the future');
  return time.instant;
}
