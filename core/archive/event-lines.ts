import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { eventKinds } from '../coupons/rules/coupon-state.ts';
import type { Queryable } from '../db/pool.ts';
import { ArchiveError } from './archive-error.ts';
import type { EventKey } from './manifest.ts';

/**
 * One event, as a line of the archive has it. It names tenant, deck, coupon and holder by the database's numbers: no
 * user id and no code is in the archive, and no reason, which is text that a person wrote and may be about a user. So
 * nothing in it has to be changed when a user is erased: the holder's number leads nowhere then.
 */
export const ArchivedEvent = Type.Object(
  {
    tenant: Type.Integer({ minimum: 1 }),
    deck: Type.Integer({ minimum: 1 }),
    pos: Type.Integer({ minimum: 0 }),
    rev: Type.Integer({ minimum: 1 }),
    at: Type.String(),
    kind: Type.Enum([...eventKinds]),
    holder: Type.Union([Type.Integer(), Type.Null()]),
    redemptions: Type.Integer({ minimum: 0 }),
    fence: Type.Integer({ minimum: 0 }),
    lockExpiresAt: Type.Union([Type.String(), Type.Null()]),
    expiresAt: Type.Union([Type.String(), Type.Null()]),
    redemption: Type.Union([Type.String(), Type.Null()]),
    actor: Type.String(),
  },
  { additionalProperties: false },
);
export type ArchivedEvent = Static<typeof ArchivedEvent>;

const validator = Compile(ArchivedEvent);

/** Rows that one statement reads: some megabytes. */
export const pageRows = 10_000;

/** Before the first event of all. */
export const beforeAll: EventKey = [0, 0, 0, 0];

/** An event with its key, as text that is the same for the same event at any time. */
export interface EventLine {
  key: EventKey;
  line: string;
}

/** To the microsecond: the last digits of a lock's end say which form its token has. */
const timeText = (column: string) => `to_char(${column}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Reads a month's events after a key, in the order of keys, a page at a time and each in a statement of its own: no
 * snapshot is kept meanwhile, and memory does not grow with the month.
 * @param table of the month, from listEventMonths
 * @param until only events before this moment
 */
export async function* readEventPages(
  db: Queryable,
  table: string,
  after: EventKey,
  until: string,
): AsyncGenerator<EventLine[]> {
  for (let last = after; ; ) {
    const { rows } = await db.query<{ t: number; d: number; p: number; r: number; line: string }>(
      `select tenant_id as t, deck_id as d, pos as p, rev as r, json_build_object(
          'tenant', tenant_id, 'deck', deck_id, 'pos', pos, 'rev', rev, 'at', ${timeText('at')},
          'kind', ($1::text[])[kind], 'holder', holder_id, 'redemptions', redemptions, 'fence', fence,
          'lockExpiresAt', ${timeText('lock_expires_at')}, 'expiresAt', ${timeText('expires_at')},
          'redemption', redemption_id, 'actor', actor)::text as line
        from ${table} where (tenant_id, deck_id, pos, rev) > ($2, $3, $4, $5) and at < $6::timestamptz
        order by tenant_id, deck_id, pos, rev limit ${pageRows}`,
      [[...eventKinds], ...last, until],
    );
    if (rows.length > 0) yield rows.map(({ t, d, p, r, line }) => ({ key: [t, d, p, r], line }));
    if (rows.length < pageRows) return;
    const { t, d, p, r } = rows.at(-1)!;
    last = [t, d, p, r];
  }
}

/** @throws ArchiveError where the line is no event */
export function parseEventLine(line: string, where: string): ArchivedEvent {
  let parsed: unknown = null;
  try {
    parsed = JSON.parse(line);
  } catch {}
  if (!validator.Check(parsed))
    throw new ArchiveError(`${where} has a line that is no event: restore the file from a copy`);
  return parsed as ArchivedEvent;
}

/** Where an event stands. */
export function eventKeyOf({ tenant, deck, pos, rev }: ArchivedEvent): EventKey {
  return [tenant, deck, pos, rev];
}

/** Below 0: `a` comes first. */
export function compareKeys(a: EventKey, b: EventKey): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2] || a[3] - b[3];
}
