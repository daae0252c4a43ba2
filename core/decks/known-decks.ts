import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import type { Queryable } from '../db/pool.ts';
import type { BookKey, DeckKey } from '../keys.ts';

/** What never changes of a deck. How much of it is dealt does change, and is read under the dealer's lock instead. */
export interface KnownDeck {
  readonly tenantId: number;
  readonly deckKey: DeckKey;
  /** The UUID under which clients know the deck. */
  readonly deckId: string;
  readonly bookKey: BookKey;
  readonly kind: 'generated' | 'uploaded';
  /** The pattern whose sequence a generated deck is a part of; null for an uploaded one. */
  readonly patternId: number | null;
  /** The sequence number of a generated deck's position 0; null for an uploaded one. */
  readonly firstIndex: number | null;
  /** Codes in the deck, 0 and up. */
  readonly size: number;
}

/**
 * A bounded memory of decks. A deck is immutable, so what was read once stays true. It is deleted with a book of which
 * nothing was dealt, and its number is not used again: nothing then leads to what is remembered of it. A deck that is
 * not remembered is read, through the connection given, so that a caller inside a transaction needs no second one.
 */
export interface KnownDecks {
  /** Those of the decks that exist, by id; at most one statement whatever their number. */
  decksOf(
    queryable: Queryable,
    tenantId: number,
    deckKeys: readonly DeckKey[],
  ): Promise<ReadonlyMap<DeckKey, KnownDeck>>;
}

/** Opens an empty memory of at most cacheMaxEntries decks. What was not found is not remembered: it may come yet. */
export function openKnownDecks(): KnownDecks {
  const memory = new BoundedMap<string, KnownDeck>(cacheMaxEntries);

  return {
    async decksOf(queryable, tenantId, deckKeys) {
      const found = new Map<DeckKey, KnownDeck>();
      const missing = new Set<DeckKey>();
      for (const deckKey of deckKeys) {
        const deck = memory.get(keyOf(tenantId, deckKey));
        if (deck) found.set(deckKey, deck);
        else missing.add(deckKey);
      }
      if (missing.size === 0) return found;
      for (const deck of await readDecks(queryable, tenantId, [...missing])) {
        memory.set(keyOf(deck.tenantId, deck.deckKey), deck);
        found.set(deck.deckKey, deck);
      }
      return found;
    },
  };
}

function keyOf(tenantId: number, deckKey: DeckKey): string {
  return `${tenantId}/${deckKey}`;
}

async function readDecks(queryable: Queryable, tenantId: number, deckKeys: DeckKey[]): Promise<KnownDeck[]> {
  const answer = await queryable.query<KnownDeck>({
    name: 'known-decks',
    text: `select tenant_id as "tenantId", deck_id as "deckKey", id as "deckId", book_id as "bookKey", kind,
                  pattern_id as "patternId", first_index as "firstIndex", size
             from unnest($2::int[]) as asked (deck)
             cross join lateral (select * from decks where tenant_id = $1 and deck_id = asked.deck limit 1) as d`,
    values: [tenantId, deckKeys],
  });
  return answer.rows;
}
