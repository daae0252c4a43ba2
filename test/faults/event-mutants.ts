import type { Mutant } from './mutant-list.ts';

const settledEvents = 'test/integration/settled-events.test.ts';
const indexed = 'the index of times, behind a stretch that ends at a moment of a year to come';
const aged = 'a candidate is left until it is 800 ms old';

/** What settles events, counts them, and finds them by their time. */
export const eventMutants: Mutant[] = [
  {
    takesOut: 'the age of a candidate (each process settles events for itself)',
    file: 'core/events/settled-events.ts',
    edits: [{ find: 'await settleEvents(core, turnMillis);', replace: 'await settleEvents(core);' }],
    testFile: settledEvents,
    caughtBy: aged,
  },
  {
    takesOut: 'the settling of a candidate from the future, whose clock went back',
    file: 'core/events/settled-events.ts',
    edits: [{ find: ' or candidate_until > now(), true)', replace: ', true)' }],
    testFile: settledEvents,
    caughtBy: aged,
  },
  {
    takesOut: 'the beginning of settling where there is no candidate yet',
    file: 'core/events/settled-events.ts',
    edits: [{ find: 'or candidate_until > now(), true)', replace: 'or candidate_until > now(), false)' }],
    testFile: settledEvents,
    caughtBy: aged,
  },
  {
    takesOut: 'the dropping of a candidate of another cluster’s ids',
    file: 'core/events/settled-events.ts',
    edits: [
      {
        find: `candidate_xid = case when oldest <= s.candidate_xid and s.candidate_xid < next then`,
        replace: `candidate_xid = case when oldest <= s.candidate_xid then`,
      },
    ],
    testFile: settledEvents,
    caughtBy: 'a candidate of ids that are yet to come, as after a dump, is dropped',
  },
  {
    takesOut: 'the gathering behind a stretch with many events',
    file: 'core/events/stride.ts',
    edits: [{ find: '(isBusy ? Math.min(', replace: '(isBusy ? 0 * Math.min(' }],
    testFile: settledEvents,
    caughtBy: 'behind a stretch with many events the next one is left until it is some seconds long',
  },
  {
    takesOut: 'the end of gathering behind a stretch with few events',
    file: 'core/events/stride.ts',
    edits: [{ find: 'isBusy = events >= rules.busyEvents;', replace: 'isBusy ||= events >= rules.busyEvents;' }],
    testFile: settledEvents,
    caughtBy: 'behind a stretch with many events the next one is left until it is some seconds long',
  },
  {
    takesOut: 'the shorter stretches behind one that took too long',
    file: 'core/events/count-events.ts',
    edits: [{ find: 'if (isTimeout(error)) stride.tookTooLong();', replace: 'void isTimeout;' }],
    testFile: settledEvents,
    caughtBy: 'a stretch that takes longer than a statement may is counted in shorter ones',
  },
  {
    takesOut: 'the entering of new events into the index of times',
    file: 'core/events/count-events.ts',
    edits: [{ find: 'if (stride.gatherMillis() > 0) await', replace: 'if (stride.gatherMillis() < 0) await' }],
    testFile: settledEvents,
    caughtBy: `${indexed} many events`,
  },
  {
    takesOut: 'the need of many events before new ones are entered into the index of times',
    file: 'core/events/count-events.ts',
    edits: [{ find: 'if (stride.gatherMillis() > 0) await', replace: 'await' }],
    testFile: settledEvents,
    caughtBy: `${indexed} few events`,
  },
  {
    takesOut: 'the second month of a stretch whose events are entered into the index of times',
    file: 'core/events/index-new-events.ts',
    edits: [
      { find: 'unnest(array[$1, $2]::timestamptz[])', replace: 'unnest(array[$1, $1]::timestamptz[])' },
      { find: 'values: [moments.from, moments.until]', replace: 'values: [moments.from]' },
    ],
    testFile: settledEvents,
    caughtBy: `${indexed} many events`,
  },
  {
    takesOut: 'the look whether a month has an index of times',
    file: 'core/events/index-new-events.ts',
    edits: [
      { find: "distinct to_regclass('events_' ||", replace: "distinct ('events_' ||" },
      { find: "|| '_at_idx') as index", replace: "|| '_at_idx')::regclass as index" },
    ],
    testFile: settledEvents,
    caughtBy: `${indexed} a month without a partition`,
  },
  {
    takesOut: 'the short wait for whoever holds a table of events',
    file: 'core/events/index-new-events.ts',
    edits: [
      { find: 'const lockTimeoutMillis = 100;', replace: 'const lockTimeoutMillis = 1_000_000;' },
      { find: 'const statementTimeoutMillis = 1_000;', replace: 'const statementTimeoutMillis = 1_000_000;' },
    ],
    testFile: settledEvents,
    caughtBy: `${indexed} whoever holds the table`,
  },
  {
    takesOut: 'the going on where somebody holds a table of events',
    file: 'core/events/index-new-events.ts',
    edits: [{ find: 'if (!isTimeout(error)) throw error;', replace: 'if (isTimeout(error)) throw error;' }],
    testFile: settledEvents,
    caughtBy: `${indexed} whoever holds the table`,
  },
];
