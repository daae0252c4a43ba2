import { isUtf8 } from 'node:buffer';
import { type Clock, type Config, type Log, limits, type Role } from '../../core/index.ts';
import { findDuplicateName } from './find-duplicate-name.ts';
import { type KeySource, openJwks } from './jwks.ts';
import { signatureVerifier } from './signature-verifier.ts';

/** How far an issuer's clock may be ahead of ours. An expired token is expired: `exp` gets no leeway. */
const aheadMaxSeconds = 5;

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

type SignatureCheck = (token: string) => Promise<{ payload: Record<string, unknown> } | TokenFault>;

/**
 * Makes the check of JWTs (RFC 8725). Which algorithm is right follows from the configuration and the key's own type,
 * never from the token: HS256 with a secret; RS256, ES256 or EdDSA with keys from a JWKS.
 * @param log is told when the keys can’t be fetched
 */
export function makeJwtVerifier(config: Config['jwt'], clock: Clock, log: Log): JwtVerifier {
  if (config.mode === 'none') return async () => secretFault('not configured here');
  const checkSignature =
    config.mode === 'secret'
      ? checkWith(signatureVerifier(config.secret, 'HS256'))
      : checkWithKeys(openJwks(config.url, clock, log));
  return async (token) => {
    if (token.length > limits.tokenMaxChars || !isPlainJwt(token)) return secretFault('malformed');
    const checked = await checkSignature(token);
    return 'payload' in checked ? readClaims(checked.payload, config, clock.now() / 1000) : checked;
  };
}

function checkWithKeys(keys: KeySource): SignatureCheck {
  return async (token) => {
    const key = await keys.findKey(headerOf(token)?.kid);
    return key === null ? secretFault('unknown key') : checkWith(key.verify)(token);
  };
}

function checkWith(verify: (token: string) => unknown): SignatureCheck {
  return async (token) => {
    try {
      const payload = verify(token);
      return isObject(payload) ? { payload } : secretFault('malformed');
    } catch (error) {
      const { code } = error as { code?: unknown };
      return secretFault(code === 'FAST_JWT_INVALID_ALGORITHM' ? 'wrong algorithm' : 'bad signature');
    }
  };
}

/** The fault of a token that may be anybody's. */
function secretFault(what: string): TokenFault {
  return { refused: `jwt: ${what}`, description: null };
}

/** The fault of a token that the right key has signed. */
export function signedFault(what: string, description: string): TokenFault {
  return { refused: `jwt: ${what}`, description };
}

/**
 * Whether the token is one that reads the same to everybody: three parts, a header with no extension that must be
 * understood (`crit`), and no name twice.
 */
function isPlainJwt(token: string): boolean {
  const [header, payload, signature, more] = token.split('.');
  if (!header || !payload || !signature || more !== undefined) return false;
  const headerText = decodePart(header);
  const payloadText = decodePart(payload);
  if (headerText === null || payloadText === null) return false;
  const fields = parseObject(headerText);
  if (fields === null || Object.hasOwn(fields, 'crit') || parseObject(payloadText) === null) return false;
  return findDuplicateName(headerText) === null && findDuplicateName(payloadText) === null;
}

function headerOf(token: string): Record<string, unknown> | null {
  const text = decodePart(token.slice(0, token.indexOf('.')));
  return text === null ? null : parseObject(text);
}

function decodePart(part: string): string | null {
  const bytes = Buffer.from(part, 'base64url');
  return isUtf8(bytes) ? bytes.toString('utf8') : null;
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
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
  return value === undefined || (isTime(value) && value <= now + aheadMaxSeconds);
}

function includesAudience(aud: unknown, audience: string): boolean {
  if (Array.isArray(aud)) return aud.every((item) => typeof item === 'string') && aud.includes(audience);
  return aud === audience;
}
