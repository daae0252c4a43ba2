import { BinaryCopy } from '../db/copy/binary-copy.ts';
import { openCopy } from '../db/copy/open-copy.ts';
import type { Queryable } from '../db/pool.ts';
import { limits } from '../limits.ts';
import type { Random } from '../random.ts';
import type { HeldRows } from './held-rows.ts';

/** Rows on their way into the temporary table `staged`. */
export interface Staging {
  /** `code` is ASCII. */
  add(line: number, code: string): void;
  /** Sends what has been gathered. Call it every few thousand rows. */
  flush(): Promise<void>;
  /** Returns when all rows are in the table. */
  finish(): Promise<void>;
  /** Aborts; returns when the connection is free again. */
  abort(): Promise<void>;
}

const keyBytes = 16;
/** As many as Random gives at once, in whole keys. */
const randomBytes = 65_536;
const sliceRows = 8_192;

/**
 * Makes the temporary table `staged` and starts to fill it. Each row gets a random 128-bit key: ordered by it, the rows
 * are in uniformly random order, whatever their order in the file. A temporary table writes no WAL, and is dropped with
 * its connection, however that ends.
 */
export async function openStaging(connection: Queryable, random: Random): Promise<Staging> {
  await connection.query(
    'create temporary table staged (key uuid not null, line bigint not null, code text collate "C" not null)',
  );
  const rows = new BinaryCopy();
  const copy = openCopy(connection, 'staged (key, line, code)');
  let keys = random.bytes(randomBytes);
  let next = 0;
  return {
    add(line, code) {
      if (next === keys.length) {
        keys = random.bytes(randomBytes);
        next = 0;
      }
      rows.row(3, keyBytes + 8 + limits.codeLengthMaxChars);
      rows.bytes(keys, next, next + keyBytes);
      rows.int8(line);
      rows.text(code);
      next += keyBytes;
    },
    flush: () => copy.write(rows.takeFull()),
    async finish() {
      await copy.write(rows.finish());
      await copy.finish();
    },
    abort: () => copy.abort(),
  };
}

/** Adds rows from memory, in pieces. */
export async function stageHeldRows(staging: Staging, held: HeldRows): Promise<void> {
  for (let row = 0; row < held.count; row += 1) {
    staging.add(held.lines[row]!, held.code(row));
    if (row % sliceRows === sliceRows - 1) await staging.flush();
  }
}
