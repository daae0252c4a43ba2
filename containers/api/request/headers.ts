import type { FastifyRequest } from 'fastify';
import { invalidInput } from '../../../core/index.ts';

/** The revision that the request's If-Match names; null where it names none, as `*`. */
export function readIfMatch(request: FastifyRequest): number | null {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return null;
  const rev = /^(?:W\/)?"([1-9][0-9]{0,8})"$/.exec(header)?.[1];
  if (rev === undefined) throw invalidInput('If-Match', 'must be one revision in double quotes, such as "3"');
  return Number(rev);
}

/** Whether If-None-Match names this version, by the weak comparison of RFC 9110 (section 8.8.3.2). */
export function hasVersion(request: FastifyRequest, etag: string): boolean {
  const known = (request.headers['if-none-match'] ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return known.includes('*') || known.includes(etag.replace(/^W\//, ''));
}

/** Whether the client would rather have CSV than JSON: the first of the two that Accept names and does not rule out. */
export function prefersCsv(request: FastifyRequest): boolean {
  for (const range of (request.headers.accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    if (parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) continue;
    if (type === 'text/csv') return true;
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return false;
  }
  return false;
}
