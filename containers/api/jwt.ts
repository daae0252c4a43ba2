import { isUtf8 } from 'node:buffer';
import { type Clock, type Config, limits, type Role } from '../../core/index.ts';
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

/** Checks a JWT. Resolves to null for one that is not good, and says nothing about why. */
export type JwtVerifier = (token: string) => Promise<Claims | null>;

type SignatureCheck = (token: string) => Promise<Record<string, unknown>>;

/**
 * Makes the check of JWTs (RFC 8725). Which algorithm is right follows from the configuration and the key's own type,
 * never from the token: HS256 with a secret; RS256, ES256 or EdDSA with keys from a JWKS.
 * @param keys where keys come from with a JWKS; a test may bring its own
 */
export function makeJwtVerifier(config: Config['jwt'], clock: Clock, keys?: KeySource): JwtVerifier {
  const checkSignature = makeSignatureCheck(config, clock, keys);
  return async (token) => {
    if (token.length > limits.tokenMaxChars || !isPlainJwt(token)) return null;
    const payload = await checkSignature(token);
    return config.mode === 'none' ? null : readClaims(payload, config, clock.now() / 1000);
  };
}

function makeSignatureCheck(config: Config['jwt'], clock: Clock, keys: KeySource | undefined): SignatureCheck {
  switch (config.mode) {
    case 'none':
      return async () => ({});
    case 'secret':
      return tolerant(signatureVerifier(config.secret, 'HS256'));
    case 'jwks': {
      const source = keys ?? openJwks(config.url, clock);
      return async (token) => {
        const key = await source.findKey(headerOf(token)?.kid);
        return key === null ? {} : tolerant(key.verify)(token);
      };
    }
  }
}

/** A bad signature becomes a payload without claims, which no check lets pass. */
function tolerant(verify: (token: string) => unknown): SignatureCheck {
  return async (token) => {
    try {
      const payload = verify(token);
      return isObject(payload) ? payload : {};
    } catch {
      return {};
    }
  };
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
): Claims | null {
  const { sub, tenant, role, exp, nbf, iat, iss, aud } = payload;
  if (!isUserId(sub) || typeof tenant !== 'string' || tenant === '' || !isRole(role)) return null;
  if (!isTime(exp) || exp <= now) return null;
  if (!isPast(nbf, now) || !isPast(iat, now)) return null;
  if (expected.issuer !== null && iss !== expected.issuer) return null;
  if (expected.audience !== null && !includesAudience(aud, expected.audience)) return null;
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
