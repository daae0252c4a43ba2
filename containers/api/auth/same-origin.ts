import type { FastifyRequest } from 'fastify';
import { refuse } from '../../../core/index.ts';

/**
 * Refuses what a page of another origin makes a browser send, with the cookie that the browser adds. Browsers say
 * themselves where a request comes from (Fetch Metadata), in a header that no page can set; one that does not is judged
 * by its Origin, which every browser sends with whatever is not GET or HEAD. Who says neither is no browser, and has no
 * use for a cookie.
 * @throws CouponError `forbidden`
 */
export function requireSameOrigin(request: FastifyRequest): void {
  const isSafe = request.method === 'GET' || request.method === 'HEAD';
  const site = request.headers['sec-fetch-site'];
  if (site === 'same-origin') return;
  // Typed into the address bar, or opened from a bookmark.
  if (isSafe && (site === 'none' || site === undefined)) return;
  if (site === undefined && request.headers.origin === `${request.protocol}://${request.headers.host}`) return;
  throw refuse(
    'forbidden',
    'A session is for the pages of this service alone; elsewhere, send a key in Authorization.',
    {
      refused: 'session: from another origin',
    },
  );
}
