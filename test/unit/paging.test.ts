import { describe, expect, test } from '@jest/globals';
import { CouponError } from '../../core/errors.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { cutPage, openCursors, PageRequest, pageLimit } from '../../core/paging.ts';
import { systemRandom } from '../../core/random.ts';

const secret = 'a secret that only the tests know of';
const cursors = openCursors(secret, systemRandom);
const list = { kind: 'books/1', tenantId: 7, filters: { status: 'active', bookId: null } };

function refusalOf(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof CouponError) return error.refusal;
    throw error;
  }
  return null;
}

const badCursor = expect.objectContaining({
  kind: 'invalid-input',
  errors: [expect.objectContaining({ path: 'cursor' })],
});

describe('cursors', () => {
  test('a cursor gives back the position it was made of', () => {
    const position = ['0190-ä', 12, 9_007_199_254_740_991];
    expect(cursors.open(list, cursors.seal(list, position))).toEqual(position);
  });

  test('a cursor shows nothing of its position, nor whether it is the position of another cursor', () => {
    const cursor = cursors.seal(list, ['shown', 123_456_789]);
    const bytes = Buffer.from(cursor, 'base64url').toString('latin1');
    expect(bytes).not.toMatch(/shown|123456789/);
    expect(cursors.seal(list, ['shown', 123_456_789])).not.toBe(cursor);
  });

  test('another process with the same secret reads it', () => {
    const cursor = openCursors(secret, systemRandom).seal(list, ['0190', 12]);
    expect(cursors.open(list, cursor)).toEqual(['0190', 12]);
  });

  test('one that an earlier version made, encrypted in another way, is invalid-input naming cursor', () => {
    // Of version 0.1.0, under the same secret, for the position ['0190', 12] of the same list.
    const cursor = 'ywIaVIwbCOtA3Efk6Frv8XY72SVI882bIbph';
    expect(refusalOf(() => cursors.open(list, cursor))).toEqual(badCursor);
  });

  test('the order of the filters makes no difference', () => {
    const cursor = cursors.seal(list, [1]);
    expect(cursors.open({ ...list, filters: { bookId: null, status: 'active' } }, cursor)).toEqual([1]);
  });

  test('a cursor with any one character changed, added or removed is invalid-input naming cursor', () => {
    const cursor = cursors.seal(list, ['0190', 12]);
    for (let index = 0; index < cursor.length; index += 1) {
      const other = cursor[index] === 'A' ? 'B' : 'A';
      const changed = cursor.slice(0, index) + other + cursor.slice(index + 1);
      const shorter = cursor.slice(0, index) + cursor.slice(index + 1);
      const longer = `${cursor.slice(0, index)}=${cursor.slice(index)}`;
      for (const text of [changed, shorter, longer]) {
        expect(refusalOf(() => cursors.open(list, text))).toEqual(badCursor);
      }
    }
  });

  test.each(['', 'x', '!!!!', 'A'.repeat(1_000_000), '\0', '{"a":1}'])(
    'a text that never was a cursor is invalid-input (%#)',
    (text) => {
      expect(refusalOf(() => cursors.open(list, text))).toEqual(badCursor);
    },
  );

  test.each([
    ['kind', { ...list, kind: 'api-keys/1' }],
    ['tenant', { ...list, tenantId: 8 }],
    ['filter', { ...list, filters: { ...list.filters, status: 'paused' } }],
    ['missing filter', { ...list, filters: { status: 'active' } }],
    ['filter of another type', { ...list, filters: { ...list.filters, bookId: 'null' } }],
  ])('a cursor of a list with another %s is invalid-input naming cursor', (_what, other) => {
    const cursor = cursors.seal(other, [1]);
    expect(refusalOf(() => cursors.open(list, cursor))).toEqual(badCursor);
  });

  test('a cursor made under another secret is invalid-input naming cursor', () => {
    const cursor = openCursors(`${secret}!`, systemRandom).seal(list, [1]);
    expect(refusalOf(() => cursors.open(list, cursor))).toEqual(badCursor);
  });
});

describe('pages', () => {
  test('a page has 100 items where no limit is given, and any whole number from 1 to 1000 may be', () => {
    expect([pageLimit({}), pageLimit({ limit: 1 }), pageLimit({ limit: 1000 })]).toEqual([100, 1, 1000]);
  });

  test.each([0, -1, 1001, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'a limit of %p is invalid-input naming limit',
    (limit) => {
      expect(refusalOf(() => checkInput(PageRequest, { limit }, 'parameters'))).toEqual(
        expect.objectContaining({ kind: 'invalid-input', errors: [expect.objectContaining({ path: 'limit' })] }),
      );
    },
  );

  test('the row beyond the limit is not shown, and its being there makes the next cursor from the last row shown', () => {
    const page = cutPage(
      [1, 2, 3],
      2,
      (row) => row * 10,
      (row) => `after ${row}`,
    );
    expect(page).toEqual({ data: [10, 20], nextCursor: 'after 2' });
  });

  test('the last page has no cursor, be it full or empty', () => {
    expect(cutPage([1, 2], 2, String, String).nextCursor).toBeNull();
    expect(cutPage([], 2, String, String)).toEqual({ data: [], nextCursor: null });
  });
});
