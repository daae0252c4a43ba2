import type { Transaction } from '../db/transaction.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import { type IdSource, newId } from '../random.ts';

/** A deck about to be published. */
export interface NewDeck {
  /** The deck's id where its codes were stored under it already; null: the next one. */
  readonly deckKey: DeckKey | null;
  readonly bookKey: BookKey;
  /** Codes, 0 and up. */
  readonly size: number;
  /** For a generated deck: its part of a pattern's sequence. Null for an uploaded one. */
  readonly sequence: { patternId: number; firstIndex: number } | null;
  /** What the upload called itself; null where it did not, and for a generated deck. */
  readonly name: string | null;
}

/**
 * Publishes a deck: with COMMIT all of its codes are there at once. To be called under the tenant's lock
 * (lockTenantCodes) and behind the book's closed gate.
 * @returns the UUID under which clients know the deck
 */
export async function insertDeck(ids: IdSource, tx: Transaction, tenantId: number, deck: NewDeck): Promise<string> {
  const id = newId(ids);
  await tx.query({
    name: 'insert-deck',
    text: `insert into decks (tenant_id, deck_id, id, book_id, kind, size, pattern_id, first_index, name, created_at)
      overriding system value
      values ($1, coalesce($2::int, nextval(pg_get_serial_sequence('decks', 'deck_id'))), $3, $4,
        case when $6::int is null then 'uploaded' else 'generated' end, $5, $6, $7, $8,
        date_trunc('milliseconds', clock_timestamp()))`,
    values: [
      tenantId,
      deck.deckKey,
      id,
      deck.bookKey,
      deck.size,
      deck.sequence?.patternId ?? null,
      deck.sequence?.firstIndex ?? null,
      deck.name,
    ],
  });
  return id;
}

/** Takes a deck's id ahead of its publication, under the tenant's lock, so that its codes can be stored under it. */
export async function reserveDeckKey(tx: Transaction): Promise<DeckKey> {
  const answer = await tx.query<{ deck_id: DeckKey }>({
    name: 'reserve-deck-id',
    text: `select nextval(pg_get_serial_sequence('decks', 'deck_id'))::int as deck_id`,
    values: [],
  });
  return answer.rows[0]!.deck_id;
}
