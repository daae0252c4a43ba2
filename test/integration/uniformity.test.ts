import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { leftInDeck } from '../../core/decks/deck-counter-rules.ts';
import { type DealtDeck, drawPlace } from '../../core/decks/draw-rules.ts';
import { assignCode, assignCoupon, createBook, generateCodes, systemRandom } from '../../core/index.ts';
import type { DeckKey } from '../../core/keys.ts';
import { uploadCodes } from '../../core/uploads/upload-codes.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';

/** Drawn a batch at a time: within one the order of the answers is the order of the draws. */
const batch = 250;
const bins = 10;

/**
 * Pearson's chi-square of draw order against code, both cut into ten equal parts: a table of 10 × 10 in which every
 * cell should hold about a hundredth. Under a uniformly random order it is distributed as chi-square with 81 degrees of
 * freedom (times n / (n - 1), the margins being fixed).
 */
function orderStatistic(drawn: string[]): number {
  const byCode = new Map([...drawn].sort().map((code, rank) => [code, rank]));
  const binOf = (rank: number) => Math.floor((rank * bins) / drawn.length);
  const cells = Array.from({ length: bins }, () => new Array<number>(bins).fill(0));
  for (const [draw, code] of drawn.entries()) cells[binOf(draw)]![binOf(byCode.get(code)!)]! += 1;
  const margin = Array.from({ length: bins }, (_, bin) => drawn.filter((_code, rank) => binOf(rank) === bin).length);
  let sum = 0;
  for (let row = 0; row < bins; row += 1) {
    for (let column = 0; column < bins; column += 1) {
      const expected = (margin[row]! * margin[column]!) / drawn.length;
      sum += (cells[row]![column]! - expected) ** 2 / expected;
    }
  }
  return (sum * (drawn.length - 1)) / drawn.length;
}

/**
 * Chi-square of which codes were drawn at all, when some are left: drawn against code, in ten parts, 9 degrees of
 * freedom (with the correction for drawing without replacement).
 */
function selectionStatistic(drawn: string[], all: string[]): number {
  const chosen = new Set(drawn);
  const sorted = [...all].sort();
  const share = drawn.length / all.length;
  let sum = 0;
  for (let bin = 0; bin < bins; bin += 1) {
    const codes = sorted.slice((bin * all.length) / bins, ((bin + 1) * all.length) / bins);
    const expected = codes.length * share;
    sum += (codes.filter((code) => chosen.has(code)).length - expected) ** 2 / (expected * (1 - share));
  }
  return (sum * (all.length - 1)) / all.length;
}

/**
 * The value that chi-square passes one time in ten million (Wilson and Hilferty's approximation): with the ten looks
 * that this file takes, a false alarm comes less than once in a million runs.
 */
function oneInTenMillion(freedom: number): number {
  const deviations = 5.1993;
  return freedom * (1 - 2 / (9 * freedom) + deviations * Math.sqrt(2 / (9 * freedom))) ** 3;
}

const orderLimit = oneInTenMillion((bins - 1) ** 2);
const selectionLimit = oneInTenMillion(bins - 1);

let testCore: TestCore;

beforeAll(async () => {
  testCore = await openTestCore('uniformity');
});
afterAll(() => testCore.close());

async function openBook(name: string): Promise<string> {
  const { body } = await createBook(testCore.core, admin, { name, status: 'active' }, null);
  return body.id;
}

async function generate(bookId: string, count: number, pattern: string): Promise<string[]> {
  const { body } = await generateCodes(testCore.core, admin, bookId, { count, pattern }, null);
  return codesOfDeck(testCore.core, 1, body.deckId);
}

/** Uploads codes in ascending order, so that a deck in the order of its file would be one in the order of its codes. */
async function upload(bookId: string, count: number, prefix: string): Promise<string[]> {
  const codes = Array.from({ length: count }, (_, index) => `${prefix}-${String(index).padStart(6, '0')}`);
  const body = Readable.from([JSON.stringify({ codes })]);
  const { body: deck } = await uploadCodes(testCore.core, admin, bookId, { format: 'json', body }, null);
  expect(deck.accepted).toBe(count);
  return codes;
}

async function draw(bookId: string, count: number): Promise<string[]> {
  const drawn: string[] = [];
  while (drawn.length < count) {
    const coupons = Array.from({ length: Math.min(batch, count - drawn.length) }, () =>
      patiently(() => assignCoupon(testCore.core, admin, { bookId, userId: 'u-1' })),
    );
    for (const { body } of await Promise.all(coupons)) drawn.push(body.code);
  }
  return drawn;
}

describe('chi-square of draw order against code stays below the value that chance passes one time in ten million', () => {
  test('in an uploaded deck', async () => {
    const bookId = await openBook('uploaded');
    await upload(bookId, 3000, 'UP');
    const drawn = await draw(bookId, 3000);
    expect(new Set(drawn).size).toBe(3000);
    expect(orderStatistic(drawn)).toBeLessThan(orderLimit);
  });

  test('in a generated deck', async () => {
    const bookId = await openBook('generated');
    await generate(bookId, 3000, 'GE-####-####');
    const drawn = await draw(bookId, 3000);
    expect(new Set(drawn).size).toBe(3000);
    expect(orderStatistic(drawn)).toBeLessThan(orderLimit);
  });

  test('in a book of three decks added at different times, with some codes taken by name', async () => {
    const bookId = await openBook('three decks');
    const left = new Set(await generate(bookId, 1500, 'M2-####-####'));
    /** Draws, and checks that what was drawn was chosen uniformly from all that was left. */
    const drawSome = async (count: number) => {
      const all = [...left];
      const drawn = await draw(bookId, count);
      for (const code of drawn) expect(left.delete(code)).toBe(true);
      expect(selectionStatistic(drawn, all)).toBeLessThan(selectionLimit);
      return drawn;
    };
    /** Takes codes that lie close together, so that any trace of them in the draws would show. */
    const takeSome = async (from: number, count: number) => {
      const named = [...left].sort().slice(from, from + count);
      await Promise.all(
        named.map((code) => patiently(() => assignCode(testCore.core, admin, code, { userId: 'u-2' }))),
      );
      for (const code of named) left.delete(code);
    };
    await takeSome(0, 150);
    await drawSome(300);
    for (const code of await upload(bookId, 1200, 'M1')) left.add(code);
    await takeSome(300, 150);
    await drawSome(300);
    for (const code of await generate(bookId, 900, 'M3-####-####')) left.add(code);
    await takeSome(1200, 150);
    await drawSome(300);
    const rest = left.size;
    const drawn = await draw(bookId, rest);
    expect([...drawn].sort()).toEqual([...left].sort());
    expect(orderStatistic(drawn)).toBeLessThan(orderLimit);
  });
});

describe('the same chi-square catches', () => {
  test('an uploaded deck that is dealt in the order of its file', async () => {
    const bookId = await openBook('file order');
    await upload(bookId, 1000, 'FO');
    await testCore.core.pool.query(
      `update deck_codes c set code = 'X' || c.code from decks d join books b on b.book_id = d.book_id
        where b.id = $1 and c.deck_id = d.deck_id`,
      [bookId],
    );
    await testCore.core.pool.query(
      `update deck_codes c set code = 'FO-' || lpad(c.pos::text, 6, '0') from decks d join books b on b.book_id = d.book_id
        where b.id = $1 and c.deck_id = d.deck_id`,
      [bookId],
    );
    await testCore.core.pool.query(
      `update deck_blocks k set codes = (
          select string_agg('FO-' || lpad(pos::text, 6, '0'), chr(10) order by pos)
          from generate_series(k.block * 64, least(k.block * 64 + 63, 999)) as pos)
        from decks d join books b on b.book_id = d.book_id where b.id = $1 and k.deck_id = d.deck_id`,
      [bookId],
    );
    expect(orderStatistic(await draw(bookId, 1000))).toBeGreaterThan(orderLimit);
  });

  test('an uploaded deck of which only the first tenth is out of place', () => {
    const codes = Array.from({ length: 3000 }, (_, index) => `C${String(index).padStart(6, '0')}`);
    const shuffled = shuffle(codes.slice(300));
    expect(orderStatistic(shuffle(codes))).toBeLessThan(orderLimit);
    expect(orderStatistic([...codes.slice(0, 300), ...shuffled])).toBeGreaterThan(orderLimit);
  });

  test('decks that are drawn from without regard to what is left in them', () => {
    const sizes = [1500, 1000, 500];
    const drawAll = (next: (decks: DealtDeck[]) => { deckKey: number; pos: number } | null) => {
      const decks = sizes.map((size, deckKey) => openDeck(deckKey, size));
      const order = sizes.map((size, deckKey) =>
        shuffle(Array.from({ length: size }, (_, index) => `D${deckKey}-${String(index).padStart(6, '0')}`)),
      );
      const drawn: string[] = [];
      for (let place = next(decks); place !== null; place = next(decks)) drawn.push(order[place.deckKey]![place.pos]!);
      return drawn;
    };
    const withoutWeights = (decks: DealtDeck[]) => {
      const open = decks.filter((deck) => leftInDeck(deck) > 0);
      if (open.length === 0) return null;
      return drawPlace([open[systemRandom.below(open.length)]!], systemRandom);
    };
    expect(orderStatistic(drawAll((decks) => drawPlace(decks, systemRandom)))).toBeLessThan(orderLimit);
    expect(orderStatistic(drawAll(withoutWeights))).toBeGreaterThan(orderLimit);
  });

  test('a choice that prefers some codes', () => {
    const all = Array.from({ length: 3000 }, (_, index) => `C${String(index).padStart(6, '0')}`);
    expect(selectionStatistic(shuffle(all).slice(0, 300), all)).toBeLessThan(selectionLimit);
    const preferred = [...shuffle(all.slice(0, 300)).slice(0, 80), ...shuffle(all.slice(300)).slice(0, 220)];
    expect(selectionStatistic(preferred, all)).toBeGreaterThan(selectionLimit);
  });
});

function openDeck(deckKey: number, size: number): DealtDeck {
  return {
    deckKey: deckKey as DeckKey,
    size,
    nextPos: 0,
    takenAhead: 0,
    voided: 0,
    taken: new Set(),
    takenHere: new Set(),
    passed: [],
  };
}

function shuffle<T>(items: T[]): T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at -= 1) {
    const other = systemRandom.below(at + 1);
    [shuffled[at], shuffled[other]] = [shuffled[other]!, shuffled[at]!];
  }
  return shuffled;
}

test('every invariant holds after it', async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
