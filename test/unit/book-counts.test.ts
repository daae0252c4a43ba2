import { describe, expect, test } from '@jest/globals';
import { openCountsBoard } from '../../core/books/book-counts.ts';
import type { Queryable } from '../../core/db/pool.ts';
import type { BookKey } from '../../core/keys.ts';

const book = 7 as BookKey;

/** A board over a database that answers when told to; each answer has one redemption more than the one before. */
function open() {
  const waiting: { answer(): void; fail(): void }[] = [];
  let begun = 0;
  const query = () => {
    begun += 1;
    const redemptions = begun;
    const row = { codes: 10, available: 10, voided: 0, redemptions, asOf: new Date(0) };
    return new Promise((resolve, reject) => {
      waiting.push({ answer: () => resolve({ rows: [row] }), fail: () => reject(new Error('lost')) });
    });
  };
  const board = openCountsBoard({ query } as unknown as Queryable);
  return { board, waiting, begun: () => begun, ask: async () => (await board.read(1, book))!.redemptions };
}

describe('the counts of a book', () => {
  test('are read once for all who ask while a reading runs, and after they asked', async () => {
    const { waiting, begun, ask } = open();
    const first = ask();
    const others = Array.from({ length: 100 }, ask);
    expect(begun()).toBe(1);
    waiting[0]!.answer();
    expect(await first).toBe(1);
    await new Promise(setImmediate);
    expect(begun()).toBe(2);
    waiting[1]!.answer();
    expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
    void ask();
    expect(begun()).toBe(3);
  });

  test('are read again after a reading that failed', async () => {
    const { waiting, ask } = open();
    const [first, second] = [ask(), ask()];
    waiting[0]!.fail();
    await expect(first).rejects.toThrow('lost');
    await new Promise(setImmediate);
    waiting[1]!.answer();
    expect(await second).toBe(2);
  });
});
