import type { DeckKey } from '../keys.ts';
import type { Random } from '../random.ts';
import { leftInDeck } from './deck-counter-rules.ts';
import type { Place } from './place.ts';

/** A deck as a batch deals from it: read under the dealer's lock, changed in memory, written once. */
export interface DealtDeck {
  readonly deckKey: DeckKey;
  readonly size: number;
  /** The next position to deal. */
  nextPos: number;
  /** How many positions from nextPos on were taken by name. */
  takenAhead: number;
  /** How many of the deck's codes were voided by this batch before anyone had them. */
  voided: number;
  /** Positions from nextPos on that were taken; complete as far as this batch can come. */
  readonly taken: Set<number>;
  /** Positions that this batch took, for which there is no row yet. */
  readonly takenHere: Set<number>;
  /** Positions that this batch passed, whose rows are no longer wanted. */
  readonly passed: number[];
}

/**
 * Draws a uniformly random code of those left in all the decks: a deck with probability proportional to what is left in
 * it, and then its next position, since a deck's order is random already. Neither choice looks at a code's text, which
 * is why no code is likelier than another. Returns null when nothing is left.
 */
export function drawPlace(decks: DealtDeck[], random: Random): Place | null {
  const left = decks.reduce((sum, deck) => sum + leftInDeck(deck), 0);
  if (left === 0) return null;
  const deck = deckOfTicket(decks, random.below(left));
  while (deck.taken.has(deck.nextPos)) passTaken(deck);
  const pos = deck.nextPos;
  deck.nextPos += 1;
  return { deckKey: deck.deckKey, pos };
}

/** Takes a position that is still to be dealt out of the deal; `false` when it was dealt, voided or taken before. */
export function takePlace(deck: DealtDeck, pos: number): boolean {
  if (pos < deck.nextPos || deck.taken.has(pos)) return false;
  deck.taken.add(pos);
  deck.takenHere.add(pos);
  deck.takenAhead += 1;
  return true;
}

function deckOfTicket(decks: DealtDeck[], ticket: number): DealtDeck {
  let rest = ticket;
  for (const deck of decks) {
    if (rest < leftInDeck(deck)) return deck;
    rest -= leftInDeck(deck);
  }
  throw new RangeError('a ticket is beyond what is left');
}

function passTaken(deck: DealtDeck): void {
  const pos = deck.nextPos;
  deck.taken.delete(pos);
  if (!deck.takenHere.delete(pos)) deck.passed.push(pos);
  deck.nextPos += 1;
  deck.takenAhead -= 1;
}
