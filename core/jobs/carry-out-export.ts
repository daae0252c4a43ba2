import type pg from 'pg';
import { idOfBook } from '../books/id-of-book.ts';
import type { Core } from '../core.ts';
import { findWanted, type RedemptionListCore, readRedemptionPage } from '../coupons/list-redemptions.ts';
import type { RedemptionView } from '../coupons/redemption-view.ts';
import { inTransaction } from '../db/transaction.ts';
import { type ExportedCode, exportedCode } from '../decks/export-codes.ts';
import type { Place } from '../decks/place.ts';
import { type WalkCore, walkCodes } from '../decks/walk-codes.ts';
import type { DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { StepResult } from './carry-out-rows.ts';
import { endLargeExport } from './export-bounds.ts';
import { type JobStanding, lockStep, sendProgress } from './job-step.ts';

/**
 * What a step of an export works with. Both pools lead to the primary: a replica may still have a user who was erased.
 */
export type ExportCore = WalkCore & RedemptionListCore & Pick<Core, 'pool'>;

/** A row of an export's result, as its file shows it. */
export type ExportRow = ExportedCode | RedemptionView;

/** Some rows of an export, and where the next ones begin; null: these are the last. */
interface ExportPage {
  readonly rows: readonly ExportRow[];
  readonly position: object | string | null;
}

/** Rows that a step reads at most, and what it looks at for them: a fraction of a second. */
const codeBounds = { items: 1_000, looks: 10_000, withLastRedeemed: true };
const redemptionsMax = 500;

/**
 * Reads the next page of an export into a piece of its own, which is committed with the progress.
 * @throws StepLost
 */
export async function carryOutExport(core: ExportCore, job: JobStanding): Promise<StepResult> {
  const { rows, position } =
    job.kind === 'export-codes' ? await readCodes(core, job) : await readRedemptions(core, job);
  if (job.done + rows.length > limits.jobExportMaxRows) {
    await endLargeExport(core, job);
    return 'end';
  }
  const isEnd = position === null;
  await inTransaction(core.pool, async (tx) => {
    await lockStep(tx, job);
    const hasRows = rows.length > 0;
    if (hasRows) {
      tx.send({
        name: 'add-job-piece',
        text: 'insert into job_pieces (tenant_id, job_id, piece, rows) values ($1, $2, $3, $4::jsonb)',
        values: [job.tenantId, job.jobKey, job.pieces, JSON.stringify(rows)],
      });
    }
    const pieces = hasRows ? job.pieces + 1 : job.pieces;
    sendProgress(tx, job, { done: rows.length, refused: 0, piece: pieces, pieces, position, isEnd });
  });
  return isEnd ? 'end' : 'more';
}

async function readCodes(core: WalkCore, { tenantId, bookKey, filters, position }: JobStanding): Promise<ExportPage> {
  const from = (position as Place | null) ?? { deckKey: 0 as DeckKey, pos: 0 };
  const { codes, next } = await walkCodes(core, tenantId, bookKey!, filters.status ?? null, from, codeBounds);
  const { deckKey, pos } = next ?? { deckKey: 0, pos: 0 };
  return { rows: codes.map(exportedCode), position: next === null ? null : { deckKey, pos } };
}

async function readRedemptions(
  core: ExportCore,
  { tenantId, bookKey, filters, position }: JobStanding,
): Promise<ExportPage> {
  const bookId = bookKey === null ? null : await idOfBook(core.pool, tenantId, bookKey);
  // A book that was deleted meanwhile had no redemptions.
  if (bookKey !== null && bookId === null) return { rows: [], position: null };
  const found = await findWanted(core, tenantId, { ...filters, bookId });
  if (found === null) return { rows: [], position: null };
  const below = (position as string | null) ?? found.belowId;
  const { data, last } = await readRedemptionPage(core, tenantId, found.wanted, below, redemptionsMax);
  return { rows: data, position: last };
}

/** The parts for a step: all of its statements go over the connections of background work. */
export function withPool<Parts extends object>(
  core: Parts,
  pool: pg.Pool,
): Parts & { pool: pg.Pool; readPool: pg.Pool } {
  return { ...core, pool, readPool: pool };
}
