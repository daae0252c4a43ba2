import { createHash } from 'node:crypto';
import type { Random } from '../random.ts';

/** The tenant is in front, so that a key is looked up within its tenant only. 32 random bytes can't be guessed. */
const shape = /^qk_([0-9a-z]{1,6})_[A-Za-z0-9_-]{43}$/;
const secretBytes = 32;
const int4Max = 2_147_483_647;

/**
 * Makes a key: `qk_<tenant id in base 36>_<43 characters of base64url>`. It is shown once and stored as a hash only.
 */
export function makeKey(tenantId: number, random: Random): string {
  return `qk_${tenantId.toString(36)}_${random.bytes(secretBytes).toString('base64url')}`;
}

/** The tenant that a key says it belongs to, or null where the text has not the form of a key. */
export function tenantOfKey(key: string): number | null {
  const parts = shape.exec(key);
  if (parts === null) return null;
  const tenantId = Number.parseInt(parts[1]!, 36);
  return tenantId <= int4Max ? tenantId : null;
}

/** 32 bytes of SHA-256 over the whole key. A plain hash is enough: there is nothing to guess in 256 random bits. */
export function hashKey(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
