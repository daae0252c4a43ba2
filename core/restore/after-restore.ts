import type pg from 'pg';
import { type ChangeBookCore, changeBook } from '../book-life/change-book.ts';
import { parsePattern } from '../codes/pattern-rules.ts';
import type { Core } from '../core.ts';
import { renewLockTokens } from '../coupons/engine/lock-tokens.ts';
import { eventKindNumber } from '../coupons/rules/coupon-state.ts';
import type { Queryable } from '../db/pool.ts';
import { retryTransaction } from '../db/retry-transaction.ts';
import { inTransaction, type Transaction } from '../db/transaction.ts';
import { type CodeSource, codesAt } from '../decks/codes-at.ts';
import { lockDealers } from '../decks/dealer-lock.ts';
import { type DeckCounters, moveDeckTo, moveTarget } from '../decks/deck-counter-rules.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { FurthestMarks } from './read-deck-marks.ts';
import { restoreActor, restorer } from './resume-books.ts';

/** How far to move. */
export interface RestoreOrder {
  /** The marks that the log has of the time after the backup; null: none, so that only the margins protect. */
  marks: FurthestMarks | null;
  /**
   * Codes to void in every deck beyond its mark: as many as may have been dealt since the last mark that was kept.
   */
  margin: number;
  /** Sequence numbers to pass in every pattern beyond its mark. */
  patternMargin: number;
  /** false: everything is worked out in transactions that are rolled back, and nothing changes. */
  apply: boolean;
}

/** A deck that was moved. */
export interface MovedDeck {
  tenantId: number;
  /** The UUIDs of its book and its own. */
  bookId: string;
  deckId: string;
  size: number;
  /** The next position to deal, before and now. */
  from: number;
  to: number;
  /** Codes that this voided, and how many of them the margin alone did: nothing says that they were handed out. */
  voided: number;
  voidedByMargin: number;
}

/** What a restore's aftermath came to. Of an order that is not applied: what it would. */
export interface RestoreReport {
  /** UUIDs of the books that were active; they are paused now, if `apply` said so. */
  pausedBooks: string[];
  decks: MovedDeck[];
  patterns: { tenantId: number; template: string; from: number; to: number }[];
  /**
   * `tenantId/deckId`, internal, of decks that the log knows and the database does not: they were added after the
   * backup.
   */
  lostDecks: string[];
}

/** The parts of the core that a restore works with; no API runs meanwhile. */
export type RestoreCore = ChangeBookCore & CodeSource & Pick<Core, 'pool'>;

const reason = 'It may have been handed out after the backup that was restored.';

/**
 * Makes a database that went back in time safe to deal from: pauses every active book, and moves every deck past what
 * may have been dealt after the backup, and every pattern past what may have been generated. Codes in the gap are
 * voided: somebody may hold them, and nobody can tell who. To be run before traffic returns; the tasks must have been
 * started anew, since one from before remembers decks that are gone. Books stay paused until somebody looked
 * (resumeBooks).
 *
 * Each book is a transaction of its own, and all patterns are one, under the same locks as dealing and generating. A
 * repeat with the same marks changes nothing, but for the margin: where there is one, it is voided once more.
 */
export async function afterRestore(core: RestoreCore, order: RestoreOrder): Promise<RestoreReport> {
  const pausedBooks = await pauseBooks(core, order.apply);
  if (order.apply) await renewLockTokens(core.coldPool, core.random);
  const decks: MovedDeck[] = [];
  for (const book of await booksWithDecks(core.pool)) {
    decks.push(...(await moveDecksOfBook(core, book, order)));
  }
  return {
    pausedBooks,
    decks,
    patterns: await movePatterns(core.coldPool, order),
    lostDecks: await findLostDecks(core.pool, order),
  };
}

async function pauseBooks(core: RestoreCore, apply: boolean): Promise<string[]> {
  const { rows } = await core.pool.query<{ tenantId: number; id: string }>(
    `select tenant_id as "tenantId", id from books where status = 'active' order by tenant_id, book_id`,
  );
  for (const { tenantId, id } of apply ? rows : []) {
    await changeBook(core, restorer(tenantId), id, { status: 'paused' }, null);
  }
  return rows.map(({ id }) => id);
}

interface Book {
  tenantId: number;
  bookKey: BookKey;
  id: string;
}

async function booksWithDecks(pool: Queryable): Promise<Book[]> {
  const { rows } = await pool.query<Book>(
    `select distinct d.tenant_id as "tenantId", d.book_id as "bookKey", b.id
      from decks d join books b using (tenant_id, book_id) where d.next_pos < d.size order by 1, 2`,
  );
  return rows;
}

interface Deck extends DeckCounters {
  deckKey: DeckKey;
  id: string;
}

function moveDecksOfBook(
  core: CodeSource & Pick<RestoreCore, 'coldPool' | 'random'>,
  { tenantId, bookKey, id }: Book,
  order: RestoreOrder,
): Promise<MovedDeck[]> {
  const move = async (tx: Transaction) => {
    await lockDealers(tx, tenantId, [bookKey]);
    const moved: MovedDeck[] = [];
    for (const deck of await readDecks(tx, tenantId, bookKey)) {
      const mark = order.marks?.decks.get(`${tenantId}/${deck.deckKey}`) ?? 0;
      const marked = moveTarget(deck, mark);
      const after = await moveDeck(tx, tenantId, deck, marked + order.margin);
      const byName = await voidTaken(core, tx, tenantId, after, order.marks?.taken.get(`${tenantId}/${deck.deckKey}`));
      const voided = after.voided - deck.voided + byName;
      if (voided === 0 && after.nextPos === deck.nextPos) continue;
      const voidedByMargin = Math.min(voided, after.nextPos - marked);
      const { id: deckId, size, nextPos: from } = deck;
      moved.push({ tenantId, bookId: id, deckId, size, from, to: after.nextPos, voided, voidedByMargin });
    }
    return moved;
  };
  return retryTransaction(core.random, () => tryOut(core.coldPool, order.apply, move));
}

class RolledBack extends Error {
  readonly result: unknown;
  constructor(result: unknown) {
    super('rolled back, as it was to be tried out only');
    this.result = result;
  }
}

/** Runs `work` in a transaction, which is rolled back unless `apply` says otherwise; returns what `work` returned. */
async function tryOut<T>(pool: pg.Pool, apply: boolean, work: (tx: Transaction) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(pool, async (tx) => {
      const result = await work(tx);
      if (!apply) throw new RolledBack(result);
      return result;
    });
  } catch (error) {
    if (error instanceof RolledBack) return error.result as T;
    throw error;
  }
}

async function readDecks(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<Deck[]> {
  const { rows } = await tx.query<Deck>({
    name: 'decks-to-move',
    text: `select deck_id as "deckKey", id, size, next_pos as "nextPos", taken_ahead as "takenAhead", voided
      from decks where tenant_id = $1 and book_id = $2 and next_pos < size order by deck_id`,
    values: [tenantId, bookKey],
  });
  return rows;
}

async function moveDeck(tx: Transaction, tenantId: number, deck: Deck, nextPos: number): Promise<Deck> {
  const passed = await tx.query({
    name: 'pass-taken',
    text: 'delete from deck_taken where tenant_id = $1 and deck_id = $2 and pos < $3',
    values: [tenantId, deck.deckKey, moveTarget(deck, nextPos)],
  });
  const after = moveDeckTo(deck, nextPos, passed.rowCount ?? 0);
  await tx.query({
    name: 'move-deck',
    text: 'update decks set next_pos = $3, taken_ahead = $4, voided = $5 where tenant_id = $1 and deck_id = $2',
    values: [tenantId, deck.deckKey, after.nextPos, after.takenAhead, after.voided],
  });
  return { ...deck, ...after };
}

/**
 * Voids codes that the log knows to have been taken by name ahead of the deal and the database does not: as voiding
 * them by name would, with a coupon of nobody and its event. Returns how many there were.
 */
async function voidTaken(
  source: CodeSource,
  tx: Transaction,
  tenantId: number,
  deck: Deck,
  taken: ReadonlySet<number> | undefined,
): Promise<number> {
  const ahead = [...(taken ?? [])].filter((pos) => pos >= deck.nextPos && pos < deck.size);
  if (ahead.length === 0) return 0;
  const { rows } = await tx.query<{ pos: number }>({
    name: 'insert-lost-taken',
    text: `insert into deck_taken (tenant_id, deck_id, pos) select $1::int, $2::int, unnest($3::bigint[])
      on conflict do nothing returning pos`,
    values: [tenantId, deck.deckKey, ahead],
  });
  const places = rows.map(({ pos }) => ({ deckKey: deck.deckKey, pos }));
  const codes = await codesAt(source, tx, tenantId, places);
  await tx.query({
    name: 'insert-lost-coupons',
    text: `with lost as (select * from unnest($3::bigint[], $4::text[]) as l (pos, code)),
        coupon as (
          insert into coupons (tenant_id, deck_id, pos, code, rev, voided)
          select $1::int, $2::int, pos, code, 1, true from lost),
        event as (
          insert into events (tenant_id, deck_id, pos, rev, at, kind, redemptions, fence, actor, reason)
          select $1::int, $2::int, pos, 1, date_trunc('milliseconds', clock_timestamp()), ${eventKindNumber('voided')}, 0, 0, $5, $6
          from lost)
      update decks set taken_ahead = taken_ahead + $7::bigint, voided = voided + $7::bigint
        where tenant_id = $1 and deck_id = $2`,
    values: [tenantId, deck.deckKey, places.map(({ pos }) => pos), codes, restoreActor, reason, places.length],
  });
  return places.length;
}

/** A pattern, and the next number of its sequence. */
interface NextOfPattern {
  tenantId: number;
  patternId: number;
  template: string;
  alphabet: string;
  from: number;
}

/** A pattern that was moved to here is used up. */
function endOfSequence(template: string, alphabet: string): number {
  const parsed = parsePattern(template, alphabet);
  if (!parsed.ok) throw new Error(`the stored pattern ${template} can't be read: ${parsed.message}`);
  return Math.min(Number(parsed.pattern.combinations), limits.sequenceMaxIndex);
}

async function movePatterns(pool: pg.Pool, order: RestoreOrder): Promise<RestoreReport['patterns']> {
  return tryOut(pool, order.apply, async (tx) => {
    const { rows } = await tx.query<NextOfPattern>(
      `select tenant_id as "tenantId", pattern_id as "patternId", template, alphabet, next_index as "from"
        from code_patterns order by tenant_id, pattern_id for no key update`,
    );
    const moved: RestoreReport['patterns'] = [];
    for (const { tenantId, patternId, template, alphabet, from } of rows) {
      const mark = order.marks?.patterns.get(`${tenantId}/${patternId}`) ?? 0;
      const to = Math.min(Math.max(mark, from) + order.patternMargin, endOfSequence(template, alphabet));
      if (to === from) continue;
      await tx.query({
        name: 'move-pattern',
        text: 'update code_patterns set next_index = $3 where tenant_id = $1 and pattern_id = $2',
        values: [tenantId, patternId, to],
      });
      moved.push({ tenantId, template, from, to });
    }
    return moved;
  });
}

async function findLostDecks(pool: Queryable, { marks }: RestoreOrder): Promise<string[]> {
  if (marks === null) return [];
  const { rows } = await pool.query<{ key: string }>(`select tenant_id || '/' || deck_id as key from decks`);
  const present = new Set(rows.map(({ key }) => key));
  return [...marks.decks.keys()].filter((key) => !present.has(key));
}
