import { patternExpression } from '../codes/pattern-rules.ts';
import { constraintOf } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import { blockCodes } from '../decks/deck-block-rules.ts';
import type { BookKey, DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { KnownPattern, TenantPatterns } from '../patterns/known-patterns.ts';
import type { Random } from '../random.ts';
import type { Rejection, RejectionReason, Rejections } from './rejections.ts';
import { openStaging, stageHeldRows } from './stage-rows.ts';
import type { StagedUpload } from './stage-upload.ts';
import { storeHeldRows } from './store-held-rows.ts';

/** Where an upload's codes go. */
export interface UploadTarget {
  readonly deckKey: DeckKey;
  readonly bookKey: BookKey;
}

/** How an upload's rows were stored. */
export interface MergedUpload {
  /** Codes stored under the deck, at positions 0 to accepted - 1. */
  readonly accepted: number;
  /** Rows that were left out: duplicates, and codes of patterns that were added since the upload began. */
  readonly rejections: Rejections;
  /** How many of the rejections are duplicates. */
  readonly duplicates: number;
  /** The first of them that are none, by line. */
  readonly mistakes: readonly Rejection[];
}

/**
 * Stores an upload's rows as the codes of a deck in uniformly random order. Call it under the tenant's lock, in the
 * session that staged them.
 *
 * Most files have no duplicate, and the unique index finds that out at no cost. So the rows are stored at once. Only if
 * the index refuses one, duplicates are looked for and removed, and the rows stored again. If a code stands in the file
 * several times, the first line is kept.
 *
 * @param target the deck to be, and the book that it will be of
 * @param checked the patterns that the rows were compared with while they were read
 * @param current the tenant's patterns as they are under the lock
 */
export async function mergeUpload(
  tx: Transaction,
  random: Random,
  tenantId: number,
  target: UploadTarget,
  { held }: StagedUpload,
  checked: TenantPatterns,
  current: TenantPatterns,
): Promise<MergedUpload> {
  const newPatterns = [...current.patterns.values()].filter(({ patternId }) => !checked.patterns.has(patternId));
  if (held !== null) {
    if (newPatterns.length === 0 && (await storeHeldRows(tx, tenantId, target.deckKey, held))) {
      return { accepted: held.rows.count, rejections: { count: 0, first: [] }, duplicates: 0, mistakes: [] };
    }
    const staging = await openStaging(tx, random);
    await stageHeldRows(staging, held.rows);
    await staging.finish();
  }
  await tx.query('create temporary table refused (line bigint, code text, reason text) on commit drop');
  for (const known of newPatterns) await removePatternCodes(tx, known);
  const accepted = await storeStagedRows(tx, tenantId, target, held === null);
  return { accepted, ...(await readRefused(tx)) };
}

async function removePatternCodes(tx: Transaction, { pattern }: KnownPattern): Promise<void> {
  await tx.query({
    text: `with gone as (delete from staged where length(code) = $1 and code ~ $2 returning line, code)
      insert into refused select line, code, 'belongs-to-pattern' from gone`,
    values: [pattern.template.length, patternExpression(pattern)],
  });
}

/** @param isHopeful whether nobody has found a duplicate yet */
async function storeStagedRows(
  tx: Transaction,
  tenantId: number,
  { deckKey, bookKey }: UploadTarget,
  isHopeful: boolean,
): Promise<number> {
  if (isHopeful) {
    await tx.query('savepoint before_codes');
    try {
      return await insertCodes(tx, tenantId, deckKey);
    } catch (error) {
      if (constraintOf(error) !== 'deck_codes_code_key') throw error;
      await tx.query('rollback to savepoint before_codes');
    }
  }
  await removeDuplicates(tx, tenantId, bookKey);
  return insertCodes(tx, tenantId, deckKey);
}

async function insertCodes(tx: Transaction, tenantId: number, deckKey: DeckKey): Promise<number> {
  const placed = await tx.query(
    `create temporary table placed on commit drop as
      select row_number() over (order by key) - 1 as pos, code from staged`,
  );
  await tx.query({
    text: `insert into deck_codes (tenant_id, deck_id, pos, code)
      select $1, $2, pos, code from placed order by code`,
    values: [tenantId, deckKey],
  });
  await tx.query({
    text: `insert into deck_blocks (tenant_id, deck_id, block, codes)
      select $1, $2, pos / $3::int, string_agg(code, chr(10) order by pos) from placed group by pos / $3::int`,
    values: [tenantId, deckKey, blockCodes],
  });
  return placed.rowCount ?? 0;
}

async function removeDuplicates(tx: Transaction, tenantId: number, bookKey: BookKey): Promise<void> {
  // A temporary table gets no statistics by itself, and a plan made for an empty table could take days.
  await tx.query('analyze staged');
  await tx.query({
    // The row of a public code names its book in place of a deck (public-code-row.ts).
    text: `with gone as (
        delete from staged s using deck_codes d where d.tenant_id = $1 and d.code = s.code
        returning s.line, s.code, d.deck_id
      ) insert into refused
        select g.line, g.code, case when coalesce(d.book_id, -g.deck_id) = $2
          then 'duplicate-in-book' else 'duplicate-in-another-book' end
        from gone g left join decks d on d.tenant_id = $1 and d.deck_id = g.deck_id`,
    values: [tenantId, bookKey],
  });
  await tx.query(
    `with gone as (
       delete from staged s using (
         select code, min(line) as first from staged group by code having count(*) > 1
       ) twice where s.code = twice.code and s.line > twice.first returning s.line, s.code
     ) insert into refused select line, code, 'duplicate-in-file' from gone`,
  );
}

async function readRefused(tx: Transaction): Promise<Omit<MergedUpload, 'accepted'>> {
  const counts = await tx.query<{ count: number; duplicates: number }>(
    `select count(*) as count, count(*) filter (where reason like 'duplicate-%') as duplicates from refused`,
  );
  const { count, duplicates } = counts.rows[0]!;
  const first = await readFirst(tx, 'true');
  const mistakes = count === duplicates ? [] : await readFirst(tx, "reason not like 'duplicate-%'");
  return { rejections: { count, first }, duplicates, mistakes };
}

/** The first refused rows, by line, that pass a condition. */
async function readFirst(tx: Transaction, condition: string): Promise<Rejection[]> {
  const { rows } = await tx.query<{ line: number; code: string; reason: string }>({
    text: `select line, code, reason from refused where ${condition} order by line limit $1`,
    values: [limits.uploadMaxRejectionsNamed],
  });
  return rows.map(rejectionOf);
}

function rejectionOf(row: { line: number; code: string; reason: string }): Rejection {
  return { line: row.line, code: row.code, reason: row.reason as RejectionReason };
}
