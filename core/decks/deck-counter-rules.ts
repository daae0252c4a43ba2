/** The counters of a deck, as the database keeps them. */
export interface DeckCounters {
  /** Codes in the deck, 0 and up; never changes. */
  readonly size: number;
  /** The next position to deal. A position before it without a coupon is a voided code. */
  readonly nextPos: number;
  /** Positions from nextPos on that were taken by name. */
  readonly takenAhead: number;
  /** Codes that were voided before anyone had them. */
  readonly voided: number;
}

/** How many codes of the deck can still be dealt. */
export function leftInDeck({ size, nextPos, takenAhead }: DeckCounters): number {
  return size - nextPos - takenAhead;
}

/** How many codes of the deck went into somebody's hands; with those left and those voided that makes its size. */
export function dealtOfDeck(deck: DeckCounters): number {
  return deck.size - leftInDeck(deck) - deck.voided;
}

/** The deck with everything voided that was left. */
export function voidWhatIsLeft(deck: DeckCounters): DeckCounters {
  return { size: deck.size, nextPos: deck.size, takenAhead: 0, voided: deck.voided + leftInDeck(deck) };
}

/**
 * The deck moved on to `nextPos`, with the gap counted as voided but for the positions in it that were taken by name,
 * which are counted already. Never moves back or past the end.
 * @param takenInGap positions from deck.nextPos up to the new one that were taken by name
 */
export function moveDeckTo(deck: DeckCounters, nextPos: number, takenInGap: number): DeckCounters {
  const target = moveTarget(deck, nextPos);
  return {
    size: deck.size,
    nextPos: target,
    takenAhead: deck.takenAhead - takenInGap,
    voided: deck.voided + (target - deck.nextPos - takenInGap),
  };
}

/** Where a move to `nextPos` ends: not before where the deck is, and not after its end. */
export function moveTarget({ size, nextPos: current }: DeckCounters, nextPos: number): number {
  return Math.min(size, Math.max(current, nextPos));
}
