import { createCipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { invalidInput } from './errors.ts';
import { strictObject, withDefault } from './input/shapes.ts';
import { limits } from './limits.ts';

/** One page of a list. `nextCursor` is null on the last one. */
export interface Page<T> {
  data: T[];
  nextCursor: string | null;
}

const cursorMaxChars = 2_048;

/** What a caller may say about the page it wants, for the declaration of a list's parameters. */
export const pageParameters = {
  limit: Type.Optional(
    withDefault(
      Type.Integer({ minimum: 1, maximum: limits.pageMaxItems, description: 'How many items at most.' }),
      limits.pageDefaultItems,
    ),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: cursorMaxChars,
      description: 'The `nextCursor` of the page before, unchanged.',
    }),
  ),
};

/** A list that is not filtered. */
export const PageRequest = strictObject(pageParameters);
export type PageRequest = Asked<Static<typeof PageRequest>>;

/** A list's parameters as its operation takes them: what is null is missing. */
export type Asked<T> = { [Name in keyof T]?: T[Name] | null | undefined };

/** Which list a cursor belongs to: it is good for no other. */
export interface ListIdentity {
  /** The list's name and the version of its cursors' positions, such as `books/1`. */
  kind: string;
  tenantId: number;
  /** Everything that the caller filtered by; the order of the fields does not matter. Not readable in the cursor. */
  filters: Readonly<Record<string, string | number | boolean | null>>;
}

/** Where a page ended: the sort key of its last item. */
export type Position = readonly (string | number)[];

const macBytes = 16;

/**
 * Makes the opaque cursor that leads on from `position`. Nobody without the secret can make, change or read one: its
 * numbers would tell customers how many codes have been dealt, and to how many users of all tenants.
 */
export function sealCursor(codeSecret: string, list: ListIdentity, position: Position): string {
  const payload = Buffer.from(JSON.stringify(position));
  const mac = macOf(codeSecret, list, payload);
  return Buffer.concat([mac, veil(codeSecret, mac, payload)]).toString('base64url');
}

/**
 * Reads the position out of a cursor that sealCursor made for the same list.
 * @throws CouponError `invalid-input` naming `cursor` for any other text: one that was changed, that belongs to another
 *   list, tenant or filter, or that was made under another secret
 */
export function openCursor(codeSecret: string, list: ListIdentity, cursor: string): Position {
  const bytes = Buffer.from(cursor.slice(0, cursorMaxChars), 'base64url');
  const payload =
    bytes.length > macBytes ? veil(codeSecret, bytes.subarray(0, macBytes), bytes.subarray(macBytes)) : bytes;
  // Decoding skips what is not base64url, so two texts could be one cursor; only the one that was given out is good.
  const isOurs =
    bytes.length > macBytes &&
    bytes.toString('base64url') === cursor &&
    timingSafeEqual(bytes.subarray(0, macBytes), macOf(codeSecret, list, payload));
  if (!isOurs) {
    throw invalidInput(
      'cursor',
      'is not a cursor of this list; take nextCursor as it was given, with the same filters',
    );
  }
  return JSON.parse(payload.toString()) as Position;
}

/** The number of items a page may have. */
export function pageLimit(page: PageRequest): number {
  return page.limit ?? limits.pageDefaultItems;
}

/**
 * Makes a page of rows that were read with one more than `limit`: the extra one only tells that there is a next page.
 * @param toCursor seals the sort key of the last row shown
 */
export function cutPage<R, T>(
  rows: readonly R[],
  limit: number,
  toItem: (row: R) => T,
  toCursor: (last: R) => string,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { data: shown.map(toItem), nextCursor: rows.length > limit && last !== undefined ? toCursor(last) : null };
}

/**
 * Encrypts and, being its own inverse, decrypts: AES-256-CTR, with the payload's own mac for the counter's start (the
 * construction of SIV, RFC 5297), so that no two payloads share one and equal positions have equal cursors.
 */
function veil(codeSecret: string, mac: Uint8Array, payload: Uint8Array): Buffer {
  const key = Buffer.from(hkdfSync('sha256', codeSecret, '', 'qurable cursor contents', 32));
  return createCipheriv('aes-256-ctr', key, mac).update(payload);
}

function macOf(codeSecret: string, list: ListIdentity, payload: Buffer): Buffer {
  const key = Buffer.from(hkdfSync('sha256', codeSecret, '', 'qurable cursors', 32));
  const filters = Object.entries(list.filters).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha256', key)
    .update(`${JSON.stringify([list.kind, list.tenantId, filters])}\n`)
    .update(payload)
    .digest()
    .subarray(0, macBytes);
}
