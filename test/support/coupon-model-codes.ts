import type { Core } from '../../core/core.ts';
import { codesAt } from '../../core/decks/codes-at.ts';
import type { DeckKey } from '../../core/keys.ts';

/** All codes of a deck in the order of its positions, which no client can see. Meant for decks of a test's size. */
export async function codesOfDeck(core: Core, tenantId: number, deckId: string): Promise<string[]> {
  const { rows } = await core.pool.query<{ deckKey: DeckKey; size: number }>(
    'select deck_id as "deckKey", size from decks where tenant_id = $1 and id = $2',
    [tenantId, deckId],
  );
  const deck = rows[0];
  if (deck === undefined) throw new Error(`the tenant has no deck ${deckId}`);
  const places = Array.from({ length: deck.size }, (_, pos) => ({ deckKey: deck.deckKey, pos }));
  return codesAt(core, core.pool, tenantId, places);
}
