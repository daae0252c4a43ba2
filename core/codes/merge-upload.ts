import { constraintOf } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import { limits } from '../limits.ts';
import type { TenantPatterns } from './known-patterns.ts';
import { patternExpression } from './pattern-rules.ts';
import type { Rejection, RejectionReason, Rejections } from './upload-rejections.ts';

/** What became of the staged rows. */
export interface MergedUpload {
  /** Codes stored under the deck, at positions 0 to accepted - 1. */
  readonly accepted: number;
  /** Rows left out here: duplicates, and codes of patterns that came since the upload began. */
  readonly rejections: Rejections;
  /** How many of the rejections are duplicates. */
  readonly duplicates: number;
}

/**
 * Moves the rows of the temporary table `staged` into deck_codes, in the order of their random keys. To be called
 * under the tenant's lock, in the session that staged them.
 *
 * Most files hold no duplicate, and the unique index says so for nothing: the rows are stored at once, and only when
 * the index refuses one, duplicates are looked for, taken out, and the rows stored again. Of a code that stands in the
 * file several times the first line is kept.
 *
 * @param checked the patterns that the rows were held against while they were staged
 * @param current the tenant's patterns as they are under the lock
 */
export async function mergeUpload(
  tx: Transaction,
  tenantId: number,
  deckId: number,
  checked: TenantPatterns,
  current: TenantPatterns,
): Promise<MergedUpload> {
  await tx.query('create temporary table refused (line bigint, code text, reason text) on commit drop');
  for (const [patternId, known] of current.patterns) {
    if (checked.patterns.has(patternId)) continue;
    await tx.query({
      text: `with gone as (delete from staged where length(code) = $1 and code ~ $2 returning line, code)
        insert into refused select line, code, 'belongs-to-pattern' from gone`,
      values: [known.pattern.template.length, patternExpression(known.pattern)],
    });
  }
  const accepted = await storeCodes(tx, tenantId, deckId);
  return { accepted, ...(await readRefused(tx)) };
}

async function storeCodes(tx: Transaction, tenantId: number, deckId: number): Promise<number> {
  await tx.query('savepoint before_codes');
  try {
    return await insertCodes(tx, tenantId, deckId);
  } catch (error) {
    if (constraintOf(error) !== 'deck_codes_code_key') throw error;
    await tx.query('rollback to savepoint before_codes');
    await removeDuplicates(tx, tenantId);
    return insertCodes(tx, tenantId, deckId);
  }
}

async function insertCodes(tx: Transaction, tenantId: number, deckId: number): Promise<number> {
  const answer = await tx.query({
    text: `insert into deck_codes (tenant_id, deck_id, pos, code)
      select $1, $2, row_number() over (order by key) - 1, code from staged`,
    values: [tenantId, deckId],
  });
  return answer.rowCount ?? 0;
}

async function removeDuplicates(tx: Transaction, tenantId: number): Promise<void> {
  // Nobody else counts the rows of a temporary table, and a plan made for an empty one could take days.
  await tx.query('analyze staged');
  await tx.query({
    text: `with gone as (
        delete from staged s using deck_codes d where d.tenant_id = $1 and d.code = s.code returning s.line, s.code
      ) insert into refused select line, code, 'duplicate-in-tenant' from gone`,
    values: [tenantId],
  });
  await tx.query(
    `with gone as (
       delete from staged s using (
         select code, min(line) as first from staged group by code having count(*) > 1
       ) twice where s.code = twice.code and s.line > twice.first returning s.line, s.code
     ) insert into refused select line, code, 'duplicate-in-file' from gone`,
  );
}

async function readRefused(tx: Transaction): Promise<{ rejections: Rejections; duplicates: number }> {
  const counts = await tx.query<{ count: number; duplicates: number }>(
    `select count(*) as count, count(*) filter (where reason like 'duplicate-%') as duplicates from refused`,
  );
  const first = await tx.query<{ line: number; code: string; reason: string }>({
    text: 'select line, code, reason from refused order by line limit $1',
    values: [limits.uploadMaxRejectionsNamed],
  });
  const { count, duplicates } = counts.rows[0]!;
  return { rejections: { count, first: first.rows.map(rejectionOf) }, duplicates };
}

function rejectionOf(row: { line: number; code: string; reason: string }): Rejection {
  return { line: row.line, code: row.code, reason: row.reason as RejectionReason };
}
