import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import type { Connection } from '../db/pool.ts';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Random } from '../random.ts';
import { readCode } from './code-rules.ts';
import type { TenantPatterns } from './known-patterns.ts';
import { readBody } from './read-body.ts';
import { openStagedRows } from './staged-rows.ts';
import { type Rejection, type RejectionReason, type Rejections, showText } from './upload-rejections.ts';
import { openUploadRows, type RowSink, type UploadFormat } from './upload-rows.ts';

/** An upload that lies in the temporary table `staged`, checked line by line. */
export interface StagedUpload {
  /** Rows in the table. */
  readonly rows: number;
  readonly rejections: Rejections;
  /** SHA-256 over the bytes of the upload, in hexadecimal. */
  readonly digest: string;
}

/**
 * Streams an upload into the temporary table `staged` of this connection, with a random 128-bit key a row: the deck's
 * order is the order of the keys, so it is uniformly random whatever the order of the file. A temporary table costs no
 * write-ahead log, and goes away with the connection, however that ends.
 *
 * Lines that are no codes, and codes that one of `patterns` could produce, are counted and named and left out. Memory
 * stays flat: a piece of the file, one of the copy, and the first rejections.
 *
 * @throws CouponError `invalid-input` where the upload as a whole can't be read or holds no row, `body-too-large`
 */
export async function stageUpload(
  connection: Connection,
  random: Random,
  patterns: TenantPatterns,
  format: UploadFormat,
  body: Readable,
): Promise<StagedUpload> {
  await connection.query(
    'create temporary table staged (key uuid not null, line bigint not null, code text collate "C" not null)',
  );
  const copy = connection.query(copyFrom('copy staged (key, line, code) from stdin with (format binary)'));
  // Unheard, an error between two writes would end the process; the next write or the end meets it anyway.
  copy.on('error', () => {});
  try {
    const staged = await copyBody(copy, random, patterns, format, body);
    await finish(copy);
    return staged;
  } catch (error) {
    copy.destroy();
    throw error;
  }
}

async function copyBody(
  copy: Writable,
  random: Random,
  patterns: TenantPatterns,
  format: UploadFormat,
  body: Readable,
): Promise<StagedUpload> {
  const hash = createHash('sha256');
  const rows = openStagedRows(random);
  const rejected: OpenRejections = { count: 0, first: [] };
  const reader = openUploadRows(format, sinkOf(rows, rejected, patterns));
  for await (const chunk of readBody(body)) {
    hash.update(chunk);
    reader.push(chunk);
    await write(copy, rows.takeFull());
  }
  reader.end();
  if (rows.count + rejected.count === 0) throw refuse('invalid-input', 'The upload holds no code.');
  await write(copy, rows.finish());
  return { rows: rows.count, rejections: rejected, digest: hash.digest('hex') };
}

interface OpenRejections {
  count: number;
  first: Rejection[];
}

function sinkOf(
  rows: { add(line: number, code: string): void },
  rejected: OpenRejections,
  patterns: TenantPatterns,
): RowSink {
  const reject = (line: number, text: string, reason: RejectionReason) => {
    rejected.count += 1;
    if (rejected.first.length < limits.uploadMaxRejectionsNamed)
      rejected.first.push({ line, code: showText(text), reason });
  };
  const hasPatterns = patterns.patterns.size > 0;
  return {
    row(line, text) {
      const read = readCode(text);
      if (!read.ok) reject(line, text, read.problem);
      else if (hasPatterns && patterns.match(read.code) !== null) reject(line, text, 'belongs-to-pattern');
      else rows.add(line, read.code);
    },
    broken: reject,
  };
}

/** Writes pieces as fast as the database takes them. */
async function write(copy: Writable, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (copy.errored) throw copy.errored;
    if (!copy.write(piece)) await once(copy, 'drain');
  }
}

async function finish(copy: Writable): Promise<void> {
  if (copy.errored) throw copy.errored;
  copy.end();
  await once(copy, 'finish');
}
