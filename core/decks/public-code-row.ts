import type { BookKey, DeckKey } from '../keys.ts';

/**
 * A public code has its row among the uploaded codes, whose key keeps every code of a tenant unique and which is where
 * codes are looked up. In place of a deck it names its book, as a negative number: no deck has one.
 */
export function rowOf(bookKey: BookKey): DeckKey {
  return -bookKey as DeckKey;
}

/** The book of whose public code this is the row; null for a row of an uploaded deck. */
export function bookOfRow(deckKey: DeckKey): BookKey | null {
  return deckKey < 0 ? (-deckKey as BookKey) : null;
}
