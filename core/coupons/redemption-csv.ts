import { csvCell } from '../codes/csv-cell.ts';
import type { Queryable } from '../db/pool.ts';
import type { RedemptionView } from './redemption-view.ts';

/** The lines of an export. */
export const redemptionCsv = {
  header: 'id,code,bookId,userId,seq,at,reference,metadata,reversedAt\r\n',
  line({ id, code, bookId, userId, seq, at, reference, metadata, reversedAt }: RedemptionView): string {
    const texts = [userId, reference, metadata === null ? null : JSON.stringify(metadata)];
    const [user, order, fields] = texts.map((text) => (text === null ? '' : csvCell(text)));
    return `${id},${code},${bookId},${user},${seq},${at},${order},${fields},${reversedAt ?? ''}\r\n`;
  },
};

/** What a line has for people behind its own columns: its book by name, and its times on the clocks of that book. */
const columns = ['bookName', 'timeZone', 'localAt', 'localReversedAt'];

/** Formatters are dear to make, and there is one for a zone. */
const kept = new Map<string, Intl.DateTimeFormat>();

/** The lines of an export of redemptions for people who look at it, such as finance. */
export const localRedemptionCsv = {
  header: redemptionCsv.header.replace('\r\n', `,${columns.join(',')}\r\n`),
  /** A zone is the one that the book has now: a change of it moves no instant. */
  async lines(db: Queryable, tenantId: number, redemptions: readonly RedemptionView[]): Promise<string> {
    const books = await readBooks(db, tenantId, [...new Set(redemptions.map(({ bookId }) => bookId))]);
    return redemptions
      .map((redemption) => {
        const { name, zone } = books.get(redemption.bookId) ?? { name: '', zone: 'UTC' };
        const times = [redemption.at, redemption.reversedAt].map((at) => (at === null ? '' : localTime(at, zone)));
        return `${redemptionCsv.line(redemption).trimEnd()},${[csvCell(name), zone, ...times].join(',')}\r\n`;
      })
      .join('');
  },
};

async function readBooks(
  db: Queryable,
  tenantId: number,
  ids: readonly string[],
): Promise<Map<string, { name: string; zone: string }>> {
  const { rows } = await db.query<{ id: string; name: string; zone: string }>({
    name: 'books-of-redemptions',
    text: 'select id, name, time_zone as zone from books where tenant_id = $1 and id = any($2::uuid[])',
    values: [tenantId, ids],
  });
  return new Map(rows.map(({ id, ...book }) => [id, book]));
}

/** To the second, in the form that a spreadsheet takes for a time in any country: `2026-11-28 21:05:09`. */
function localTime(at: string, zone: string): string {
  let format = kept.get(zone);
  if (format === undefined) {
    const date = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
    const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
    format = new Intl.DateTimeFormat('sv-SE', { ...date, ...time, timeZone: zone });
    kept.set(zone, format);
  }
  return format.format(new Date(at));
}
