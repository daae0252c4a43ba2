import { Readable } from 'node:stream';
import { createBook, generateCodes, uploadCodes } from '../../../core/index.ts';
import { admin } from '../../support/open-test-core.ts';
import type { BenchDatabase } from './bench-database.ts';

/** A book with one deck. */
export interface BenchBook {
  /** As clients know it. */
  id: string;
  bookKey: number;
  deckKey: number;
  size: number;
  /** Null: uploaded. */
  patternId: number | null;
}

/** Limits of books as shops set them: three codes a user, one use a code. */
const terms = { status: 'active', maxCodesPerUser: 3, maxRedemptionsPerCode: 1 } as const;

/** Makes an active book with `size` generated codes. Books of one pattern share its sequence. */
export async function makeGeneratedBook(
  database: BenchDatabase,
  size: number,
  pattern = 'BENCH-##########',
): Promise<BenchBook> {
  const { core } = database;
  const book = (await createBook(core, admin, { name: `${size} generated`, ...terms }, null)).body;
  await generateCodes(core, admin, book.id, { count: size, pattern }, null);
  return findBook(database, book.id);
}

/** Makes an active book that anybody may use once by its public code. */
export async function makePublicBook({ core }: BenchDatabase, publicCode: string): Promise<void> {
  await createBook(core, admin, { name: publicCode, ...terms, publicCode }, null);
}

/** Makes an active book with `size` uploaded codes. */
export async function makeUploadedBook(database: BenchDatabase, size: number, prefix = 'UP'): Promise<BenchBook> {
  const { core } = database;
  const book = (await createBook(core, admin, { name: `${size} uploaded`, ...terms }, null)).body;
  const body = Readable.from(uploadLines(size, prefix));
  await uploadCodes(core, admin, book.id, { format: 'csv', body }, null);
  return findBook(database, book.id);
}

/** The lines of a file of codes that begin alike and go on at random, as a shop's own generator makes them. */
export function* uploadLines(size: number, prefix: string): Generator<Buffer> {
  const linesAtOnce = 10_000;
  // A multiplier that shares no factor with 2^40 leads to each number once, in an order that looks random.
  const multiplier = 0x9e3779b97fn;
  for (let from = 0; from < size; from += linesAtOnce) {
    let text = '';
    for (let i = from; i < Math.min(size, from + linesAtOnce); i += 1) {
      const scattered = (BigInt(i) * multiplier) & 0xffffffffffn;
      text += `${prefix}-${scattered.toString(16).toUpperCase().padStart(10, '0')}\n`;
    }
    yield Buffer.from(text);
  }
}

async function findBook({ client }: BenchDatabase, id: string): Promise<BenchBook> {
  const { rows } = await client.query<{ book_id: number; deck_id: number; size: string; pattern_id: number | null }>(
    `select b.book_id, d.deck_id, d.size, d.pattern_id from books b join decks d using (tenant_id, book_id)
      where b.tenant_id = 1 and b.id = $1`,
    [id],
  );
  const row = rows[0]!;
  return { id, bookKey: row.book_id, deckKey: row.deck_id, size: Number(row.size), patternId: row.pattern_id };
}
