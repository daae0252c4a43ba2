import type { DeckKey } from '../keys.ts';
import { type DeckCounters, dealtOfDeck } from './deck-counter-rules.ts';

/** A deck as the API shows it. What is left in it is size - dealt - voided. */
export interface DeckView {
  id: string;
  kind: 'generated' | 'uploaded';
  size: number;
  dealt: number;
  voided: number;
  /** RFC 3339 in UTC with milliseconds. */
  createdAt: string;
}

/** A deck's row as deckSelection reads it. */
export interface DeckRow extends DeckCounters {
  deckKey: DeckKey;
  id: string;
  kind: 'generated' | 'uploaded';
  createdAt: Date;
}

/** Reads DeckRows out of a table or a subquery; a where clause follows. */
export const deckSelection = (decks: string) => `select deck_id as "deckKey", id, kind, size, next_pos as "nextPos",
  taken_ahead as "takenAhead", voided, created_at as "createdAt" from ${decks}`;

/** Shows a deck. */
export function viewDeck(row: DeckRow): DeckView {
  const { id, kind, size, voided } = row;
  return { id, kind, size, dealt: dealtOfDeck(row), voided, createdAt: row.createdAt.toISOString() };
}
