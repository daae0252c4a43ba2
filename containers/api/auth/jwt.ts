import { isUtf8 } from 'node:buffer';
import { compactVerify } from 'jose';
import { type Clock, type Config, type Log, limits, type Role } from '../../../core/index.ts';
import { findDuplicateName } from './find-duplicate-name.ts';
import { openJwks, type VerifyingKey, type VerifyingKeys } from './jwks.ts';

/** What a verified token says. */
export interface Claims {
  sub: string;
  tenant: string;
  role: Exclude<Role, 'root'>;
  /** Seconds since the Unix epoch. */
  exp: number;
}

/** Why a JWT is not good. It holds nothing of the token. */
export interface TokenFault {
  /** For the log. */
  refused: string;
  /** For whoever holds the token: only where its signature is good, since a forger must learn nothing. In ASCII. */
  description: string | null;
}

/** Checks a JWT. Rejects with a CouponError `unavailable` where the keys to check it with can’t be had. */
export type JwtVerifier = (token: string) => Promise<Claims | TokenFault>;

/** What a token says before its signature is checked. */
interface PlainJwt {
  header: Record<string, unknown>;
  payload: Record<string, unknown>;
}

/**
 * Makes the check of JWTs (RFC 8725). Which algorithm is right follows from the configuration and the key's own type,
 * never from the token: HS256 with a secret; RS256, ES256 or EdDSA with keys from a JWKS.
 * @param log is told when the keys can’t be fetched
 */
export function makeJwtVerifier(config: Config['jwt'], clock: Clock, log: Log): JwtVerifier {
  if (config.mode === 'none') return async () => secretFault('not configured here');
  const keys = config.mode === 'secret' ? keyOfSecret(config.secret) : openJwks(config.url, clock, log);
  return async (token) => {
    const jwt = token.length > limits.tokenMaxChars ? null : readPlainJwt(token);
    if (jwt === null) return secretFault('malformed');
    const key = await keys.findKey(jwt.header.kid);
    if (key === null) return secretFault('unknown key');
    if (jwt.header.alg !== key.algorithm) return secretFault('wrong algorithm');
    if (!(await isSignedBy(token, key))) return secretFault('bad signature');
    return readClaims(jwt.payload, config, clock.now() / 1000);
  };
}

/**
 * The one key there is, whatever a token's `kid` says. It is imported once: jose would import the bytes with each
 * token.
 */
function keyOfSecret(secret: string): VerifyingKeys {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const key = crypto.subtle.importKey('raw', Buffer.from(secret), hmac, false, ['verify']);
  return { findKey: async () => ({ algorithm: 'HS256', key: await key }) };
}

/** Times and other claims are checked in one place for all keys, so that only the signature is left to jose. */
async function isSignedBy(token: string, { key, algorithm }: VerifyingKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}

/** The fault of a token that may be anybody's. */
function secretFault(what: string): TokenFault {
  return { refused: `jwt: ${what}`, description: null };
}

/** The fault of a token that the right key has signed. */
export function signedFault(what: string, description: string): TokenFault {
  return { refused: `jwt: ${what}`, description };
}

/** Three parts in base64url (RFC 7515): decoders disagree about any other character, and skip it or not. */
const threeParts = /^([\w-]+)\.([\w-]+)\.[\w-]+$/;

/**
 * Reads a token that says the same to everybody: three parts, a header with no extension that must be understood
 * (`crit`), and no name twice. Null for any other.
 */
function readPlainJwt(token: string): PlainJwt | null {
  const [, headerPart, payloadPart] = threeParts.exec(token) ?? [];
  if (headerPart === undefined || payloadPart === undefined) return null;
  const header = readObject(headerPart);
  const payload = readObject(payloadPart);
  return header === null || payload === null || Object.hasOwn(header, 'crit') ? null : { header, payload };
}

function readObject(part: string): Record<string, unknown> | null {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return null;
  const text = bytes.toString('utf8');
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && findDuplicateName(text) === null ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function readClaims(
  payload: Record<string, unknown>,
  expected: { issuer: string | null; audience: string | null },
  now: number,
): Claims | TokenFault {
  const { sub, tenant, role, exp, nbf, iat, iss, aud } = payload;
  if (expected.issuer !== null && iss !== expected.issuer)
    return signedFault('wrong issuer', 'iss is not the issuer that is expected here');
  if (expected.audience !== null && !includesAudience(aud, expected.audience))
    return signedFault('wrong audience', 'aud does not name this service');
  if (exp === undefined) return signedFault('no exp', 'exp is missing');
  if (!isTime(exp)) return signedFault('wrong exp', 'exp must be a number of seconds since 1970');
  if (exp <= now) return signedFault('expired', 'The token has expired');
  if (!isPast(nbf, now)) return signedFault('not valid yet', 'nbf is in the future or is no time');
  if (!isPast(iat, now)) return signedFault('not valid yet', 'iat is in the future or is no time');
  if (!isUserId(sub)) return signedFault('no sub', `sub must be a text of 1 to ${limits.userIdMaxChars} characters`);
  if (typeof tenant !== 'string' || tenant === '')
    return signedFault('no tenant', 'tenant must be the slug of a tenant, such as default');
  if (!isRole(role)) return signedFault('unknown role', 'role must be admin, operator, redeemer or customer');
  return { sub, tenant, role, exp };
}

function isUserId(value: unknown): value is string {
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return false;
  const characters = [...value].length;
  return characters >= 1 && characters <= limits.userIdMaxChars;
}

/** `root` is not among them: only the bootstrap key is root. */
function isRole(value: unknown): value is Claims['role'] {
  return value === 'admin' || value === 'operator' || value === 'redeemer' || value === 'customer';
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Whether a time that need not be there is not ahead of us. */
function isPast(value: unknown, now: number): boolean {
  return value === undefined || (isTime(value) && value <= now + limits.tokenMaxSecondsAhead);
}

function includesAudience(aud: unknown, audience: string): boolean {
  if (Array.isArray(aud)) return aud.every((item) => typeof item === 'string') && aud.includes(audience);
  return aud === audience;
}
