import type { FastifyRequest } from 'fastify';
import { type Caller, refuse } from '../../../core/index.ts';
import type { Authenticate } from './authentication.ts';
import { readCookie, sessionCookie } from './cookies.ts';
import { requireSameOrigin } from './same-origin.ts';

/**
 * Finds out whose session a cookie's secret is; null: nobody's.
 * @param isUse false for what a page asks by itself, which does not keep a session from being idle
 */
export type AuthenticateSession = (secret: string, isUse: boolean) => Promise<Caller | null>;

/** Finds out who sends a request. Throws, or rejects with, a CouponError `unauthenticated` or `forbidden`. */
export type Identify = (request: FastifyRequest) => Caller | Promise<Caller>;

/**
 * Makes the function that finds out who sends a request. A request with Authorization belongs to its token, whatever
 * cookies it has, and no cookie is looked up for it. A request without it may belong to a session of the console.
 */
export function makeIdentify(authenticate: Authenticate, authenticateSession: AuthenticateSession): Identify {
  const identifyBySession = async (request: FastifyRequest, secret: string): Promise<Caller> => {
    requireSameOrigin(request);
    const caller = await authenticateSession(secret, isSessionUse(request));
    if (caller !== null) return caller;
    throw refuse('unauthenticated', 'The session has ended. Sign in again.', { refused: 'session: unknown or ended' });
  };
  return (request) => {
    const { authorization } = request.headers;
    const secret = authorization === undefined ? readCookie(request, sessionCookie) : null;
    return secret === null ? authenticate(authorization) : identifyBySession(request, secret);
  };
}

/**
 * Whether a request is a person's use of a session. A page that asks by itself, such as for numbers each second, says
 * `Qurable-Background: true`.
 */
export function isSessionUse(request: FastifyRequest): boolean {
  return request.headers['qurable-background'] !== 'true';
}
