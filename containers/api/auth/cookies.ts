import type { FastifyReply, FastifyRequest } from 'fastify';
import { limits, refuse } from '../../../core/index.ts';

/** A cookie of the console's. No script can read any of them. */
interface Cookie {
  name: string;
  /** Whether the browser sends it along when another site leads here: Strict never, Lax where somebody goes there. */
  sameSite: 'Strict' | 'Lax';
  maxAgeSeconds: number;
}

/** The session's secret, which no other site's page can make the browser send. */
export const sessionCookie: Cookie = {
  name: 'qurable',
  sameSite: 'Strict',
  maxAgeSeconds: limits.sessionMaxHours * 3600,
};

/** What the browser keeps while somebody signs in elsewhere, from where the browser is led back here. */
export const flowCookie: Cookie = { name: 'qurable-sign-in', sameSite: 'Lax', maxAgeSeconds: 600 };

const thisMachine = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|0\.0\.0\.0|\[::1\])(:\d+)?$/i;

/** What the request's cookie says: any text at all. Null where it brings none. */
export function readCookie(request: FastifyRequest, cookie: Cookie): string | null {
  const header = request.headers.cookie;
  return header === undefined ? null : findCookie(header, nameOf(request, cookie));
}

/** Gives the browser a value, which must have letters that need no quoting. */
export function writeCookie(request: FastifyRequest, reply: FastifyReply, cookie: Cookie, value: string): void {
  setCookie(request, reply, cookie, value, cookie.maxAgeSeconds);
}

/** Takes the cookie out of the browser. */
export function clearCookie(request: FastifyRequest, reply: FastifyReply, cookie: Cookie): void {
  setCookie(request, reply, cookie, '', 0);
}

/**
 * Refuses to sign anybody in where a cookie would cross a network readable.
 * @throws CouponError `forbidden`
 */
export function requireSafeConnection(request: FastifyRequest): void {
  if (isSecure(request) || thisMachine.test(request.headers.host ?? '')) return;
  throw refuse(
    'forbidden',
    'Sign in over https, or on the machine itself. Behind a proxy that speaks https for this service, set TRUSTED_PROXIES.',
    { refused: 'sign-in: over plain http' },
  );
}

function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  cookie: Cookie,
  value: string,
  maxAgeSeconds: number,
): void {
  const attributes = ['HttpOnly', `SameSite=${cookie.sameSite}`, 'Path=/', `Max-Age=${maxAgeSeconds}`];
  if (isSecure(request)) attributes.push('Secure');
  reply.header('set-cookie', `${nameOf(request, cookie)}=${value}; ${attributes.join('; ')}`);
}

/**
 * Over https it has the prefix that keeps it to this host and its whole path: no other host, such as a neighbour under
 * the same domain, can set one of this name. On this machine, without a certificate, not every browser takes one.
 */
function nameOf(request: FastifyRequest, { name }: Cookie): string {
  return isSecure(request) ? `__Host-${name}` : name;
}

/** As the connection is, or as a proxy says that is trusted (TRUSTED_PROXIES). */
function isSecure(request: FastifyRequest): boolean {
  return request.protocol === 'https';
}

/** The first of that name: browsers send the most specific one first (RFC 6265, section 5.4). */
function findCookie(header: string, wanted: string): string | null {
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals !== -1 && pair.slice(0, equals).trim() === wanted) return pair.slice(equals + 1).trim();
  }
  return null;
}
