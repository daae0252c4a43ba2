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
import { insertDeck, type NewDeck, reserveDeckKey } from '../decks/insert-deck.ts';
import { lockTenantCodes } from '../decks/tenant-codes-lock.ts';
import { unavailable } from '../errors.ts';
import { type KeyedRequest, withContent } from '../idempotency/key-hash.ts';
import { isKeyUsed, replayStreamed } from '../idempotency/replay-streamed.ts';
import { runOnce } from '../idempotency/run-once.ts';
import type { BookKey } from '../keys.ts';
import type { TenantPatterns } from '../patterns/known-patterns.ts';
import type { IdSource, Random } from '../random.ts';
import type { HeaderRule, UploadFormat } from './formats/row-sink.ts';
import { HeldRows, heldRowsMax } from './held-rows.ts';
import { mergeUpload } from './merge-upload.ts';
import { digestBody, readAhead, readBody } from './read-body.ts';
import { mergeRejections, mistakesBehind } from './rejections.ts';
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
  /** What the deck is to be called. */
  name?: string | undefined;
  /** Is read to its end, except after a refusal; then the rest is thrown away. */
  body: Readable;
}

type UploadCore = ColdCore &
  IdSource &
  Pick<Core, 'config' | 'log' | 'pool' | 'knownBooks' | 'knownPatterns' | 'uploadSlots'>;

/**
 * Memory that an upload's session may use in the database before it spills to disk: enough for a million rows of the
 * staged table and their sort. Bigger files are only slower.
 */
const stagedMemory = '96MB';
const sortMemory = '128MB';
/**
 * An upload waits for a slot once so much has arrived, so that a slow sender delays nobody. Most uploads are smaller.
 */
const readAheadBytes = 65_536;
const undefinedTable = '42P01';

/**
 * Adds a deck of uploaded codes, in uniformly random order, to a book that is not closed. The file is checked line by
 * line while it streams in. Its rows go to memory or, beyond a million, to a table that only this connection sees. Then
 * one transaction under the tenant's lock removes duplicates, stores the codes and publishes the deck. If two uploads
 * have the same codes at once, each code goes to one of them (test: "of two uploads of overlapping codes at once, each
 * code is taken by exactly one"). Memory is bounded for any size. An upload that breaks off leaves nothing behind.
 *
 * The tenant's lock is held while the codes are stored, some seconds for a million. The book's gate is held only for
 * the deck's row, and waited for in turns (closeGateInTurns). At most three uploads run in a process, and one for each
 * tenant; others wait up to 30 seconds. An upload starts to run once its first 64 KB have arrived, or all of it.
 *
 * With an idempotency key, a body of the same bytes, sent with the same `header` and `name`, gets the first
 * answer under that key.
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
    const kind = kindOf(upload);
    const path = `/books/${bookId.toLowerCase()}/codes`;
    const name = (digest: string) => (keyed === null ? null : withContent(keyed, path, `${kind} ${digest}`));
    if (await isKeyUsed(core.pool, caller.tenantId, keyed)) {
      return await replayStreamed<UploadedDeck>(core, caller.tenantId, name(await digestBody(upload.body)), 201);
    }
    const bookKey = await findBook(core, caller.tenantId, bookId);
    await refuseClosedBook(core.pool, caller.tenantId, bookKey);
    return await takeUpload(core, caller.tenantId, bookKey, upload, name);
  } finally {
    upload.body.resume();
  }
}

/** What an upload says of its body: a text in which no two of them are the same. */
function kindOf({ format, header, name }: Upload): string {
  const given = [
    header === undefined ? '' : ` header=${header}`,
    name === undefined ? '' : ` name=${JSON.stringify(name)}`,
  ];
  return `${format}${given.join('')}`;
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
    const staged = await stage(core.random, pool, patterns, { ...upload, pieces });
    // The pool has one connection, so the transaction runs in the session with the staged rows. It takes no turn of the
    // tenant: other writes would wait for the seconds in which codes are stored.
    return await runOnce(
      { ...core, coldPool: pool, coldTurns: openColdTurns() },
      tenantId,
      name(staged.digest),
      201,
      (tx) => publish(core, tx, tenantId, { bookKey, name: upload.name ?? null }, patterns, staged),
    );
  } catch (error) {
    // The connection that staged the rows was lost, and this is another one.
    if (sqlStateOf(error) === undefinedTable)
      throw unavailable('not-begun', 'The database was lost. Repeat the upload.');
    throw error;
  } finally {
    await pool.end();
    giveBack();
  }
}

/** A connection for this upload alone. Its statements may take long, and closing it drops the staged rows. */
function openUploadPool({ config, log }: Pick<Core, 'config' | 'log'>): pg.Pool {
  return openPool(config.database, {
    max: 1,
    applicationName: 'qurable upload',
    statementTimeoutMillis: uploadStatementTimeoutMillis,
    answerTimeoutMillis: 2 * uploadStatementTimeoutMillis,
    onError: (error) => log.warn({ error: loggable(error) }, 'the connection of an upload was lost'),
  });
}

async function stage(random: Random, pool: pg.Pool, patterns: TenantPatterns, body: StagedBody): Promise<StagedUpload> {
  return withConnection(pool, async (lease) => {
    const { connection } = lease;
    try {
      await connection.query(
        `set lock_timeout = ${publishLockTimeoutMillis}; set jit = off; set temp_buffers = '${stagedMemory}'; set work_mem = '${sortMemory}'`,
      );
      return await stageUpload(connection, random, new HeldRows(heldRowsMax), patterns, body);
    } catch (error) {
      // Closing the connection drops the staged rows.
      lease.isBroken = true;
      throw error;
    }
  });
}

async function publish(
  core: IdSource & Pick<Core, 'knownPatterns'>,
  tx: Transaction,
  tenantId: number,
  { bookKey, name }: Pick<NewDeck, 'bookKey' | 'name'>,
  checked: TenantPatterns,
  staged: StagedUpload,
): Promise<UploadedDeck> {
  await lockTenantCodes(tx, tenantId);
  const current = await core.knownPatterns.refresh(tx, tenantId);
  const deckKey = await reserveDeckKey(tx);
  const merged = await mergeUpload(tx, core.random, tenantId, { deckKey, bookKey }, staged, checked, current);
  await closeGateInTurns(tx, tenantId, bookKey);
  await refuseClosedBook(tx, tenantId, bookKey);
  const deck = { deckKey, bookKey, size: merged.accepted, sequence: null, name };
  const deckId = merged.accepted === 0 ? null : await insertDeck(core, tx, tenantId, deck);
  const { count, first } = mergeRejections(staged.rejections, merged.rejections);
  const { accepted, duplicates } = merged;
  const behind = mistakesBehind(first, mergeRejections(staged.rejections, { count: 0, first: merged.mistakes }).first);
  const answer = { deckId, accepted, rejected: count, duplicates, rejections: [...first] };
  return behind === null ? answer : { ...answer, mistakes: behind };
}
