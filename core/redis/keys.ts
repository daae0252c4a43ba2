import { createHmac } from 'node:crypto';

/**
 * Every key that the product writes to Redis, with its lifetime. A key's form carries a version: a later version with
 * other values uses other keys, so that old and new tasks can run side by side during a deployment. No user id, code,
 * address or token is in a key in clear.
 *
 * There are no hints here that would save a query, on purpose. What a hint could spare is a look-up that finds nothing:
 * an answer that depends on it ("this code does not exist", "no codes are left") is only true under the locks that the
 * query takes, so the query stays and the hint would add a round trip to it. What never changes (a book's, a deck's, a
 * pattern's identity) is kept by each process for itself, which costs no round trip at all. A revoked API key is
 * noticed within the 3 seconds that a process remembers it, inside the 5 that are promised; a subscription would be a
 * second connection to look after for 2 seconds' gain.
 */
const prefix = 'qurable:1';

/** A key and how long Redis may keep it, in whole milliseconds, 1 and up. */
export interface RedisKey {
  name: string;
  ttlMillis: number;
}

/**
 * Failed look-ups of one user, token or address.
 * @param keyHash as nameHash gives it
 * @param depthMillis the longest time after which the last of them is forgotten; the key is worth nothing from then on
 */
export function failuresKey(tenantId: number, keyHash: string, depthMillis: number): RedisKey {
  return { name: `${prefix}:failures:${tenantId}:${keyHash}`, ttlMillis: depthMillis };
}

/** Requests of one token. It holds at most one second's worth of them, so it is worth nothing after that second. */
export function rateKey(tenantId: number, keyHash: string): RedisKey {
  return { name: `${prefix}:rate:${tenantId}:${keyHash}`, ttlMillis: 2_000 };
}

/**
 * A name that can't be read back, as a UUID's text: 16 bytes of HMAC-SHA-256 under the installation's secret. A plain
 * hash of an address or of a short user id could be looked up in a table of all of them. Another secret makes other
 * names, and counts begin anew.
 */
export function nameHash(secret: string, kind: string, name: string): string {
  const hex = createHmac('sha256', secret).update(`throttle\n${kind}\n${name}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}
