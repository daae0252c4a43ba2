import type { DeckKey } from '../keys.ts';

/**
 * A position in a deck: `pos` counts from 0 and is below the deck's size. A code and its place determine each other.
 */
export interface Place {
  readonly deckKey: DeckKey;
  readonly pos: number;
}

/** A place as the key of a Map or a Set. */
export function placeMapKey({ deckKey, pos }: Place): string {
  return `${deckKey} ${pos}`;
}
