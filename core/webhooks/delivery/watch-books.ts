import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import { inTransaction, type Transaction } from '../../db/transaction.ts';
import type { BookKey } from '../../keys.ts';
import { eventTypeNumbers, subjects } from '../event-types.ts';
import { crossedLines, type Stock, stockSql, stocks } from './stock-rules.ts';

type WatchCore = Pick<Core, 'backgroundPool'>;

const restMillis = 2_000;
/** Sets this lock apart from every other advisory lock of two numbers: "BOOK" in ASCII. */
const lockClass = 0x424f4f4b;
const booksAtOnce = 200;

const stockTypes = [eventTypeNumbers['book.low-stock'], eventTypeNumbers['book.exhausted']];
const bookTypes = [
  eventTypeNumbers['book.opened'],
  eventTypeNumbers['book.paused'],
  eventTypeNumbers['book.closed'],
  ...stockTypes,
].join(', ');

/** The type of a book's revision `r` after the one `before`, null for one that is not told. */
export const statusTypeSql = `case when r.status is not distinct from before.status then null
  when r.status = 'active' then ${eventTypeNumbers['book.opened']}
  when r.status = 'paused' then ${eventTypeNumbers['book.paused']}
  when r.status = 'closed' then ${eventTypeNumbers['book.closed']} end`;

/** Tells webhooks of books, in whichever process comes first. */
export function watchBooksTask(core: WatchCore): BackgroundTask {
  return { name: 'watch books', restMillis, run: () => watchBooks(core) };
}

/**
 * Makes the deliveries of books that were opened, paused or closed, and of books whose codes have become few or none
 * since the last look. A book's revisions have no gap and are committed in order, so each is told once, whenever it
 * comes to be seen. Stock is looked at from time to time: what is refilled in between was never low.
 * @returns whether there are more
 */
export async function watchBooks({ backgroundPool }: WatchCore): Promise<'more' | 'rest'> {
  return inTransaction(backgroundPool, async (tx) => {
    const { rows } = await tx.query<{ isMine: boolean }>({
      name: 'lock-watched-books',
      text: `select pg_try_advisory_xact_lock($1, 0) as "isMine"
        where exists (select from webhooks where status = 'enabled' and types && array[${bookTypes}]::smallint[])`,
      values: [lockClass],
    });
    if (rows[0]?.isMine !== true) return 'rest';
    const books = await changedBooks(tx);
    for (const book of books) await tell(tx, book);
    return books.length === booksAtOnce ? 'more' : 'rest';
  });
}

interface ChangedBook {
  tenantId: number;
  bookKey: BookKey;
  rev: number;
  toldRev: number;
  before: Stock;
  after: Stock;
  stockSeq: number;
  codes: number;
  available: number;
}

/**
 * Books whose revision or stock has changed since webhooks were told, of tenants that want to be told. A book seen for
 * the first time counts as having had enough codes if a webhook wanted to know when it was made; otherwise what it has
 * now is where telling begins.
 */
async function changedBooks(tx: Transaction): Promise<ChangedBook[]> {
  const { rows } = await tx.query<ChangedBook>({
    name: 'changed-books',
    text: `select b.tenant_id as "tenantId", b.book_id as "bookKey", b.rev, coalesce(told.told_rev, 0) as "toldRev",
        before, after, coalesce(told.stock_seq, 0) as "stockSeq", codes, available
      from (
        select tenant_id, min(created_at) filter (where types && array[${stockTypes.join(', ')}]::smallint[]) as since
        from webhooks where status = 'enabled' and types && array[${bookTypes}]::smallint[] group by tenant_id) as wanting
      join books b on b.tenant_id = wanting.tenant_id
      left join webhook_books told on told.tenant_id = b.tenant_id and told.book_id = b.book_id
      cross join lateral (
        select coalesce(sum(size), 0)::bigint as codes, coalesce(sum(size - next_pos - taken_ahead), 0)::bigint as available
        from (select * from decks where book_id = b.book_id offset 0) as of_book where tenant_id = b.tenant_id) as counts
      cross join lateral (select case when b.status in ('active', 'paused') then ${stockSql} else 0 end as after) as now
      cross join lateral (select coalesce(told.stock, case when b.created_at > since then 0 else after end) as before) as former
      where told.told_rev is distinct from b.rev or told.stock is distinct from after
      limit ${booksAtOnce}`,
    values: [],
  });
  return rows;
}

async function tell(tx: Transaction, book: ChangedBook): Promise<void> {
  const { tenantId, bookKey, rev, toldRev, before, after, stockSeq } = book;
  await tx.query({
    name: 'tell-book-revisions',
    text: `insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
      select w.tenant_id, w.webhook_id, type, ${subjects.book}, r.book_id, 0, r.rev, r.at, now, now
      from book_revisions r left join book_revisions before
        on before.tenant_id = $1 and before.book_id = r.book_id and before.rev = r.rev - 1
      cross join lateral (select ${statusTypeSql} as type) as typed
      join webhooks w on w.tenant_id = $1 and w.status = 'enabled' and type = any(w.types) and r.at >= w.created_at
      cross join clock_timestamp() as now
      where r.tenant_id = $1 and r.book_id = $2 and r.rev > $3 and r.rev <= $4
      order by r.rev on conflict do nothing`,
    values: [tenantId, bookKey, toldRev, rev],
  });
  const lines = crossedLines(before, after);
  for (const [index, line] of lines.entries()) await tellStock(tx, book, line, stockSeq + index + 1);
  await tx.query({
    name: 'remember-told-book',
    text: `insert into webhook_books (tenant_id, book_id, told_rev, stock, stock_seq) values ($1, $2, $3, $4, $5)
      on conflict (tenant_id, book_id) do update set told_rev = $3, stock = $4, stock_seq = $5`,
    values: [tenantId, bookKey, rev, after, stockSeq + lines.length],
  });
}

async function tellStock(
  tx: Transaction,
  { tenantId, bookKey, codes, available }: ChangedBook,
  line: Stock,
  seq: number,
): Promise<void> {
  const type = line === stocks.low ? eventTypeNumbers['book.low-stock'] : eventTypeNumbers['book.exhausted'];
  await tx.query({
    name: 'tell-stock',
    text: `with changed as (
        insert into stock_changes (tenant_id, book_id, seq, at, stock, codes, available)
        values ($1, $2, $3, date_trunc('milliseconds', clock_timestamp()), $4, $5, $6) returning at)
      insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
      select $1, webhook_id, $7, ${subjects.stock}, $2, 0, $3, at, now, now
      from webhooks cross join changed cross join clock_timestamp() as now
      where tenant_id = $1 and status = 'enabled' and $7 = any(types) on conflict do nothing`,
    values: [tenantId, bookKey, seq, line, codes, available, type],
  });
}
