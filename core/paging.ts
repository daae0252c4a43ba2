import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { invalidInput } from './errors.ts';
import { strictObject, withDefault } from './input/shapes.ts';
import { limits } from './limits.ts';
import type { Random } from './random.ts';

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
export type PageRequest = ListParameters<Static<typeof PageRequest>>;

/** A list's parameters as its operation takes them: what is null is missing. */
export type ListParameters<T> = { [Name in keyof T]?: T[Name] | null | undefined };

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

/** Makes and reads the cursors of all lists. */
export interface Cursors {
  /**
   * Makes the opaque cursor that leads on from `position`. Nobody without the secret can make, change or read one: its
   * numbers would tell customers how many codes have been dealt, and to how many users of all tenants.
   */
  seal(list: ListIdentity, position: Position): string;
  /**
   * Reads the position out of a cursor that was sealed for the same list.
   * @throws CouponError `invalid-input` naming `cursor` for any other text: one that was changed, that belongs to
   *   another list, tenant or filter, or that was made under another secret
   */
  open(list: ListIdentity, cursor: string): Position;
}

const cipherName = 'aes-256-gcm';
const keyBytes = 32;
/**
 * Chosen at random for each cursor. Among the 2^32 cursors that NIST SP 800-38D (section 8.3) allows a key with such
 * nonces, two with one nonce are less likely than one in 2^32, and would tell how two positions differ.
 */
const nonceBytes = 12;
const tagBytes = 16;

/**
 * Opens the cursors of whoever knows `codeSecret`: AES-256-GCM under a key derived from it, with the list's identity
 * authenticated beside the position.
 * @param codeSecret `CODE_SECRET`: high-entropy text, as its derivation is not slowed down against guessing
 */
export function openCursors(codeSecret: string, random: Pick<Random, 'bytes'>): Cursors {
  // HKDF (RFC 5869): the purpose keeps the key independent of the others that are derived from the secret.
  const key = createSecretKey(Buffer.from(hkdfSync('sha256', codeSecret, '', 'qurable list cursors', keyBytes)));
  return {
    seal(list, position) {
      const nonce = random.bytes(nonceBytes);
      const cipher = createCipheriv(cipherName, key, nonce, { authTagLength: tagBytes });
      cipher.setAAD(nameOf(list));
      const sealed = [nonce, cipher.update(JSON.stringify(position)), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString('base64url');
    },
    open(list, cursor) {
      const bytes = Buffer.from(cursor.slice(0, cursorMaxChars), 'base64url');
      // Decoding skips what is not base64url, so two texts could be one cursor; only the one that was given out is
      // good.
      if (bytes.toString('base64url') !== cursor) throw foreignCursor();
      return decrypt(key, list, bytes);
    },
  };
}

function decrypt(key: KeyObject, list: ListIdentity, bytes: Buffer): Position {
  if (bytes.length <= nonceBytes + tagBytes) throw foreignCursor();
  const decipher = createDecipheriv(cipherName, key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
  decipher.setAAD(nameOf(list));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const position = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
  try {
    decipher.final();
  } catch {
    throw foreignCursor();
  }
  return JSON.parse(position.toString()) as Position;
}

function nameOf(list: ListIdentity): Buffer {
  const filters = Object.entries(list.filters).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify([list.kind, list.tenantId, filters]));
}

function foreignCursor(): Error {
  return invalidInput('cursor', 'is not a cursor of this list; take nextCursor as it was given, with the same filters');
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
