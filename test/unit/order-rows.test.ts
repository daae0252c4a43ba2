import { createCipheriv } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../core/random.ts';
import { HeldRows } from '../../core/uploads/held-rows.ts';
import { orderByCode, shuffledOrder } from '../../core/uploads/order-rows.ts';

/** One for all, emptied each time: each has 33 MB, which the garbage collector would have to look after. */
const rows = new HeldRows(100);
function hold(codes: string[]): HeldRows {
  rows.count = 0;
  for (const [at, code] of codes.entries()) rows.add(at + 1, code);
  return rows;
}

const codeOf = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'-019AMZ_'), minLength, maxLength });

describe('orderByCode', () => {
  test('is the order of the C collation where 18 characters behind the common beginning tell codes apart', async () => {
    const codes = fc.tuple(codeOf(0, 40), fc.array(codeOf(1, 18), { maxLength: 60 }));
    await fc.assert(
      fc.asyncProperty(codes, async ([start, ends]) => {
        const all = ends.map((end) => start + end);
        const order = await orderByCode(hold(all));
        expect(Array.from(order, (row) => all[row])).toEqual([...all].sort());
      }),
    );
  });

  test('names every row once, whatever the codes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(codeOf(4, 64), { maxLength: 60 }), async (codes) => {
        const order = await orderByCode(hold(codes));
        expect([...order].sort((a, b) => a - b)).toEqual(codes.map((_, row) => row));
      }),
    );
  });
});

describe('HeldRows', () => {
  test('knows equal codes and no others for equal', () => {
    fc.assert(
      fc.property(codeOf(1, 6), codeOf(1, 6), (a, b) => {
        hold([a, b, a]);
        expect(rows.isSameCode(0, 1)).toBe(a === b);
        expect(rows.isSameCode(0, 2)).toBe(true);
        expect([rows.code(0), rows.code(1), rows.lines[2]]).toEqual([a, b, 3]);
      }),
    );
  });
});

describe('shuffledOrder', () => {
  test('names everything once', () => {
    for (const count of [0, 1, 2, 100_000]) {
      expect([...shuffledOrder(count, systemRandom)].sort((a, b) => a - b)).toEqual(
        Array.from({ length: count }, (_, k) => k),
      );
    }
  });

  test('makes each of the 24 orders of four things equally often, by chi-square', () => {
    const runs = 48_000;
    const seen = new Map<string, number>();
    // One source for all runs, since each shuffle of four would otherwise draw 65,536 bytes; and the same bytes each
    // time, so that no draw of theirs decides.
    const keystream = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
    let bytes: Buffer = Buffer.alloc(0);
    const random = {
      ...systemRandom,
      bytes: () => {
        if (bytes.length < 16) bytes = keystream.update(Buffer.alloc(65_536));
        const taken = bytes.subarray(0, 16);
        bytes = bytes.subarray(16);
        return taken;
      },
    };
    for (let run = 0; run < runs; run += 1) {
      const order = shuffledOrder(4, random).join();
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const expected = runs / 24;
    const statistic = [...seen.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 23 degrees of freedom: of fair shuffles one in 70,000 such runs is beyond 63.
    expect(statistic).toBeLessThan(63);
  });
});
