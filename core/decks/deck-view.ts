import { type Static, Type } from 'typebox';
import { actorNames } from '../access/actor-names.ts';
import type { Queryable } from '../db/pool.ts';
import { Actor, Id, nullable, oneOf, Time } from '../input/shapes.ts';
import type { DeckKey } from '../keys.ts';
import { type DeckCounters, dealtOfDeck } from './deck-counter-rules.ts';

/** A deck as callers see it. */
export const DeckView = Type.Object({
  id: Id,
  kind: oneOf(['generated', 'uploaded']),
  name: nullable(
    Type.String({
      description: 'What the upload called itself. Null where it did not, and for a generated deck.',
      examples: ['summer-codes.csv'],
    }),
  ),
  pattern: nullable(
    Type.String({
      description: 'The pattern of a generated deck, in upper case. Null for an uploaded one.',
      examples: ['BF26-####-####'],
    }),
  ),
  size: Type.Integer({ minimum: 0, description: 'All its codes. What is left is size - dealt - voided.' }),
  dealt: Type.Integer({ minimum: 0, description: 'Codes that were assigned to a user, in whatever state since.' }),
  voided: Type.Integer({ minimum: 0, description: 'Codes that were voided before anyone had them.' }),
  createdAt: Time,
  voidedAt: nullable({
    ...Time,
    description:
      'When what was left of the deck was voided. Null where that did not happen, where nothing was left any more, and where an earlier version did it.',
  }),
  voidedBy: nullable({ ...Actor, description: 'Who did that, as events name their actor. Null with `voidedAt`.' }),
  voidedReason: nullable(
    Type.String({ description: 'The reason that was given. Null with `voidedAt`, and where none was given.' }),
  ),
});
export type DeckView = Static<typeof DeckView>;

/** A deck's row as deckSelection reads it. */
export interface DeckRow
  extends DeckCounters,
    Pick<DeckView, 'id' | 'kind' | 'name' | 'pattern' | 'voidedBy' | 'voidedReason'> {
  deckKey: DeckKey;
  createdAt: Date;
  voidedAt: Date | null;
}

/** Reads DeckRows of the tenant $1 out of a table or a subquery; a where clause follows. */
export const deckSelection = (decks: string) => `select d.deck_id as "deckKey", d.id, d.kind, d.name, d.size,
  d.next_pos as "nextPos", d.taken_ahead as "takenAhead", d.voided, d.created_at as "createdAt",
  d.voided_at as "voidedAt", d.voided_by as "voidedBy", d.voided_reason as "voidedReason",
  (select p.template from code_patterns p where p.tenant_id = $1 and p.pattern_id = d.pattern_id) as pattern
  from ${decks} as d`;

/** Rows as callers see them, in their order. */
export async function viewDecks(db: Queryable, tenantId: number, rows: readonly DeckRow[]): Promise<DeckView[]> {
  const actors = rows.flatMap(({ voidedBy }) => voidedBy ?? []);
  const names = await actorNames(db, tenantId, actors);
  return rows.map((row) => {
    const { id, kind, name, pattern, size, voided, voidedReason } = row;
    return {
      id,
      kind,
      name,
      pattern,
      size,
      dealt: dealtOfDeck(row),
      voided,
      createdAt: row.createdAt.toISOString(),
      voidedAt: row.voidedAt?.toISOString() ?? null,
      voidedBy: row.voidedBy === null ? null : names.get(row.voidedBy)!,
      voidedReason,
    };
  });
}
