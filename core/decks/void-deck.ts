import { findBook } from '../books/find-book.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { BookKey } from '../keys.ts';
import { isUuid } from '../uuid.ts';
import { lockDealers } from './dealer-lock.ts';
import { leftInDeck, voidWhatIsLeft } from './deck-counter-rules.ts';
import type { VoidDeckInput } from './deck-inputs.ts';
import { type DeckRow, type DeckView, deckSelection, viewDecks } from './deck-view.ts';

/** What the stored reply of a version says that knew none of these; it is kept for a day. */
const untold = { name: null, pattern: null, voidedAt: null, voidedBy: null, voidedReason: null };

/**
 * Voids what is undealt of a deck, whatever the book's state: as few statements for a large one, since a position
 * below the next one to deal without a coupon is a voided code. Coupons that were dealt or taken by name stay as they
 * are. Under the dealer's lock, so that no batch deals from the deck after the answer. A repeat is harmless. The
 * deck tells when, by whom and why it was voided: the first time, since a repeat finds nothing left.
 * @throws CouponError `idempotency-key-reused`; `book-not-found` and `deck-not-found`, for ids that are no UUIDs too
 */
export async function voidDeck(
  core: ColdCore & Pick<Core, 'knownBooks' | 'deckMarks'>,
  caller: Caller,
  bookId: string,
  deckId: string,
  { reason }: VoidDeckInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<DeckView>> {
  const { tenantId } = caller;
  const { body, replayed } = await runOnce(core, tenantId, keyed, 200, async (tx) => {
    const bookKey = await findBook(core, tenantId, bookId);
    await lockDealers(tx, tenantId, [bookKey]);
    const deck = await readDeck(tx, tenantId, bookKey, deckId);
    const voided = { ...deck, ...voidWhatIsLeft(deck) };
    // Before COMMIT: a leaked deck that a restore brings back would be dealt from again.
    await core.deckMarks.write({ decks: [[tenantId, deck.deckKey, voided.nextPos]] });
    await writeDeck(tx, tenantId, voided);
    // Where nothing was left nothing went void, and whoever voided it before stays who did it.
    const told = leftInDeck(deck) === 0 ? {} : await tellVoid(tx, tenantId, deck, caller.actor, reason ?? null);
    return (await viewDecks(tx, tenantId, [{ ...voided, ...told }]))[0]!;
  });
  return { body: { ...untold, ...body }, replayed };
}

async function readDeck(tx: Transaction, tenantId: number, bookKey: BookKey, deckId: string): Promise<DeckRow> {
  if (isUuid(deckId)) {
    const answer = await tx.query<DeckRow>({
      name: 'read-deck',
      text: `${deckSelection('decks')} where d.tenant_id = $1 and d.id = $2 and d.book_id = $3`,
      values: [tenantId, deckId, bookKey],
    });
    const row = answer.rows[0];
    if (row) return row;
  }
  throw refuse('deck-not-found', 'The book has no deck with this id.');
}

async function writeDeck(tx: Transaction, tenantId: number, deck: DeckRow): Promise<void> {
  await tx.query({
    name: 'write-deck',
    text: `update decks set next_pos = $3, taken_ahead = $4, voided = $5 where tenant_id = $1 and deck_id = $2`,
    values: [tenantId, deck.deckKey, deck.nextPos, deck.takenAhead, deck.voided],
  });
  await tx.query({
    name: 'forget-taken',
    text: 'delete from deck_taken where tenant_id = $1 and deck_id = $2 and pos < $3',
    values: [tenantId, deck.deckKey, deck.nextPos],
  });
}

async function tellVoid(
  tx: Transaction,
  tenantId: number,
  { deckKey, nextPos }: DeckRow,
  voidedBy: string,
  voidedReason: string | null,
): Promise<Pick<DeckRow, 'voidedAt' | 'voidedBy' | 'voidedReason'>> {
  const { rows } = await tx.query<{ voidedAt: Date }>({
    name: 'tell-void',
    text: `update decks set voided_at = date_trunc('milliseconds', clock_timestamp()), voided_from = $3, voided_by = $4,
        voided_reason = $5
      where tenant_id = $1 and deck_id = $2 returning voided_at as "voidedAt"`,
    values: [tenantId, deckKey, nextPos, voidedBy, voidedReason],
  });
  return { voidedAt: rows[0]!.voidedAt, voidedBy, voidedReason };
}
