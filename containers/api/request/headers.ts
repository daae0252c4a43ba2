import type { FastifyRequest } from 'fastify';
import { invalidInput } from '../../../core/index.ts';

/**
 * The revision that the request's If-Match names, 1 and up; null without that header, and for `*`.
 * @throws CouponError `invalid-input` for anything else, several revisions included
 */
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

/**
 * Whether the client would rather have CSV than JSON (RFC 9110, section 12.5.1): it wants it more, or names it first.
 * Of the ranges that take a type in, the narrowest one counts.
 */
export function prefersCsv(request: FastifyRequest): boolean {
  const ranges = readRanges(request.headers.accept ?? '');
  const csv = rangeOf('text', 'csv', ranges);
  const json = rangeOf('application', 'json', ranges);
  if (csv === undefined || csv.weight === 0) return false;
  if (json === undefined || csv.weight !== json.weight) return csv.weight > (json?.weight ?? 0);
  // Whoever takes anything has asked for nothing.
  return csv.range !== '*/*' && csv.at < json.at;
}

/** What Accept names: a range of types, how much it is wanted, and its place. */
interface AcceptedRange {
  range: string;
  /** 0 to 1; 0: not at all. */
  weight: number;
  at: number;
}

function readRanges(accept: string): AcceptedRange[] {
  return accept.split(',').map((part, at) => {
    const [range = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const weight = parameters.map((parameter) => /^q=([01](?:\.\d{0,3})?)$/.exec(parameter)?.[1]).find(Boolean);
    return { range, weight: Math.min(1, Number(weight ?? 1)), at };
  });
}

function rangeOf(type: string, subtype: string, ranges: readonly AcceptedRange[]): AcceptedRange | undefined {
  const narrowestFirst = [`${type}/${subtype}`, `${type}/*`, '*/*'];
  return narrowestFirst.map((name) => ranges.find(({ range }) => range === name)).find((found) => found !== undefined);
}
