import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { leftInDeck } from '../../core/decks/deck-counter-rules.ts';
import { type DealtDeck, drawPlace, takePlace } from '../../core/decks/draw-rules.ts';
import type { DeckKey } from '../../core/keys.ts';
import type { Random } from '../../core/random.ts';

function openDeck(deckKey: number, size: number, nextPos = 0, taken: number[] = []): DealtDeck {
  const ahead = new Set(taken);
  return {
    deckKey: deckKey as DeckKey,
    size,
    nextPos,
    takenAhead: ahead.size,
    voided: 0,
    taken: ahead,
    takenHere: new Set(),
    passed: [],
  };
}

/** Draws the tickets that it is given; a bound that does not fit is an error of the test. */
function tickets(list: number[]): Random & { bounds: number[] } {
  const bounds: number[] = [];
  return {
    bounds,
    bytes: () => Buffer.alloc(0),
    below: (bound) => {
      bounds.push(bound);
      const ticket = list.shift();
      if (ticket === undefined || ticket >= bound) throw new RangeError('the test has no such ticket');
      return ticket;
    },
  };
}

/** Runs `play` once for every sequence of tickets that it can ask for; all sequences are equally likely. */
function forEveryTicket(play: (random: Random) => void): void {
  const path: { ticket: number; bound: number }[] = [];
  for (;;) {
    let step = 0;
    play({
      bytes: () => Buffer.alloc(0),
      below: (bound) => {
        if (step === path.length) path.push({ ticket: 0, bound });
        const { ticket, bound: known } = path[step]!;
        expect(bound).toBe(known);
        step += 1;
        return ticket;
      },
    });
    while (path.length > 0 && path.at(-1)!.ticket + 1 === path.at(-1)!.bound) path.pop();
    if (path.length === 0) return;
    path.at(-1)!.ticket += 1;
  }
}

function permutations<T>(items: T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}

describe('drawing', () => {
  test('a deck is chosen by exactly as many tickets as it has codes left', () => {
    const left = [3, 0, 4, 5];
    const chosen = Array.from({ length: 12 }, (_, ticket) => {
      const decks = [openDeck(1, 5, 2), openDeck(2, 2, 2), openDeck(3, 7, 1, [3, 6]), openDeck(4, 5)];
      return drawPlace(decks, tickets([ticket]))!.deckKey;
    });
    expect([1, 2, 3, 4].map((deckKey) => chosen.filter((id) => id === deckKey).length)).toEqual(left);
  });

  test('it looks at no code: with each deck in each order, every order of draws is equally likely', () => {
    const counts = new Map<string, number>();
    for (const first of permutations(['a', 'b'])) {
      for (const second of permutations(['c', 'd', 'e'])) {
        forEveryTicket((random) => {
          const decks = [openDeck(1, 2), openDeck(2, 3)];
          let order = '';
          for (let place = drawPlace(decks, random); place !== null; place = drawPlace(decks, random)) {
            order += (place.deckKey === 1 ? first : second)[place.pos];
          }
          counts.set(order, (counts.get(order) ?? 0) + 1);
        });
      }
    }
    expect(counts.size).toBe(120);
    // The tickets are 5 × 4 × 3 × 2 × 1 for each of the 2! × 3! pairs of decks.
    expect(new Set(counts.values())).toEqual(new Set([(120 * 12) / 120]));
  });

  test('a code taken by name leaves every order of the others equally likely', () => {
    const counts = new Map<string, number>();
    for (const first of permutations(['a', 'b', 'c'])) {
      forEveryTicket((random) => {
        const decks = [openDeck(1, 3), openDeck(2, 1)];
        takePlace(decks[0]!, first.indexOf('b'));
        let order = '';
        for (let place = drawPlace(decks, random); place !== null; place = drawPlace(decks, random)) {
          order += place.deckKey === 1 ? first[place.pos] : 'd';
        }
        counts.set(order, (counts.get(order) ?? 0) + 1);
      });
    }
    expect([...counts.keys()].sort()).toEqual(
      permutations(['a', 'c', 'd'])
        .map((order) => order.join(''))
        .sort(),
    );
    expect(new Set(counts.values()).size).toBe(1);
  });

  test('it passes positions that were taken, and forgets them', () => {
    const deck = openDeck(1, 6, 1, [1, 2, 4]);
    expect(drawPlace([deck], tickets([0]))).toEqual({ deckKey: 1, pos: 3 });
    expect(deck).toMatchObject({ nextPos: 4, takenAhead: 1, passed: [1, 2] });
    expect(drawPlace([deck], tickets([0]))).toEqual({ deckKey: 1, pos: 5 });
    expect(deck).toMatchObject({ nextPos: 6, takenAhead: 0, passed: [1, 2, 4] });
    expect(drawPlace([deck], tickets([]))).toBeNull();
  });

  test('what this batch took itself leaves no row to delete', () => {
    const deck = openDeck(1, 3);
    takePlace(deck, 0);
    expect(drawPlace([deck], tickets([0]))).toEqual({ deckKey: 1, pos: 1 });
    expect(deck).toMatchObject({ passed: [], takenHere: new Set(), takenAhead: 0 });
  });

  test('nothing left is null, and no ticket is drawn', () => {
    expect(drawPlace([], tickets([]))).toBeNull();
    expect(drawPlace([openDeck(1, 4, 2, [2, 3]), openDeck(2, 0)], tickets([]))).toBeNull();
  });

  test('ten billion codes in each of three decks are drawn from without rounding', () => {
    const decks = [1, 2, 3].map((deckKey) => openDeck(deckKey, 10_000_000_000));
    expect(drawPlace(decks, tickets([29_999_999_999]))).toEqual({ deckKey: 3, pos: 0 });
    expect(drawPlace(decks, tickets([9_999_999_999]))).toEqual({ deckKey: 1, pos: 0 });
    expect(drawPlace(decks, tickets([9_999_999_999]))).toEqual({ deckKey: 2, pos: 0 });
  });
});

describe('taking by name', () => {
  test('a position is taken once, and not after it was dealt', () => {
    const deck = openDeck(1, 5, 2, [3]);
    expect([0, 1, 3].map((pos) => takePlace(deck, pos))).toEqual([false, false, false]);
    expect(takePlace(deck, 4)).toBe(true);
    expect(takePlace(deck, 4)).toBe(false);
    expect(leftInDeck(deck)).toBe(1);
  });
});

test('whatever is drawn and taken in whatever order, every code leaves once and what is left is exact', () => {
  const action = fc.oneof(
    fc.record({ draw: fc.nat(1_000_000) }),
    fc.record({ deck: fc.nat(3), pos: fc.nat(12), newBatch: fc.boolean() }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
      fc.array(action, { maxLength: 60 }),
      (sizes, actions) => {
        const decks = sizes.map((size, index) => openDeck(index, size));
        const gone = new Set<string>();
        const all = sizes.reduce((sum, size) => sum + size, 0);
        for (const action of actions) {
          if ('draw' in action) {
            const left = all - gone.size;
            const place = drawPlace(decks, tickets(left === 0 ? [] : [action.draw % left]));
            expect(place === null).toBe(left === 0);
            if (place === null) continue;
            expect(place.pos).toBeLessThan(decks[place.deckKey]!.size);
            expect(gone.has(`${place.deckKey} ${place.pos}`)).toBe(false);
            gone.add(`${place.deckKey} ${place.pos}`);
          } else {
            const deck = decks[action.deck];
            if (deck === undefined || action.pos >= deck.size) continue;
            expect(takePlace(deck, action.pos)).toBe(!gone.has(`${action.deck} ${action.pos}`));
            gone.add(`${action.deck} ${action.pos}`);
            if (action.newBatch) deck.takenHere.clear();
          }
          expect(decks.reduce((sum, deck) => sum + leftInDeck(deck), 0)).toBe(all - gone.size);
        }
      },
    ),
    { numRuns: 300 },
  );
});
