import { createHash, createHmac } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Random } from '../random.ts';

const secretBytes = 32;
const shape = /^[A-Za-z0-9_-]{43}$/;

/** Makes the secret of a session or a link: 256 random bits in 43 characters of base64url. Stored as a hash only. */
export function makeSessionSecret(random: Random): string {
  return random.bytes(secretBytes).toString('base64url');
}

/** True for a text that may be such a secret; what is none is not looked up. */
export function isSessionSecret(text: string): boolean {
  return shape.test(text);
}

/** 32 bytes of SHA-256. A plain hash is enough: there is nothing to guess in 256 random bits. */
export function hashSessionSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/**
 * What sessions and links of the bootstrap key are stored with, so that they end when the key is replaced; null where
 * there is no such key. People choose that key themselves, hence an HMAC under the installation's secret: a plain hash
 * in a copy of the database could be guessed at.
 */
export function rootCheck({ adminKey, codeSecret }: Pick<Config, 'adminKey' | 'codeSecret'>): Buffer | null {
  if (adminKey === null) return null;
  return createHmac('sha256', codeSecret).update(`console root\n${adminKey}`).digest();
}
