import type { Readable } from 'node:stream';
import type pg from 'pg';
import { closeGateInTurns } from '../books/close-gate-in-turns.ts';
import { findBook, refuseClosedBook } from '../books/find-book.ts';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import { openColdTurns } from '../db/cold-turns.ts';
import { openPool } from '../db/pool.ts';
import { loggable, sqlStateOf } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import { withConnection } from '../db/with-connection.ts';
import { insertDeck, reserveDeckKey } from '../decks/insert-deck.ts';
import { lockTenantCodes } from '../decks/tenant-codes-lock.ts';
import { unavailable } from '../errors.ts';
import { type KeyedRequest, withContent } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { BookKey } from '../keys.ts';
import type { TenantPatterns } from '../patterns/known-patterns.ts';
import type { HeaderRule, UploadFormat } from './formats/rows.ts';
import { HeldRows, heldRowsMax } from './held-rows.ts';
import { mergeUpload } from './merge-upload.ts';
import { digestBody, readAhead, readBody } from './read-body.ts';
import { mergeRejections } from './rejections.ts';
import { type StagedBody, type StagedUpload, stageUpload } from './stage-upload.ts';
import type { UploadedDeck } from './uploaded-deck.ts';

/** An upload of millions of rows sorts and merges in one statement. */
const uploadStatementTimeoutMillis = 1_800_000;
/** An upload waits for the tenant's others, which store their codes meanwhile, on a connection of its own. */
const publishLockTimeoutMillis = 60_000;

/** A file of codes as it comes in. */
export interface Upload {
  /**
   * `json`: `{ "codes": ["…"] }` · `csv`: a column called `code`, or one code a line without a header · `ndjson`: a
   * string or `{ "code": "…" }` a line. UTF-8. What names a CSV's column names the field of an object.
   */
  format: UploadFormat;
  /** What the sender says of a first line that may be a heading; nothing by default. */
  header?: HeaderRule | undefined;
  /** Read to its end, except after a refusal: what is left then is thrown away. */
  body: Readable;
}

type UploadCore = ColdCore &
  Pick<Core, 'config' | 'log' | 'clock' | 'pool' | 'knownBooks' | 'knownPatterns' | 'uploadSlots'>;

/**
 * What an upload's session may use on the database's side before it goes to disk: a million rows of the staged table,
 * and their sort. Bigger files only get slower.
 */
const stagedMemory = '96MB';
const sortMemory = '128MB';
/** A sender that takes its time over these keeps nobody waiting; most uploads are no longer. */
const readAheadBytes = 65_536;
const undefinedTable = '42P01';

/**
 * Adds a deck of uploaded codes, in uniformly random order, to a book in any state but closed. The file is checked line
 * by line while it streams in, into memory or, beyond a million rows, a table that only this upload's connection sees;
 * then, in one transaction under the tenant's lock, duplicates are taken out, the codes stored and the deck published. Of two uploads of the same codes at
 * once each code goes to one (test: "of two uploads of overlapping codes at once, each code is taken by exactly one").
 * Memory stays flat whatever the size. An upload that breaks off leaves nothing behind.
 *
 * The tenant's lock is held while the codes are stored, some seconds a million; the book's gate only for the deck's
 * row, and waited for in turns (closeGateInTurns). In a process at most three uploads run, and one a tenant; others wait for 30 seconds. One begins to run when its
 * first 64 KB are there, or all of it.
 *
 * With an idempotency key, a body of the same bytes, sent with the same `header`, gets the first answer under that key.
 *
 * @throws CouponError `invalid-input` for a body that can't be read as a whole, holds no row or breaks off;
 *   `idempotency-key-reused`; `book-not-found`, for an id that is no UUID too; `book-not-active` for a closed book;
 *   `body-too-large` beyond limits.uploadMaxBytes; `unavailable`
 */
export async function uploadCodes(
  core: UploadCore,
  caller: Caller,
  bookId: string,
  upload: Upload,
  keyed: KeyedRequest | null,
): Promise<Outcome<UploadedDeck>> {
  try {
    const kind = `${upload.format}${upload.header === undefined ? '' : ` header=${upload.header}`}`;
    const name = (digest: string) => (keyed === null ? null : withContent(keyed, `${kind} ${digest}`));
    if (await isKeyUsed(core, caller.tenantId, keyed)) {
      return await replay(core, caller.tenantId, name(await digestBody(upload.body)));
    }
    const bookKey = await findBook(core, caller.tenantId, bookId);
    await refuseClosedBook(core.pool, caller.tenantId, bookKey);
    return await takeUpload(core, caller.tenantId, bookKey, upload, name);
  } finally {
    upload.body.resume();
  }
}

async function isKeyUsed(core: UploadCore, tenantId: number, request: KeyedRequest | null): Promise<boolean> {
  if (request === null) return false;
  const answer = await core.pool.query({
    name: 'is-key-used',
    text: 'select from idempotency where tenant_id = $1 and key_hash = $2',
    values: [tenantId, request.keyHash],
  });
  return answer.rows.length > 0;
}

function replay(core: UploadCore, tenantId: number, request: KeyedRequest | null): Promise<Outcome<UploadedDeck>> {
  return runOnce(core, tenantId, request, 201, () => {
    throw unavailable('not-begun', 'The idempotency key has just run out. Repeat the request.');
  });
}

async function takeUpload(
  core: UploadCore,
  tenantId: number,
  bookKey: BookKey,
  upload: Upload,
  name: (digest: string) => KeyedRequest | null,
): Promise<Outcome<UploadedDeck>> {
  const pieces = await readAhead(readBody(upload.body), readAheadBytes);
  const giveBack = await core.uploadSlots.take(tenantId);
  const pool = openUploadPool(core);
  try {
    const patterns = await core.knownPatterns.refresh(core.pool, tenantId);
    const staged = await stage(core, pool, patterns, { ...upload, pieces });
    // The pool has one connection, so the transaction runs in the session that has the staged rows. It takes no turn: for
    // the seconds in which codes are stored, the tenant's other writes would have to wait.
    return await runOnce(
      { ...core, coldPool: pool, coldTurns: openColdTurns() },
      tenantId,
      name(staged.digest),
      201,
      (tx) => publish(core, tx, tenantId, bookKey, patterns, staged),
    );
  } catch (error) {
    // Another connection than the one that staged the rows: that one was lost in between.
    if (sqlStateOf(error) === undefinedTable)
      throw unavailable('not-begun', 'The database was lost. Repeat the upload.');
    throw error;
  } finally {
    await pool.end();
    giveBack();
  }
}

/** A session of the upload's own: its statements may take long, and ending it drops the staged rows. */
function openUploadPool(core: UploadCore): pg.Pool {
  return openPool(core.config.database, {
    max: 1,
    applicationName: 'qurable upload',
    statementTimeoutMillis: uploadStatementTimeoutMillis,
    answerTimeoutMillis: 2 * uploadStatementTimeoutMillis,
    onError: (error) => core.log.warn({ error: loggable(error) }, 'the connection of an upload was lost'),
  });
}

async function stage(
  core: UploadCore,
  pool: pg.Pool,
  patterns: TenantPatterns,
  body: StagedBody,
): Promise<StagedUpload> {
  return withConnection(pool, async (lease) => {
    const { connection } = lease;
    try {
      await connection.query(
        `set lock_timeout = ${publishLockTimeoutMillis}; set jit = off; set temp_buffers = '${stagedMemory}'; set work_mem = '${sortMemory}'`,
      );
      return await stageUpload(connection, core.random, new HeldRows(heldRowsMax), patterns, body);
    } catch (error) {
      // Ending the connection drops what is staged.
      lease.isBroken = true;
      throw error;
    }
  });
}

async function publish(
  core: UploadCore,
  tx: Transaction,
  tenantId: number,
  bookKey: BookKey,
  checked: TenantPatterns,
  staged: StagedUpload,
): Promise<UploadedDeck> {
  await lockTenantCodes(tx, tenantId);
  const current = await core.knownPatterns.refresh(tx, tenantId);
  const deckKey = await reserveDeckKey(tx);
  const merged = await mergeUpload(tx, core.random, tenantId, deckKey, staged, checked, current);
  await closeGateInTurns(tx, bookKey);
  await refuseClosedBook(tx, tenantId, bookKey);
  const deck = { deckKey, bookKey, size: merged.accepted, sequence: null };
  const deckId = merged.accepted === 0 ? null : await insertDeck(core, tx, tenantId, deck);
  const { count, first } = mergeRejections(staged.rejections, merged.rejections);
  return { deckId, accepted: merged.accepted, rejected: count, duplicates: merged.duplicates, rejections: [...first] };
}
