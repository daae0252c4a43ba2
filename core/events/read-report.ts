import { type Static, Type } from 'typebox';
import { findBook } from '../books/find-book.ts';
import { bookNotFound } from '../books/read-book.ts';
import { zoneOfBook } from '../books/zone-of-book.ts';
import type { Caller } from '../caller.ts';
import type { Core } from '../core.ts';
import type { Queryable } from '../db/pool.ts';
import { invalidInput } from '../errors.ts';
import { oneOf, strictObject, Time } from '../input/shapes.ts';
import { placeBound, readBound, timeBound } from '../input/time-bounds.ts';
import type { BookKey } from '../keys.ts';
import { limits } from '../limits.ts';
import { type CountedKind, countedKinds } from './count-events.ts';
import { type ReportStep, stepsOf } from './report-rules.ts';

const zoneOfReport = 'of the book’s zone';

/** Which report of a book is asked for. */
export const ReportRequest = strictObject(
  {
    step: oneOf(['hour', 'day'], { description: 'How long a step is, on the clocks of the book’s zone.' }),
    from: Type.Optional(
      timeBound('A moment of the first step; left out: 30 days, or 7 with step=hour, before the last.', zoneOfReport),
    ),
    to: Type.Optional(
      timeBound(
        'The end; the last step is the one before it, and whole. A day counts as a whole. Left out: now.',
        zoneOfReport,
      ),
    ),
  },
  { examples: [{ step: 'day' }] },
);
export type ReportRequest = Static<typeof ReportRequest>;

const count = (what: string) => Type.Integer({ minimum: 0, description: what, examples: [12] });

/** A book's events by the hour or day. */
export const ReportView = Type.Object({
  timeZone: Type.String({
    description: 'The book’s zone, whose hours and days these are.',
    examples: ['Europe/Berlin'],
  }),
  step: oneOf(['hour', 'day']),
  data: Type.Array(
    Type.Object({
      at: { ...Time, description: 'When the step begins.' },
      assigned: count('Coupons assigned in the step.'),
      locked: count('Locks granted in the step; one that was renewed counts once.'),
      redeemed: count('Redemptions in the step, those given back later too.'),
      reversed: count('Redemptions given back in the step.'),
      voided: count('Coupons voided in the step, and codes voided one by one.'),
    }),
    { description: 'Every step of the span, in order. A day has 23 or 25 hours where the zone changes its clocks.' },
  ),
  settledUntil: {
    ...Time,
    description: 'Everything that happened before this moment is counted; it trails by a few seconds.',
  },
});
export type ReportView = Static<typeof ReportView>;

type ReportRow = ReportView['data'][number];

const defaultDays: Record<ReportStep, number> = { hour: 7, day: 30 };
const dayMillis = 86_400_000;

/**
 * What happened in a book, by the hour or day of its zone. It reads the counts of quarters of an hour, never the
 * events.
 * @throws CouponError `invalid-input` naming `from` or `to`; `book-not-found`, for an id that is no UUID too
 */
export async function readReport(
  core: Pick<Core, 'pool' | 'knownBooks' | 'clock'>,
  caller: Caller,
  bookId: string,
  request: ReportRequest,
): Promise<ReportView> {
  const { tenantId } = caller;
  const given = { from: readBound('from', request.from), to: readBound('to', request.to) };
  const bookKey = await findBook(core, tenantId, bookId);
  const timeZone = await zoneOfBook(core.pool, tenantId, bookKey);
  if (timeZone === null) throw bookNotFound();
  const { step } = request;
  const to = placeBound('to', given.to, timeZone, 'end') ?? core.clock.now();
  const from = placeBound('from', given.from, timeZone, 'start') ?? Math.max(0, to - defaultDays[step] * dayMillis);
  if (to <= from) {
    throw given.to === null
      ? invalidInput('from', 'must be before now, where the report ends unless `to` says otherwise')
      : invalidInput('to', 'must be after from');
  }
  const bounds = stepsOf(new Date(from), new Date(to), step, timeZone, limits.reportMaxSteps);
  if (bounds === null) {
    const instead = step === 'hour' ? '; ask by the day, or for a shorter time' : '; ask for a shorter time';
    throw invalidInput('from', `a report has at most ${limits.reportMaxSteps} steps${instead}`);
  }
  const { settledUntil, quarters } = await readCounts(core.pool, tenantId, bookKey, bounds[0]!, bounds.at(-1)!);
  return { timeZone, step, data: addUp(bounds, quarters), settledUntil: settledUntil.toISOString() };
}

/** The counts of a quarter of an hour. */
interface Quarter extends Record<CountedKind, number> {
  at: Date;
}

/** Both from one snapshot. */
async function readCounts(db: Queryable, tenantId: number, bookKey: BookKey, from: number, to: number) {
  const { rows } = await db.query<{ settledUntil: Date } & (Quarter | { at: null })>({
    name: 'read-report',
    text: `select counted_until as "settledUntil", c.* from counted_events left join lateral (
        select at, ${countedKinds.join(', ')} from event_counts
        where tenant_id = $1 and book_id = $2 and at >= $3 and at < $4) as c on true`,
    values: [tenantId, bookKey, new Date(from), new Date(to)],
  });
  return {
    settledUntil: rows[0]!.settledUntil,
    quarters: rows.filter((row): row is { settledUntil: Date } & Quarter => row.at !== null),
  };
}

function addUp(bounds: readonly number[], quarters: readonly Quarter[]): ReportRow[] {
  const steps = bounds.slice(0, -1).map((at) => ({ at: new Date(at).toISOString(), ...nothing() }));
  const inOrder = [...quarters].sort((a, b) => a.at.getTime() - b.at.getTime());
  let place = 0;
  for (const quarter of inOrder) {
    while (bounds[place + 1]! <= quarter.at.getTime()) place += 1;
    for (const kind of countedKinds) steps[place]![kind] += quarter[kind];
  }
  return steps;
}

const nothing = (): Record<CountedKind, number> => ({ assigned: 0, locked: 0, redeemed: 0, reversed: 0, voided: 0 });
