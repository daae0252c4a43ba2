import type { BookRules } from '../books/read-book-rules.ts';
import { plainArray, textArray } from '../db/array-text.ts';
import type { Transaction } from '../db/transaction.ts';

/** A user in a book, as a batch that hands out codes sees it. */
export interface Holder {
  readonly bookId: number;
  readonly userId: string;
  /** Null until the user gets a first code of the book. */
  holderId: number | null;
  /** Coupons in hand, voided ones excluded; kept only where the book limits them. */
  codes: number;
}

/** A holder as a Map’s key. */
export function holderName(bookId: number, userId: string): string {
  return `${bookId}\n${userId}`;
}

/**
 * Reads the holders that these users are already, and counts their coupons where the book limits them. Exact under
 * the books' dealer locks: every new holder and every new coupon of a book is made under its dealer's lock. (Counting
 * rows that an upsert changed is not: its INSERT arm is not guarded by its WHERE, and a new user passes any limit.)
 */
export async function readHolders(
  tx: Transaction,
  tenantId: number,
  wanted: { bookId: number; userId: string }[],
  books: Map<number, BookRules>,
): Promise<Map<string, Holder>> {
  const holders = new Map<string, Holder>();
  for (const { bookId, userId } of wanted) {
    holders.set(holderName(bookId, userId), { bookId, userId, holderId: null, codes: 0 });
  }
  if (holders.size === 0) return holders;
  const asked = [...holders.values()];
  const { rows } = await tx.query<{ bookId: number; userId: string; holderId: number }>({
    name: 'read-holders',
    text: `select h.book_id as "bookId", h.user_id as "userId", h.holder_id as "holderId"
      from unnest($2::int[], $3::text[]) as w (book_id, user_id)
      cross join lateral (
        select * from holders where tenant_id = $1 and user_id = w.user_id and book_id = w.book_id limit 1) as h`,
    values: [
      tenantId,
      plainArray(asked.map((holder) => holder.bookId)),
      textArray(asked.map((holder) => holder.userId)),
    ],
  });
  for (const row of rows) holders.get(holderName(row.bookId, row.userId))!.holderId = row.holderId;
  await countCodes(
    tx,
    tenantId,
    asked.filter((holder) => (books.get(holder.bookId)?.maxCodesPerUser ?? null) !== null),
  );
  return holders;
}

async function countCodes(tx: Transaction, tenantId: number, holders: Holder[]): Promise<void> {
  const known = new Map(holders.flatMap((holder) => (holder.holderId === null ? [] : [[holder.holderId, holder]])));
  if (known.size === 0) return;
  const { rows } = await tx.query<{ holderId: number; codes: number }>({
    name: 'count-codes-of-holders',
    text: `select holder_id as "holderId", count(*) as codes from coupons
      where tenant_id = $1 and holder_id = any($2::bigint[]) and not voided group by holder_id`,
    values: [tenantId, plainArray([...known.keys()])],
  });
  for (const row of rows) known.get(row.holderId)!.codes = row.codes;
}

/** Makes the holders that have no row yet, and fills in their ids. Under the dealers' locks nobody else makes them. */
export async function insertHolders(tx: Transaction, tenantId: number, holders: Holder[]): Promise<void> {
  if (holders.length === 0) return;
  const { rows } = await tx.query<{ bookId: number; userId: string; holderId: number }>({
    name: 'insert-holders',
    text: `insert into holders (tenant_id, book_id, user_id) select $1::int, * from unnest($2::int[], $3::text[])
      returning book_id as "bookId", user_id as "userId", holder_id as "holderId"`,
    values: [
      tenantId,
      plainArray(holders.map((holder) => holder.bookId)),
      textArray(holders.map((holder) => holder.userId)),
    ],
  });
  const made = new Map(rows.map((row) => [holderName(row.bookId, row.userId), row.holderId]));
  for (const holder of holders) holder.holderId = made.get(holderName(holder.bookId, holder.userId))!;
}
