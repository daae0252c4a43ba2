import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { invalidInput, oneOf } from '../../../core/index.ts';

/** What a request may say about a list that it wants as CSV. */
export const csvParameters = {
  bom: Type.Optional(
    oneOf(['true', 'false'], {
      default: 'false',
      description: 'Whether a CSV begins with a byte order mark, by which Excel knows UTF-8. Of no effect on JSON.',
    }),
  ),
};

/** What a request may say about a CSV of redemptions. */
export const localParameter = {
  local: Type.Optional(
    oneOf(['true', 'false'], {
      default: 'false',
      description:
        'Whether a CSV of redemptions has, at the end of each line, `bookName`, `timeZone`, `localAt` and `localReversedAt`: its times on the clocks of its book, as `2026-11-28 21:05:09`. Of no effect on anything else.',
    }),
  ),
};

/** How a list is described that may also be had as CSV. */
export const csvDescription =
  'With `Accept: text/csv` the whole list is streamed: `limit` does not count, and `cursor` is refused. A text of a stranger’s that a spreadsheet would run as a formula has an apostrophe in front of it. `bom=true` begins the file with a byte order mark.';

/**
 * A CSV has the whole list, so it takes no cursor.
 * @throws CouponError `invalid-input`
 */
export function refuseCursor({ cursor }: { cursor?: string | undefined }): void {
  if (cursor !== undefined) throw invalidInput('cursor', 'has no place in a CSV, which is the whole list');
}

/**
 * Answers with a file that is streamed; to HEAD without a row of it. The type of a route's answers knows its JSON
 * alone.
 */
export function sendCsv(reply: FastifyReply, csv: Readable, name: string): never {
  return reply
    .type('text/csv; charset=utf-8')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(reply.request.method === 'HEAD' ? unread(csv) : csv) as never;
}

/**
 * Stands in for the file when only its head is asked for: the framework would read the file to its end, which may be
 * billions of rows.
 */
function unread(csv: Readable): Readable {
  csv.destroy();
  return Readable.from([]);
}
