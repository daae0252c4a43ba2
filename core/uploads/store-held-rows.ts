import { setImmediate as nextTurn } from 'node:timers/promises';
import { BinaryCopy } from '../db/copy/binary-copy.ts';
import { type Copy, openCopy } from '../db/copy/open-copy.ts';
import { constraintOf } from '../db/sql-errors.ts';
import type { Transaction } from '../db/transaction.ts';
import { blockCodes, blockSeparator } from '../decks/deck-block-rules.ts';
import type { DeckKey } from '../keys.ts';
import { limits } from '../limits.ts';
import type { Random } from '../random.ts';
import type { HeldRows } from './held-rows.ts';
import { orderByCode, shuffledOrder } from './order-rows.ts';

/** Rows with their order and their positions in the deck. Made before any lock is taken. */
export interface OrderedRows {
  readonly rows: HeldRows;
  /** Rows in the order of their codes. */
  readonly byCode: Uint32Array;
  /** By row: its position in the deck. */
  readonly positions: Uint32Array;
  /** Whether a duplicate was seen. There may be others: only the database's index finds all. */
  readonly hasDuplicates: boolean;
}

/** After so many rows the pieces are sent, and other work of the process gets its turn. */
const sliceRows = 8_192;

/** Orders rows that are to be stored: by code for the index, at random for the deck. */
export async function orderRows(rows: HeldRows, random: Random): Promise<OrderedRows> {
  const byCode = await orderByCode(rows);
  const hasDuplicates = byCode.some((row, k) => k > 0 && rows.isSameCode(row, byCode[k - 1]!));
  await nextTurn();
  return { rows, byCode, positions: shuffledOrder(rows.count, random), hasDuplicates };
}

/**
 * Stores all rows as the codes of a deck. If the tenant or the file has one of them twice, stores none and returns
 * false; the transaction can go on. Call it under the tenant's lock. Throws what else the database throws.
 */
export async function storeHeldRows(
  tx: Transaction,
  tenantId: number,
  deckKey: DeckKey,
  ordered: OrderedRows,
): Promise<boolean> {
  if (ordered.hasDuplicates) return false;
  await tx.query('savepoint before_rows');
  try {
    await copyCodes(tx, tenantId, deckKey, ordered);
  } catch (error) {
    if (constraintOf(error) !== 'deck_codes_code_key') throw error;
    await tx.query('rollback to savepoint before_rows');
    return false;
  }
  await copyBlocks(tx, tenantId, deckKey, ordered);
  return true;
}

function copyCodes(tx: Transaction, tenantId: number, deckKey: DeckKey, ordered: OrderedRows): Promise<void> {
  const { rows, byCode, positions } = ordered;
  const { text, starts } = rows;
  return copyAll(tx, 'deck_codes (tenant_id, deck_id, pos, code)', byCode.length, (copy, k) => {
    const row = byCode[k]!;
    copy.row(4, 16 + limits.codeLengthMaxChars);
    copy.int4(tenantId);
    copy.int4(deckKey);
    copy.int8(positions[row]!);
    copy.bytes(text, starts[row]!, starts[row + 1]!);
  });
}

function copyBlocks(
  tx: Transaction,
  tenantId: number,
  deckKey: DeckKey,
  { rows, positions }: OrderedRows,
): Promise<void> {
  const rowAt = new Uint32Array(positions.length);
  for (const [row, pos] of positions.entries()) rowAt[pos] = row;
  const blocks = Math.ceil(rowAt.length / blockCodes);
  return copyAll(tx, 'deck_blocks (tenant_id, deck_id, block, codes)', blocks, (copy, block) => {
    copy.row(4, 16 + blockCodes * (limits.codeLengthMaxChars + 1));
    copy.int4(tenantId);
    copy.int4(deckKey);
    copy.int8(block);
    copy.joined(rows.text, rows.starts, rowAt.subarray(block * blockCodes, (block + 1) * blockCodes), blockSeparator);
  });
}

/** Copies `count` rows that `add` writes one by one. */
async function copyAll(
  tx: Transaction,
  into: string,
  count: number,
  add: (rows: BinaryCopy, k: number) => void,
): Promise<void> {
  const rows = new BinaryCopy();
  const copy: Copy = openCopy(tx, into);
  try {
    for (let k = 0; k < count; k += 1) {
      add(rows, k);
      if (k % sliceRows === sliceRows - 1) {
        await copy.write(rows.takeFull());
        await nextTurn();
      }
    }
    await copy.write(rows.finish());
    await copy.finish();
  } catch (error) {
    await copy.abort();
    throw error;
  }
}
