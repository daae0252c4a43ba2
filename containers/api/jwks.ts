import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { type Clock, unavailable } from '../../core/index.ts';
import { signatureVerifier } from './signature-verifier.ts';

/** One key of an issuer, with the check that its own type fixes. */
export interface IssuerKey {
  kid: string | null;
  verify(token: string): unknown;
}

/** Where an issuer's keys come from. */
export interface KeySource {
  /** The key that a token's `kid` names; without one, the only key there is. Null: there is none. */
  findKey(kid: unknown): Promise<IssuerKey | null>;
}

const fetchTimeoutMillis = 5_000;
const documentMaxChars = 1_000_000;
/** A rotated key is picked up within this time even if nobody uses a new one. */
const maxAgeMillis = 600_000;
/** A made-up kid must not make us ask the issuer again and again. */
const minAgeMillis = 10_000;
const rsaModulusMinBits = 2048;

/**
 * Opens the keys that an issuer publishes. They are fetched on first use, kept while the issuer can't be reached, and
 * fetched again when they are old or an unknown `kid` comes up. Nothing in a token leads anywhere else: `jku`, `x5u` and
 * `jwk` headers are not looked at.
 */
export function openJwks(url: string, clock: Clock): KeySource {
  let keys: IssuerKey[] | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | null = null;

  const refresh = async () => {
    triedAt = clock.monotonic();
    try {
      keys = readKeys(await fetchDocument(url));
    } catch {
      // The keys we have stay good: an issuer that is down must not lock everybody out.
    } finally {
      pending = null;
    }
  };
  const refreshOlderThan = (millis: number): Promise<void> | null => {
    if (pending === null && clock.monotonic() - triedAt >= millis) pending = refresh();
    return pending;
  };

  return {
    async findKey(kid) {
      if (keys === null) await refreshOlderThan(minAgeMillis / 10);
      else void refreshOlderThan(maxAgeMillis);
      if (keys === null) {
        throw unavailable('not-begun', 'The keys that tokens are signed with can’t be fetched now.', 5);
      }
      const found = chooseKey(keys, kid);
      if (found !== null || typeof kid !== 'string') return found;
      await refreshOlderThan(minAgeMillis);
      return chooseKey(keys, kid);
    },
  };
}

function chooseKey(keys: IssuerKey[], kid: unknown): IssuerKey | null {
  if (kid === undefined) return keys.length === 1 ? keys[0]! : null;
  return keys.find((key) => key.kid !== null && key.kid === kid) ?? null;
}

async function fetchDocument(url: string): Promise<unknown> {
  // A redirect would let whoever holds the other end choose our keys.
  const response = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(fetchTimeoutMillis),
    headers: { accept: 'application/json' },
  });
  if (!response.ok) throw new Error(`The JWKS answered ${response.status}`);
  const text = await response.text();
  if (text.length > documentMaxChars) throw new Error('The JWKS is too large');
  return JSON.parse(text);
}

/** The usable keys of a JWKS (RFC 7517); keys of other kinds and for other uses are left out. */
export function readKeys(document: unknown): IssuerKey[] {
  const listed = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(listed)) throw new Error('The JWKS has no keys');
  return listed.flatMap((jwk) => {
    const key = readKey(jwk as JsonWebKey);
    return key === null ? [] : [key];
  });
}

function readKey(jwk: JsonWebKey | null): IssuerKey | null {
  if (jwk === null || typeof jwk !== 'object' || (jwk.use !== undefined && jwk.use !== 'sig')) return null;
  const algorithm = algorithmOf(jwk);
  if (algorithm === null || (jwk.alg !== undefined && jwk.alg !== algorithm)) return null;
  try {
    const key = createPublicKey({ key: publicPart(jwk), format: 'jwk' });
    if (algorithm === 'RS256' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < rsaModulusMinBits) return null;
    const pem = key.export({ type: 'spki', format: 'pem' }).toString();
    const kid = typeof jwk.kid === 'string' ? jwk.kid : null;
    return { kid, verify: signatureVerifier(pem, algorithm) };
  } catch {
    return null;
  }
}

/** The one algorithm that a key of this type is used with. A symmetric key in a public document is no secret. */
function algorithmOf(jwk: JsonWebKey): 'RS256' | 'ES256' | 'EdDSA' | null {
  if (jwk.kty === 'RSA') return 'RS256';
  if (jwk.kty === 'EC' && jwk.crv === 'P-256') return 'ES256';
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return 'EdDSA';
  return null;
}

function publicPart(jwk: JsonWebKey): JsonWebKey {
  const { kty, n, e, crv, x, y } = jwk;
  return Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined));
}
