import { type Static, Type } from 'typebox';
import { Id, oneOf, Time } from '../input/shapes.ts';
import type { DeckKey } from '../keys.ts';
import { type DeckCounters, dealtOfDeck } from './deck-counter-rules.ts';

/** A deck as callers see it. */
export const DeckView = Type.Object({
  id: Id,
  kind: oneOf(['generated', 'uploaded']),
  size: Type.Integer({ minimum: 0, description: 'All its codes. What is left is size - dealt - voided.' }),
  dealt: Type.Integer({ minimum: 0, description: 'Codes that were assigned to a user, in whatever state since.' }),
  voided: Type.Integer({ minimum: 0, description: 'Codes that were voided before anyone had them.' }),
  createdAt: Time,
});
export type DeckView = Static<typeof DeckView>;

/** A deck's row as deckSelection reads it. */
export interface DeckRow extends DeckCounters, Pick<DeckView, 'id' | 'kind'> {
  deckKey: DeckKey;
  createdAt: Date;
}

/** Reads DeckRows out of a table or a subquery; a where clause follows. */
export const deckSelection = (decks: string) => `select deck_id as "deckKey", id, kind, size, next_pos as "nextPos",
  taken_ahead as "takenAhead", voided, created_at as "createdAt" from ${decks}`;

/** A row as callers see it. */
export function viewDeck(row: DeckRow): DeckView {
  const { id, kind, size, voided } = row;
  return { id, kind, size, dealt: dealtOfDeck(row), voided, createdAt: row.createdAt.toISOString() };
}
