import { BoundedMap, type Caller, type Clock, cacheMaxEntries, limits, refuse } from '../../../core/index.ts';
import { type JwtVerifier, signedFault, type TokenFault } from './jwt.ts';

/** A token is checked anew after this time, so that a key that an issuer took back stops working. */
const cacheMillis = 60_000;
/** Longer tokens are not kept, so that the cache stays small whatever issuers put into theirs. */
const cachedTokenMaxChars = 2_048;

/** What authentication asks of the core. */
export interface CallerLookups {
  /** Who an API key stands for; null: nobody. */
  authenticateKey(secret: string): Promise<Caller | null>;
  /** The tenant with this slug; null: there is none. */
  findTenantId(slug: string): Promise<number | null>;
}

/**
 * Finds out who is asking, from the Authorization header. Gives the caller at once where it is known already, so that
 * the hot path waits for nothing. Throws, or rejects with, a CouponError `unauthenticated`.
 */
export type Authenticate = (authorization: string | undefined) => Caller | Promise<Caller>;

interface CachedCaller {
  caller: Caller;
  /** Milliseconds since the Unix epoch. */
  until: number;
}

/**
 * Makes the authentication of API keys and JWTs. A good JWT is remembered for a while, by the whole of its text and
 * never beyond its own end; API keys are remembered by `lookups`.
 */
export function makeAuthenticate(lookups: CallerLookups, verifyJwt: JwtVerifier, clock: Clock): Authenticate {
  const cache = new BoundedMap<string, CachedCaller>(cacheMaxEntries);

  const authenticateJwt = async (token: string): Promise<Caller> => {
    const claims = await verifyJwt(token);
    if ('refused' in claims) throw unauthenticated(claims);
    const tenantId = await lookups.findTenantId(claims.tenant);
    if (tenantId === null) throw unauthenticated(unknownTenant);
    const customer = claims.role === 'customer';
    const caller: Caller = {
      tenantId,
      role: claims.role,
      actor: customer ? 'customer' : `jwt:${claims.sub}`,
      customerId: customer ? claims.sub : null,
    };
    if (token.length <= cachedTokenMaxChars) {
      cache.set(token, { caller, until: Math.min(claims.exp * 1000, clock.now() + cacheMillis) });
    }
    return caller;
  };

  const authenticateKey = async (key: string): Promise<Caller> => {
    const caller = await lookups.authenticateKey(key);
    if (caller === null) throw unauthenticated(unknownKey);
    return caller;
  };

  return (authorization) => {
    const token = readToken(authorization);
    const cached = cache.get(token);
    if (cached !== undefined) {
      if (clock.now() < cached.until) return cached.caller;
      cache.delete(token);
    }
    return token.startsWith('qk_') ? authenticateKey(token) : authenticateJwt(token);
  };
}

/** The scheme's name is case-insensitive (RFC 9110, section 11.1). */
function readToken(authorization: string | undefined): string {
  if (authorization === undefined) {
    throw refuse('unauthenticated', 'Send an API key or a JWT in the Authorization header, as Bearer <token>.', {
      refused: 'no token',
    });
  }
  const separator = authorization.indexOf(' ');
  const token = authorization.slice(separator + 1).trim();
  const bearer = separator === 6 && authorization.slice(0, 6).toLowerCase() === 'bearer';
  if (!bearer || token === '' || token.length > limits.tokenMaxChars) throw unauthenticated(noBearer);
  return token;
}

const unknownTenant = signedFault('unknown tenant', 'tenant names no tenant of this service');
const unknownKey: TokenFault = { refused: 'api key: unknown, expired or revoked', description: null };
const noBearer: TokenFault = { refused: 'no bearer token, or one that is too long', description: null };

/**
 * One text for everything that can be wrong with a token: which it is would help a forger more than a client. Only who
 * has a well-signed one is told, in a header (RFC 6750, section 3).
 */
function unauthenticated({ refused, description }: TokenFault) {
  return refuse('unauthenticated', 'The token is unknown, malformed, expired or revoked.', {
    refused,
    ...(description === null ? {} : { tokenFault: description }),
  });
}
