import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import type { Queryable } from '../../db/pool.ts';
import { inTransaction, type Transaction } from '../../db/transaction.ts';
import type { BookKey } from '../../keys.ts';
import { eventTypeNumbers, subjects } from '../event-types.ts';
import { crossedLines, type Stock, stockSql, stocks } from './stock-rules.ts';

type WatchCore = Pick<Core, 'announcer' | 'backgroundPool' | 'clock' | 'log'>;

const restMillis = 2_000;
/**
 * With so many books that a look takes long, looks come further apart: at most a twentieth of the time, or a minute.
 */
const restPerWork = 20;
const restMaxMillis = 60_000;
/** How often the log says how many books run out: for a metric, which an alarm or a graph looks at by the minute. */
const countEveryMillis = 60_000;
/** Sets this lock apart from every other advisory lock of two numbers: "BOOK" in ASCII. */
const lockClass = 0x424f4f4b;
const booksAtOnce = 200;

const stockTypes = [eventTypeNumbers['book.low-stock'], eventTypeNumbers['book.exhausted']];
/** The type of a book's revision `r` after the one `before`, null for one that is not told. */
export const statusTypeSql = `case when r.status is not distinct from before.status then null
  when r.status = 'active' then ${eventTypeNumbers['book.opened']}
  when r.status = 'paused' then ${eventTypeNumbers['book.paused']}
  when r.status = 'closed' then ${eventTypeNumbers['book.closed']} end`;

/** Tells webhooks and operators of books, in whichever process comes first. */
export function watchBooksTask(core: WatchCore): BackgroundTask {
  const { clock, log, backgroundPool } = core;
  let nextLookAt = Number.NEGATIVE_INFINITY;
  let nextCountAt = Number.NEGATIVE_INFINITY;
  return {
    name: 'watch books',
    restMillis,
    async run() {
      const began = clock.monotonic();
      if (began < nextLookAt) return 'rest';
      if ((await watchBooks(core)) === 'more') return 'more';
      if (began >= nextCountAt) {
        nextCountAt = began + countEveryMillis;
        log.info(await countRunningOut(backgroundPool), 'books that run out');
      }
      const now = clock.monotonic();
      nextLookAt = now + Math.min(restMaxMillis, restPerWork * (now - began));
      return 'rest';
    },
  };
}

/** Books of all tenants that are open or paused, by how much is left when they were last looked at. */
export interface RunningOut {
  /** Those with a tenth of their codes or less, and at least one. */
  lowBooks: number;
  /** Those with none. */
  exhaustedBooks: number;
}

/** Counts the books that run out, as the last look at them has found. */
export async function countRunningOut(db: Queryable): Promise<RunningOut> {
  const { rows } = await db.query<RunningOut>({
    name: 'count-running-out',
    text: `select count(*) filter (where stock = ${stocks.low})::int as "lowBooks",
        count(*) filter (where stock = ${stocks.none})::int as "exhaustedBooks"
      from webhook_books where stock > 0`,
    values: [],
  });
  return rows[0]!;
}

/**
 * Makes the deliveries of books that were opened, paused or closed, and of those whose codes have come to be few or
 * none since the last look; of these last, operators are told as well (announce-stock.ts), and the log says so. A
 * book's revisions have no gap and are committed in order, so each is told once, whenever it comes to be seen. Stock is
 * looked at from time to time: what is refilled in between was never low. One process looks at a time.
 * @returns whether there are more
 */
export async function watchBooks(core: WatchCore): Promise<'more' | 'rest'> {
  const { books, crossed } = await inTransaction(core.backgroundPool, async (tx) => {
    const { rows } = await tx.query<{ isMine: boolean }>({
      name: 'lock-watched-books',
      text: 'select pg_try_advisory_xact_lock($1, 0) as "isMine"',
      values: [lockClass],
    });
    if (rows[0]?.isMine !== true) return { books: [], crossed: [] };
    const changed = await changedBooks(tx);
    const lines: Crossed[] = [];
    for (const book of changed) lines.push(...(await tell(tx, book, core.announcer !== null)));
    return { books: changed, crossed: lines };
  });
  for (const { line, tenantId, bookId, codes, available } of crossed) {
    const message = line === stocks.low ? 'a book has few codes left' : 'a book has no codes left';
    core.log.info({ tenantId, bookId, codes, available }, message);
  }
  return books.length === booksAtOnce ? 'more' : 'rest';
}

/** A line that a book's stock has crossed on its way down. */
interface Crossed extends ChangedBook {
  line: Stock;
}

interface ChangedBook {
  tenantId: number;
  bookKey: BookKey;
  bookId: string;
  rev: number;
  /** 0: it is looked at for the first time. */
  toldRev: number;
  before: Stock;
  after: Stock;
  stockSeq: number;
  codes: number;
  available: number;
}

/**
 * Books whose revision or stock is another than was told. One that is seen for the first time counts as having had
 * enough codes if it was made after the watching of all books began, or after a webhook wanted to know; otherwise what
 * it has now is where telling begins.
 */
async function changedBooks(tx: Transaction): Promise<ChangedBook[]> {
  const { rows } = await tx.query<ChangedBook>({
    name: 'changed-books',
    text: `select b.tenant_id as "tenantId", b.book_id as "bookKey", b.id as "bookId", b.rev,
        coalesce(told.told_rev, 0) as "toldRev", before, after, coalesce(told.stock_seq, 0) as "stockSeq", codes, available
      from stock_watch cross join books b
      left join (
        select tenant_id, min(created_at) as since
        from webhooks where status = 'enabled' and types && array[${stockTypes.join(', ')}]::smallint[]
        group by tenant_id) as wanting on wanting.tenant_id = b.tenant_id
      left join webhook_books told on told.tenant_id = b.tenant_id and told.book_id = b.book_id
      cross join lateral (
        select coalesce(sum(size), 0)::bigint as codes, coalesce(sum(size - next_pos - taken_ahead), 0)::bigint as available
        from (select * from decks where book_id = b.book_id offset 0) as of_book where tenant_id = b.tenant_id) as counts
      cross join lateral (select case when b.status in ('active', 'paused') then ${stockSql} else 0 end as after) as now
      cross join lateral (
        select coalesce(told.stock,
          case when b.created_at > least(wanting.since, stock_watch.since) then 0 else after end) as before) as former
      where told.told_rev is distinct from b.rev or told.stock is distinct from after
      limit ${booksAtOnce}`,
    values: [],
  });
  return rows;
}

/** @returns the lines that were crossed */
async function tell(tx: Transaction, book: ChangedBook, isAnnounced: boolean): Promise<Crossed[]> {
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
  for (const [index, line] of lines.entries()) await tellStock(tx, book, line, stockSeq + index + 1, isAnnounced);
  await tx.query({
    name: 'remember-told-book',
    text: `insert into webhook_books (tenant_id, book_id, told_rev, stock, stock_seq) values ($1, $2, $3, $4, $5)
      on conflict (tenant_id, book_id) do update set told_rev = $3, stock = $4, stock_seq = $5`,
    values: [tenantId, bookKey, rev, after, stockSeq + lines.length],
  });
  return lines.map((line) => ({ ...book, line }));
}

/** A webhook that was made after a book which nobody has looked at yet is not told of what may have been before it. */
async function tellStock(
  tx: Transaction,
  { tenantId, bookKey, codes, available, toldRev }: ChangedBook,
  line: Stock,
  seq: number,
  isAnnounced: boolean,
): Promise<void> {
  const type = line === stocks.low ? eventTypeNumbers['book.low-stock'] : eventTypeNumbers['book.exhausted'];
  await tx.query({
    name: 'tell-stock',
    text: `with changed as (
        insert into stock_changes (tenant_id, book_id, seq, at, stock, codes, available, announce_at)
        select $1, $2, $3, date_trunc('milliseconds', now), $4, $5, $6, case when $8 then now end
        from clock_timestamp() as now returning at)
      insert into webhook_deliveries (tenant_id, webhook_id, type, subject, part, pos, rev, at, created_at, next_at)
      select $1, webhook_id, $7, ${subjects.stock}, $2, 0, $3, at, now, now
      from webhooks cross join changed cross join clock_timestamp() as now
      where tenant_id = $1 and status = 'enabled' and $7 = any(types) and (
        not $9 or created_at < (select created_at from books where tenant_id = $1 and book_id = $2))
      on conflict do nothing`,
    values: [tenantId, bookKey, seq, line, codes, available, type, isAnnounced, toldRev === 0],
  });
}
