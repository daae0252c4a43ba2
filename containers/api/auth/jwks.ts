import { type CryptoKey, importJWK, type JWK } from 'jose';
import { type Clock, type Log, limits, unavailable } from '../../../core/index.ts';

/** A key to check signatures with, and the one algorithm that it is used with. */
export interface VerifyingKey {
  algorithm: 'HS256' | 'RS256' | 'ES256' | 'EdDSA';
  key: CryptoKey;
}

/** Where the keys come from that tokens are checked with. */
export interface VerifyingKeys {
  /**
   * The key that a token's `kid` names; without one, the only key there is. Null: there is none. Rejects with a
   * CouponError `unavailable` where no key could be had yet.
   */
  findKey(kid: unknown): Promise<VerifyingKey | null>;
}

interface IssuerKey extends VerifyingKey {
  kid: string | null;
}

const fetchTimeoutMillis = 5_000;
/** A document with a hundred keys has a twentieth of it. */
const documentMaxBytes = 1_000_000;
/** A rotated key is picked up within this time even if nobody uses a new one. */
const maxAgeMillis = 600_000;
/** A made-up kid must not make us ask the issuer again and again. */
const minAgeMillis = 10_000;
/** Kids are the issuer’s text; a line of the log has no room for a long one. */
const toldMaxChars = 200;

/**
 * Opens the keys that an issuer publishes. They are fetched on first use, kept while the issuer can't be reached, and
 * fetched again when they are old or an unknown `kid` comes up. Nothing in a token leads anywhere else: `jku`, `x5u`
 * and `jwk` headers are not looked at.
 *
 * jose imports the keys, but does not keep them (`createRemoteJWKSet`): it lets go of old keys while the issuer is
 * down, asks an issuer that fails again with every token, and measures by the wall clock, which may be set back.
 * @param log is told when fetching fails for a new reason and when it succeeds again, and of keys that share a `kid`
 */
export function openJwks(url: string, clock: Clock, log: Log): VerifyingKeys {
  const { host } = new URL(url);
  let keys: IssuerKey[] | null = null;
  let triedAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> | null = null;
  /** What the log was told last: a failure is worth a line when it is news, not once a fetch. */
  let toldCause: string | null = null;
  let toldShared = '';

  const refresh = async () => {
    triedAt = clock.monotonic();
    try {
      keys = await readKeys(await fetchDocument(url));
      if (toldCause !== null) log.info({ host }, 'the keys that tokens are signed with are there again');
      toldCause = null;
      tellShared(keys);
    } catch (error) {
      // The keys we have stay good: an issuer that is down must not lock everybody out.
      const cause = causeOf(error);
      if (cause !== toldCause) log.warn({ host, cause }, 'the keys that tokens are signed with can’t be fetched');
      toldCause = cause;
    } finally {
      pending = null;
    }
  };
  const tellShared = (fetched: IssuerKey[]) => {
    const shared = sharedKids(fetched);
    if (shared !== toldShared && shared !== '')
      log.warn({ host, kids: shared }, 'keys share a kid, and tokens are checked with the first of them');
    toldShared = shared;
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
  if (!response.ok) throw new JwksError(`the answer’s status is ${response.status}`);
  const text = await readBounded(response);
  try {
    return JSON.parse(text);
  } catch {
    throw new JwksError('the answer is no JSON');
  }
}

/** By pieces: what is too long is never held. */
async function readBounded({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Leaving the loop ends the download.
  for await (const piece of body ?? []) {
    bytes += piece.length;
    if (bytes > documentMaxBytes) throw new JwksError(`the answer is longer than ${documentMaxBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

/** A message that says nothing of what the answer held. */
class JwksError extends Error {}

function causeOf(error: unknown): string {
  if (error instanceof JwksError) return error.message;
  const { name, cause } = error as { name?: unknown; cause?: { code?: unknown; message?: unknown } };
  return String(cause?.code ?? cause?.message ?? name);
}

/** The kids that more than one key has, for the log; empty where there are none. */
function sharedKids(keys: IssuerKey[]): string {
  const kids = keys.map(({ kid }) => kid).filter((kid) => kid !== null);
  const shared = new Set(kids.filter((kid, index) => kids.indexOf(kid) < index));
  return [...shared].join(', ').slice(0, toldMaxChars);
}

/** The usable keys of a JWKS (RFC 7517); keys of other kinds and for other uses are left out. */
async function readKeys(document: unknown): Promise<IssuerKey[]> {
  const listed = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(listed)) throw new JwksError('the answer has no list of keys');
  const keys = await Promise.all(listed.map((jwk) => readKey(jwk as JWK | null)));
  return keys.filter((key) => key !== null);
}

async function readKey(jwk: JWK | null): Promise<IssuerKey | null> {
  if (jwk === null || typeof jwk !== 'object' || (jwk.use !== undefined && jwk.use !== 'sig')) return null;
  const algorithm = algorithmOf(jwk);
  if (algorithm === null || (jwk.alg !== undefined && jwk.alg !== algorithm)) return null;
  try {
    const key = (await importJWK(publicPart(jwk), algorithm)) as CryptoKey;
    const { modulusLength } = key.algorithm as { modulusLength?: number };
    if (modulusLength !== undefined && modulusLength < limits.rsaModulusMinBits) return null;
    return { kid: typeof jwk.kid === 'string' ? jwk.kid : null, algorithm, key };
  } catch {
    return null;
  }
}

/** The one algorithm that a key of this type is used with. A symmetric key in a public document is no secret. */
function algorithmOf({ kty, crv }: JWK): 'RS256' | 'ES256' | 'EdDSA' | null {
  if (kty === 'RSA') return 'RS256';
  if (kty === 'EC' && crv === 'P-256') return 'ES256';
  if (kty === 'OKP' && crv === 'Ed25519') return 'EdDSA';
  return null;
}

/** What says which key it is; what an issuer says beside it, such as `key_ops`, does not keep us from using it. */
function publicPart({ kty, n, e, crv, x, y }: JWK): JWK {
  return Object.fromEntries(Object.entries({ kty, n, e, crv, x, y }).filter(([, value]) => value !== undefined)) as JWK;
}
