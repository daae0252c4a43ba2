import type pg from 'pg';
import { closeGateInTurns } from '../books/close-gate-in-turns.ts';
import { bookNotFound, readBookRow } from '../books/read-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import { openPool } from '../db/pool.ts';
import { retryTransaction } from '../db/retry-transaction.ts';
import { loggable } from '../db/sql-errors.ts';
import { inTransaction, type Transaction } from '../db/transaction.ts';
import { lockDealers } from '../decks/dealer-lock.ts';
import { blockSeparator } from '../decks/deck-block-rules.ts';
import { rowOf } from '../decks/public-code-row.ts';
import { lockTenantCodes } from '../decks/tenant-codes-lock.ts';
import { refuse } from '../errors.ts';
import type { BookKey, DeckKey } from '../keys.ts';

type DeleteCore = Pick<Core, 'config' | 'log' | 'random' | 'knownBooks' | 'knownPatterns' | 'uploadSlots'>;

/** Codes go so many blocks at a time, 64 in each, so that no statement takes long. */
const blocksAtOnce = 256;
const statementTimeoutMillis = 60_000;
/** It waits for the tenant's uploads that publish their codes, as they wait for one another. */
const lockTimeoutMillis = 60_000;

/**
 * Deletes a draft from which nothing was ever assigned, with its decks and their codes, in one transaction: all of it
 * or nothing. Its uploaded codes can be uploaded again. Numbers of a pattern that it had are not used again; a pattern
 * of which no deck is left goes too, with its key. A million uploaded codes take some seconds, in which the tenant's
 * other uploads wait; so it takes the tenant's turn among them, and a connection of its own as they do.
 *
 * Whoever was inside the book's gate before is done; whoever comes later finds no book. Other processes may still know
 * its internal id, which is never used again (test: "racing with uploads, generating, activation and assigning in
 * several processes, a deletion leaves all of the book or nothing").
 * @throws CouponError `book-not-found`, for an id that is no UUID and for a book that was deleted before; `conflict`
 *   where the book is not a draft, or somebody was given a code of it; `unavailable`
 */
export async function deleteBook(core: DeleteCore, caller: Caller, bookId: string): Promise<void> {
  const { tenantId } = caller;
  const bookKey = await core.knownBooks.presentBookKeyOf(tenantId, bookId);
  if (bookKey === null) throw bookNotFound();
  const giveBack = await core.uploadSlots.take(tenantId);
  const pool = openOwnPool(core);
  try {
    await retryTransaction(core.random, () => inTransaction(pool, (tx) => remove(tx, tenantId, bookKey)));
    core.log.info({ bookId, actor: caller.actor }, 'deleted a draft of a book');
  } finally {
    await pool.end();
    giveBack();
  }
  // This process forgets at once; others find out when they next read by what they know.
  await core.knownBooks.presentBookKeyOf(tenantId, bookId);
  core.knownPatterns.forget(tenantId);
}

function openOwnPool({ config, log }: Pick<Core, 'config' | 'log'>): pg.Pool {
  return openPool(config.database, {
    max: 1,
    applicationName: 'qurable delete',
    plans: 'by-key',
    statementTimeoutMillis,
    lockTimeoutMillis,
    answerTimeoutMillis: 2 * statementTimeoutMillis,
    onError: (error) => log.warn({ error: loggable(error) }, 'the connection of a deletion was lost'),
  });
}

/** The locks in the order of all: the tenant's codes, the gate, the dealer. */
async function remove(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  await lockTenantCodes(tx, tenantId);
  await closeGateInTurns(tx, tenantId, bookKey);
  await lockDealers(tx, tenantId, [bookKey]);
  const { status } = await readBookRow(tx, tenantId, bookKey);
  if (status !== 'draft') {
    const detail = `The book is ${status}, and only a draft can be deleted. Set it to closed instead.`;
    throw refuse('conflict', detail, { reason: 'book-status' });
  }
  const decks = await readDecks(tx, tenantId, bookKey);
  const deckKeys = decks.map(({ deckKey }) => deckKey);
  await refuseAssigned(tx, tenantId, deckKeys);
  await deleteVoided(tx, tenantId, bookKey, deckKeys);
  for (const { deckKey, kind } of decks) if (kind === 'uploaded') await deleteCodes(tx, tenantId, deckKey);
  await deleteRows(tx, tenantId, bookKey);
  const patternIds = decks.flatMap(({ patternId }) => patternId ?? []);
  await deletePatterns(tx, tenantId, [...new Set(patternIds)]);
}

interface DeckToDelete {
  deckKey: DeckKey;
  kind: 'generated' | 'uploaded';
  patternId: number | null;
}

async function readDecks(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<DeckToDelete[]> {
  const { rows } = await tx.query<DeckToDelete>({
    name: 'decks-to-delete',
    text: `select deck_id as "deckKey", kind, pattern_id as "patternId" from decks
      where tenant_id = $1 and book_id = $2 order by deck_id`,
    values: [tenantId, bookKey],
  });
  return rows;
}

/**
 * No book becomes a draft again, so a draft has dealt nothing. It is checked all the same: a mistake here would delete
 * somebody's coupon.
 */
async function refuseAssigned(tx: Transaction, tenantId: number, deckKeys: DeckKey[]): Promise<void> {
  const { rows } = await tx.query<{ assigned: boolean }>({
    name: 'is-anything-assigned',
    text: `select exists (
      select from coupons where tenant_id = $1 and deck_id = any($2::int[]) and holder_id is not null) as assigned`,
    values: [tenantId, deckKeys],
  });
  if (!rows[0]!.assigned) return;
  const detail = 'Codes of the book were assigned, and what became of them is kept. Set it to closed instead.';
  throw refuse('conflict', detail, { reason: 'book-in-use' });
}

/**
 * Codes that were voided one by one have coupons of nobody, with an event, a count in reports and perhaps a key that
 * replays it. Counting waits meanwhile: it would count events again that are about to go.
 */
async function deleteVoided(tx: Transaction, tenantId: number, bookKey: BookKey, deckKeys: DeckKey[]): Promise<void> {
  const { rowCount } = await tx.query({
    name: 'delete-coupons-of-decks',
    text: 'delete from coupons where tenant_id = $1 and deck_id = any($2::int[])',
    values: [tenantId, deckKeys],
  });
  if (rowCount === 0) return;
  await tx.query('select from counted_events for update');
  for (const table of ['events', 'deck_taken', 'idempotency']) {
    await tx.query(`delete from ${table} where tenant_id = $1 and deck_id = any($2::int[])`, [tenantId, deckKeys]);
  }
  await tx.query('delete from event_counts where tenant_id = $1 and book_id = $2', [tenantId, bookKey]);
}

/** By way of the blocks, which say which codes stand in a deck: codes are looked up by their texts. */
async function deleteCodes(tx: Transaction, tenantId: number, deckKey: DeckKey): Promise<void> {
  for (let deleted = blocksAtOnce; deleted === blocksAtOnce; ) {
    const { rows } = await tx.query<{ deleted: number }>({
      name: 'delete-blocks',
      text: `with block as (
          delete from deck_blocks where tenant_id = $1 and deck_id = $2 and block = any(array(
            select block from deck_blocks where tenant_id = $1 and deck_id = $2 order by block limit $3))
          returning codes),
        code as (
          delete from deck_codes where tenant_id = $1 and deck_id = $2 and code in (
            select unnest(string_to_array(codes, $4)) from block))
        select count(*)::int as deleted from block`,
      values: [tenantId, deckKey, blocksAtOnce, blockSeparator],
    });
    deleted = rows[0]!.deleted;
  }
}

/** What every book has, its public code, and what is kept of it for webhooks, which are told nothing of drafts. */
async function deleteRows(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  await tx.query(
    'delete from deck_codes where tenant_id = $1 and deck_id = $2 and code = (select public_code from books where tenant_id = $1 and book_id = $3)',
    [tenantId, rowOf(bookKey), bookKey],
  );
  for (const table of [
    'decks',
    'dealers',
    'book_counters',
    'book_revisions',
    'stock_changes',
    'webhook_books',
    'books',
  ]) {
    await tx.query(`delete from ${table} where tenant_id = $1 and book_id = $2`, [tenantId, bookKey]);
  }
}

/**
 * Those of the patterns of which no deck is left. Processes know a pattern by its decks: one without any would no
 * longer keep its codes from being uploaded, and then produce them.
 */
async function deletePatterns(tx: Transaction, tenantId: number, patternIds: number[]): Promise<void> {
  await tx.query({
    name: 'delete-patterns-without-decks',
    text: `delete from code_patterns p where tenant_id = $1 and pattern_id = any($2::int[]) and not exists (
      select from decks d where d.tenant_id = $1 and d.pattern_id = p.pattern_id)`,
    values: [tenantId, patternIds],
  });
}
