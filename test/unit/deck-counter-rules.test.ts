import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { dealtOfDeck, leftInDeck, moveDeckTo, voidWhatIsLeft } from '../../core/decks/deck-counter-rules.ts';

/** Any deck that can be: positions before nextPos are coupons or voided, some after it are taken. */
const anyDeck = fc
  .tuple(fc.nat(1_000), fc.nat(1_000), fc.nat(1_000), fc.nat(1_000))
  .map(([dealt, voidedDealt, takenAhead, left]) => ({
    size: dealt + voidedDealt + takenAhead + left,
    nextPos: dealt + voidedDealt,
    takenAhead,
    voided: voidedDealt,
  }));

describe('a deck’s counters', () => {
  test('what was dealt, what is voided and what is left make the size', () => {
    fc.assert(
      fc.property(anyDeck, (deck) => {
        expect(dealtOfDeck(deck) + deck.voided + leftInDeck(deck)).toBe(deck.size);
      }),
    );
  });

  test('voiding what is left leaves nothing and what was dealt as it is, and once more changes nothing', () => {
    fc.assert(
      fc.property(anyDeck, (deck) => {
        const after = voidWhatIsLeft(deck);
        expect(leftInDeck(after)).toBe(0);
        expect(dealtOfDeck(after)).toBe(dealtOfDeck(deck));
        expect(voidWhatIsLeft(after)).toEqual(after);
      }),
    );
  });

  test('moving on voids the gap but for what was taken in it, and never goes back or past the end', () => {
    fc.assert(
      fc.property(anyDeck, fc.nat(5_000), fc.nat(1_000), (deck, target, taken) => {
        const to = Math.min(deck.size, Math.max(deck.nextPos, target));
        const takenInGap = Math.min(taken, deck.takenAhead, to - deck.nextPos);
        const after = moveDeckTo(deck, target, takenInGap);
        expect(after.nextPos).toBe(to);
        expect(dealtOfDeck(after)).toBe(dealtOfDeck(deck));
        expect(after.voided - deck.voided).toBe(to - deck.nextPos - takenInGap);
      }),
    );
  });
});
