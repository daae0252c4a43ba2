import type { FastifyRequest } from 'fastify';
import { invalidInput, type KeyedRequest, keyedRequest, limits } from '../../core/index.ts';

const idempotencyKey = new RegExp(`^[\\x21-\\x7e]{1,${limits.idempotencyKeyMaxChars}}$`);

/** The request's Idempotency-Key, or undefined. A header that comes twice is joined by a space and so refused too. */
export function readIdempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key === 'string' && idempotencyKey.test(key)) return key;
  throw invalidInput(
    'Idempotency-Key',
    `must have 1 to ${limits.idempotencyKeyMaxChars} visible ASCII characters and no spaces`,
  );
}

/**
 * The request by its Idempotency-Key, for operations that run once a key; null where it has none.
 * @param path what is asked for, with ids in one spelling: the same key for another path is a reuse
 */
export function readKeyedRequest(request: FastifyRequest, path: string): KeyedRequest | null {
  const key = readIdempotencyKey(request);
  return key === undefined ? null : keyedRequest(request.caller, key, path, request.body ?? {});
}

/** The revision that the request's If-Match names; null where it names none, as `*`. */
export function readIfMatch(request: FastifyRequest): number | null {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return null;
  const rev = /^(?:W\/)?"([1-9][0-9]{0,8})"$/.exec(header)?.[1];
  if (rev === undefined) throw invalidInput('If-Match', 'must be one revision in double quotes, such as "3"');
  return Number(rev);
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
