import type { BackgroundTask } from '../../background/run-tasks.ts';
import type { Core } from '../../core.ts';
import type { Queryable } from '../../db/pool.ts';
import type { BookKey } from '../../keys.ts';
import { announceMaxMillis, type StockNews } from '../announcer.ts';
import { stocks } from './stock-rules.ts';

type AnnounceCore = Pick<Core, 'announcer' | 'backgroundPool' | 'clock'>;

const restMillis = 2_000;
/** Announcements of a piece, one after the other: each is a call of some ten milliseconds. */
const newsAtOnce = 20;
/**
 * After this time a claim may be taken by another process: the one that made it has died, or could not announce. Longer
 * than an announcement takes.
 */
const leaseMillis = 60_000;
/** After this time an announcement that could not be made is given up: it is no news any more. */
const newsMaxAgeMillis = 3 * 24 * 3_600_000;

/** Tells operators of books that run out; null where there is no way to. */
export function announceStockTask(core: AnnounceCore): BackgroundTask | null {
  return core.announcer === null
    ? null
    : { name: 'announce stock', restMillis, run: (signal) => announceStock(core, signal) };
}

/**
 * Tells operators of each line that a book's stock has crossed, once: a process claims one, tells it, and notes that it
 * did. One that dies in between, or fails, leaves the claim to run out, and another process tells it: what was told and
 * not noted is told twice.
 * @returns whether there may be more
 * @throws Error the announcer's; what it could not tell is tried again after a minute, behind all else
 */
export async function announceStock(core: AnnounceCore, signal: AbortSignal): Promise<'more' | 'rest'> {
  const { announcer, backgroundPool: db, clock } = core;
  if (announcer === null) return 'rest';
  await giveUpOld(db);
  for (let count = 0; count < newsAtOnce; count += 1) {
    if (signal.aborted) return 'rest';
    const claimedAt = clock.monotonic();
    const claimed = await claimNews(db);
    if (claimed === null) return 'rest';
    // A process that was frozen leaves it to whoever claims it next.
    if (clock.monotonic() - claimedAt > leaseMillis - 2 * announceMaxMillis) return 'more';
    await announcer.announce(newsOf(claimed));
    await noteTold(db, claimed);
  }
  return 'more';
}

interface Claimed extends Omit<StockNews, 'stock' | 'at'> {
  tenantId: number;
  bookKey: BookKey;
  seq: number;
  stock: number;
  at: Date;
}

function newsOf({ tenant, bookId, name, stock, codes, available, at }: Claimed): StockNews {
  const isNone = stock === stocks.none;
  return {
    tenant,
    bookId,
    name,
    stock: isNone ? 'none' : 'low',
    codes,
    // A book that ran out at once crossed both lines with the same counts.
    available: isNone ? 0 : available,
    at: at.toISOString(),
  };
}

/** The one that has waited longest; null: none is open. */
async function claimNews(db: Queryable): Promise<Claimed | null> {
  const { rows } = await db.query<Claimed>({
    name: 'claim-stock-news',
    text: `with open as materialized (
        select tenant_id, book_id, seq from stock_changes where announce_at <= clock_timestamp()
        order by announce_at, seq limit 1 for no key update skip locked)
      update stock_changes s set announce_at = clock_timestamp() + make_interval(secs => $1::float8 / 1000)
      from open join books b on b.tenant_id = open.tenant_id and b.book_id = open.book_id
      join tenants t on t.tenant_id = open.tenant_id
      where s.tenant_id = open.tenant_id and s.book_id = open.book_id and s.seq = open.seq
      returning s.tenant_id as "tenantId", s.book_id as "bookKey", s.seq, t.slug as tenant, b.id as "bookId", b.name,
        s.stock, s.codes, s.available, s.at`,
    values: [leaseMillis],
  });
  return rows[0] ?? null;
}

async function noteTold(db: Queryable, { tenantId, bookKey, seq }: Claimed): Promise<void> {
  await db.query({
    name: 'note-stock-news-told',
    text: 'update stock_changes set announce_at = null where tenant_id = $1 and book_id = $2 and seq = $3',
    values: [tenantId, bookKey, seq],
  });
}

async function giveUpOld(db: Queryable): Promise<void> {
  await db.query({
    name: 'give-up-old-stock-news',
    text: `update stock_changes set announce_at = null
      where announce_at is not null and at < clock_timestamp() - make_interval(secs => $1::float8 / 1000)`,
    values: [newsMaxAgeMillis],
  });
}
