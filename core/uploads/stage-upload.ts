import { createHash } from 'node:crypto';
import { hasLetterOrDigit, readCode } from '../codes/code-rules.ts';
import type { Queryable } from '../db/pool.ts';
import { refuse } from '../errors.ts';
import { limits } from '../limits.ts';
import type { TenantPatterns } from '../patterns/known-patterns.ts';
import type { Random } from '../random.ts';
import { isHeadingWord } from './formats/code-field-names.ts';
import type { HeaderRule, RowSink, UploadFormat } from './formats/row-sink.ts';
import { openUploadRows } from './formats/rows.ts';
import type { HeldRows } from './held-rows.ts';
import { type Rejection, type RejectionReason, type Rejections, showText } from './rejections.ts';
import { openStaging, type Staging, stageHeldRows } from './stage-rows.ts';
import { type OrderedRows, orderRows } from './store-held-rows.ts';

const headingAsCode = 'This is what a column of codes is called. Where it is a code, send it with ?header=none.';
const onlyLines = 'A code has a letter or a digit; this is a line that a program drew.';

/** An upload that was read to its end and checked line by line. */
export interface StagedUpload {
  /** Its rows in memory; null: they are in the temporary table `staged` of the connection. */
  readonly held: OrderedRows | null;
  readonly rejections: Rejections;
  /** SHA-256 over the bytes of the upload, in hexadecimal. */
  readonly digest: string;
}

/** A body to be read. */
export interface StagedBody {
  readonly format: UploadFormat;
  /** What its sender says of the first line. */
  readonly header?: HeaderRule | undefined;
  /** Of pieceMaxBytes at most, as readBody gives them. */
  readonly pieces: AsyncIterable<Uint8Array>;
}

/**
 * Reads an upload. Its rows stay in memory until `held` is full; then all of them go to a temporary table. So memory is
 * bounded: the rows so far, a piece of the file, one of the COPY, and the first rejections.
 *
 * Lines without a valid code, and codes that one of `patterns` could produce, are left out, counted and named.
 *
 * @throws CouponError `invalid-input` where the upload as a whole can't be read or holds no row, `body-too-large`
 */
export async function stageUpload(
  connection: Queryable,
  random: Random,
  held: HeldRows,
  patterns: TenantPatterns,
  upload: StagedBody,
): Promise<StagedUpload> {
  const rows = new UploadRows(connection, random, held);
  try {
    const rejected: OpenRejections = { count: 0, first: [] };
    const digest = await readRows(rows, rejected, patterns, upload);
    if (rows.count + rejected.count === 0) throw refuse('invalid-input', 'The upload holds no code.');
    return { held: await rows.finish(), rejections: rejected, digest };
  } catch (error) {
    await rows.abort();
    throw error;
  }
}

async function readRows(
  rows: UploadRows,
  rejected: OpenRejections,
  patterns: TenantPatterns,
  { format, header, pieces }: StagedBody,
): Promise<string> {
  const hash = createHash('sha256');
  const reader = openUploadRows(format, header ?? null, sinkOf(rows, rejected, patterns, header ?? null));
  for await (const piece of pieces) {
    hash.update(piece);
    reader.push(piece);
    await rows.settle();
  }
  reader.end();
  return hash.digest('hex');
}

/** Rows in memory until there are too many, and in the temporary table from then on. */
class UploadRows {
  count = 0;
  #held: HeldRows | null;
  #staging: Staging | null = null;
  readonly #connection: Queryable;
  readonly #random: Random;

  constructor(connection: Queryable, random: Random, held: HeldRows) {
    this.#held = held;
    this.#connection = connection;
    this.#random = random;
  }

  add(line: number, code: string): void {
    this.count += 1;
    if (this.#held !== null) this.#held.add(line, code);
    else this.#staging!.add(line, code);
  }

  /** To be called after each piece of the body. */
  async settle(): Promise<void> {
    if (this.#held?.isFull) {
      this.#staging = await openStaging(this.#connection, this.#random);
      await stageHeldRows(this.#staging, this.#held);
      this.#held = null;
    }
    await this.#staging?.flush();
  }

  async finish(): Promise<OrderedRows | null> {
    await this.#staging?.finish();
    return this.#held === null ? null : orderRows(this.#held, this.#random);
  }

  async abort(): Promise<void> {
    await this.#staging?.abort();
  }
}

interface OpenRejections {
  count: number;
  first: Rejection[];
}

function sinkOf(
  rows: UploadRows,
  rejected: OpenRejections,
  patterns: TenantPatterns,
  header: HeaderRule | null,
): RowSink {
  const reject = (line: number, text: string, reason: RejectionReason, hint?: string) => {
    rejected.count += 1;
    if (rejected.first.length < limits.uploadMaxRejectionsNamed) {
      rejected.first.push({ line, code: showText(text), reason, ...(hint !== undefined && { hint }) });
    }
  };
  const hasPatterns = patterns.patterns.size > 0;
  return {
    row(line, text) {
      const read = readCode(text);
      if (!read.ok) reject(line, text, read.problem);
      else if (!hasLetterOrDigit(read.code)) reject(line, text, 'code-has-invalid-character', onlyLines);
      else if (header !== 'none' && isHeadingWord(text)) reject(line, text, 'heading', headingAsCode);
      else if (hasPatterns && patterns.match(read.code) !== null) reject(line, text, 'belongs-to-pattern');
      else rows.add(line, read.code);
    },
    broken: reject,
  };
}
