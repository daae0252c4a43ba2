import { createCipheriv, createDecipheriv, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Random } from '../random.ts';

/** A key that was wrapped, or why it cannot be unwrapped. */
export type UnwrapResult =
  | { readonly ok: true; readonly key: Buffer }
  | { readonly ok: false; readonly problem: 'wrong-secret-or-damaged'; readonly message: string };

/**
 * What a wrapped key is for: one of a pattern does not open as one that signs for a webhook, nor the other way round.
 */
export type KeyPurpose = 'pattern' | 'webhook';

const KEY_BYTES = 32;
/** The nonce size for which GCM is defined best (NIST SP 800-38D, section 8.2). */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const WRAPPED_BYTES = NONCE_BYTES + KEY_BYTES + TAG_BYTES;
const CHECK_VALUE_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** A new key of a pattern or a webhook: 32 random bytes. */
export function makePatternKey(random: Pick<Random, 'bytes'>): Buffer {
  return random.bytes(KEY_BYTES);
}

/**
 * Encrypts a pattern's key for the database with AES-256-GCM (NIST SP 800-38D) under a key derived from `CODE_SECRET`.
 * The secret's version is authenticated with it, so a row that names another version does not open.
 *
 * @param codeSecret `CODE_SECRET`: high-entropy text, as its derivation is not slowed down against guessing.
 * @param keyVersion the secret's version, 1 and up.
 * @param patternKey 32 bytes.
 * @returns 60 bytes: nonce, encrypted key, tag.
 * @throws RangeError when the pattern's key is not 32 bytes or the version is not a positive whole number.
 */
export function wrapPatternKey(
  codeSecret: string,
  keyVersion: number,
  patternKey: Uint8Array,
  random: Pick<Random, 'bytes'>,
  purpose: KeyPurpose = 'pattern',
): Buffer {
  if (patternKey.length !== KEY_BYTES)
    throw new RangeError(`a pattern's key has ${KEY_BYTES} bytes, not ${patternKey.length}`);
  const nonce = random.bytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, wrappingKey(codeSecret, purpose), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(versionBytes(keyVersion));
  return Buffer.concat([nonce, cipher.update(patternKey), cipher.final(), cipher.getAuthTag()]);
}

/**
 * Decrypts what `wrapPatternKey` made. A result, not an exception: after a rotation that was not finished, some keys
 * are under the earlier secret.
 *
 * @param codeSecret the secret of that version.
 * @param keyVersion the version stored beside the wrapped key, 1 and up.
 * @throws RangeError when the version is not a positive whole number.
 */
export function unwrapPatternKey(
  codeSecret: string,
  keyVersion: number,
  wrapped: Uint8Array,
  purpose: KeyPurpose = 'pattern',
): UnwrapResult {
  const version = versionBytes(keyVersion);
  if (wrapped.length !== WRAPPED_BYTES) return refuseUnwrap(keyVersion);
  const nonce = wrapped.subarray(0, NONCE_BYTES);
  const decipher = createDecipheriv(CIPHER, wrappingKey(codeSecret, purpose), nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(version);
  decipher.setAuthTag(wrapped.subarray(WRAPPED_BYTES - TAG_BYTES));
  const key = decipher.update(wrapped.subarray(NONCE_BYTES, NONCE_BYTES + KEY_BYTES));
  try {
    decipher.final();
  } catch {
    return refuseUnwrap(keyVersion);
  }
  return { ok: true, key };
}

function refuseUnwrap(keyVersion: number): UnwrapResult {
  const message = `a pattern key does not open with this CODE_SECRET: set the secret of version ${keyVersion}, with which it was stored`;
  return { ok: false, problem: 'wrong-secret-or-damaged', message };
}

/**
 * Sixteen bytes that tell one `CODE_SECRET` from another and reveal nothing about it or the wrapping key: kept in the
 * database, so that a start with the wrong secret is refused before it makes codes that nobody can read back.
 */
export function codeSecretCheckValue(codeSecret: string): Buffer {
  return derive(codeSecret, 'qurable code secret check value', CHECK_VALUE_BYTES);
}

/** Whether a stored check value is this secret's, compared in constant time. */
export function isCodeSecret(codeSecret: string, storedCheckValue: Uint8Array): boolean {
  return (
    storedCheckValue.length === CHECK_VALUE_BYTES && timingSafeEqual(codeSecretCheckValue(codeSecret), storedCheckValue)
  );
}

function wrappingKey(codeSecret: string, purpose: KeyPurpose): Buffer {
  return derive(codeSecret, `qurable ${purpose} key wrapping`, KEY_BYTES);
}

/** HKDF with HMAC-SHA-256 (RFC 5869), without salt; `purpose` keeps the derived values independent of each other. */
function derive(codeSecret: string, purpose: string, bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', codeSecret, '', purpose, bytes));
}

function versionBytes(keyVersion: number): Buffer {
  if (!Number.isInteger(keyVersion) || keyVersion < 1)
    throw new RangeError(`a key version is 1 or more, not ${keyVersion}`);
  return Buffer.from(`v${keyVersion}`);
}
