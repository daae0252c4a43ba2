import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Clock } from '../../core/clock.ts';
import { neededSchemaVersion } from '../../core/db/migrate.ts';
import { assignCoupon, createBook, generateCodes, redeemCoupon, systemClock } from '../../core/index.ts';
import { askRestored, type RestoredAnswers, type RestoredQuestions } from '../../core/restore/ask-restored.ts';
import { readDeckMarks } from '../../core/restore/read-deck-marks.ts';
import { readInvariants } from '../../core/restore/read-invariants.ts';
import { reasonsAgainst } from '../../core/restore/restored-answer-rules.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

/** What a drill asks of a database that was restored. The stage's login is the owner of the tables, as here. */
let testCore: TestCore;
let client: Client;
const lines: string[] = [];
let restoredTo = 0;

beforeAll(async () => {
  testCore = await openTestCore('ask restored', {
    writeMark: async (fields, message) =>
      void lines.push(JSON.stringify({ time: new Date().toISOString(), ...fields, msg: message })),
  });
  client = new Client({ connectionString: testCore.database.url });
  await client.connect();
  const { core } = testCore;
  const bookId = (await createBook(core, admin, { name: 'Asked', status: 'active' }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'ASK-####-####' }, null);
  for (const userId of ['ana', 'ben']) {
    const { code } = (await assignCoupon(core, admin, { bookId, userId })).body;
    await redeemCoupon(core, admin, code, { userId }, null);
    restoredTo = Date.now();
  }
  await assignCoupon(core, admin, { bookId, userId: 'cid' });
});
afterAll(async () => {
  await client.end();
  await testCore.close();
});

let questions: RestoredQuestions;
/** The log as it is asked with: a round of marks may come at any moment. */
let asked: string[];
beforeEach(async () => {
  asked = [...lines];
  questions = {
    invariants: await readInvariants(),
    restoredTo,
    readMarks: () => readDeckMarks(linesOf(asked)),
    clock: systemClock,
    deadline: systemClock.monotonic() + 60_000,
  };
});

async function* linesOf(kept: readonly string[]): AsyncGenerator<string> {
  yield* kept;
}

function ask(more: Partial<RestoredQuestions> = {}, before: RestoredAnswers | null = null): Promise<RestoredAnswers> {
  return askRestored({ connectionString: testCore.database.url }, { ...questions, ...more }, before);
}

const judge = (answers: RestoredAnswers) => reasonsAgainst(answers, restoredTo, 300_000);

/** Runs a change of the database, looks, and takes it back. */
async function broken<T>(change: string, back: string, look: () => Promise<T>): Promise<T> {
  await client.query(change);
  try {
    return await look();
  } finally {
    await client.query(back);
  }
}

describe('a restored database', () => {
  test('that is whole answers every question, and nothing speaks against it', async () => {
    const answers = await ask();
    expect(answers).toMatchObject({
      schemaVersion: expect.any(Number),
      neededSchemaVersion,
      marks: { lines: asked.length, missing: 0, compared: 2, beyond: 0 },
      invariants: { asked: questions.invariants.length, broken: [], unanswered: [], leftOut: [], next: null },
    });
    expect(answers.answeredAt).toBeGreaterThan(restoredTo);
    const { rows } = await client.query<{ at: Date }>('select max(at) as at from events');
    expect(answers.newestEventAt).toBe(rows[0]!.at.toISOString());
    expect(judge(answers)).toEqual([]);
  });

  test('in which one promise is broken is told by its name and its number of rows, and by no code', async () => {
    const answers = await broken(
      'update book_counters set redemptions = redemptions + 1 where redemptions > 0',
      'update book_counters set redemptions = redemptions - 1 where redemptions > 0',
      () => ask(),
    );
    expect(answers.invariants.broken).toEqual([{ name: expect.stringMatching(/^3d a book's counters/), rows: 1 }]);
    expect(judge(answers)).toEqual([expect.stringMatching(/^broken by 1 rows: 3d /)]);
    expect(JSON.stringify(answers)).not.toContain('ASK-');
  });

  test('whose decks are further than the marks in the log is told: its codes would be dealt twice', async () => {
    const early = lines
      .filter((line) => !line.includes('"decks"'))
      .concat(lines.find((line) => line.includes('"decks"'))!);
    const answers = await ask({ readMarks: () => readDeckMarks(linesOf(early)) });
    expect(answers.marks).toMatchObject({ beyond: 1 });
    expect(judge(answers)).toContain(
      '1 decks or patterns are further than their last mark: codes would be dealt twice',
    );
  });

  test('without marks of its time is told', async () => {
    const without = await ask({ readMarks: () => readDeckMarks(linesOf([])) });
    expect(judge(without)).toEqual(['the log has no deck marks of the time']);
    const answers = await ask();
    const [hourLater] = reasonsAgainst(answers, restoredTo + 3_600_000, 0);
    expect(hourLater).toMatch(/^the deck marks reach from .* and the moment is/);
  });

  test('of an older schema, or of a moment too long ago, is told', async () => {
    const answers = { ...(await ask()), schemaVersion: neededSchemaVersion - 1 };
    expect(reasonsAgainst(answers, restoredTo, 16 * 60_000)).toEqual([
      `the schema is of version ${neededSchemaVersion - 1}, and ${neededSchemaVersion} is needed`,
      'the newest moment that can be restored lay 16 minutes behind',
    ]);
  });

  test('is only read: a question that would write is refused', async () => {
    const writes = [
      { name: 'writes', query: "select nextval(pg_get_serial_sequence('books', 'book_id'))", foldsEvents: false },
    ];
    await expect(ask({ invariants: writes })).rejects.toThrow(/read-only transaction/);
  });
});

describe('questions that take longer than there is time', () => {
  const slow = { name: 'slow', query: 'select pg_sleep(20) where true', foldsEvents: false };
  const quick = { name: 'quick', query: 'select 1 where false', foldsEvents: false };
  /** Time stands still, so that a deadline is the time which each statement has. */
  const clock: Clock = { now: () => Date.now(), monotonic: () => 0 };

  test('go on in the next call, where the one before ended', async () => {
    const more = { invariants: [quick, quick, quick], clock, deadline: 9_000 };
    // Nine seconds are too few to begin a second one.
    const first = await ask(more);
    expect(first.invariants).toMatchObject({ asked: 1, next: 1 });
    expect(judge(first)).toContain('not everything was asked');
    const second = await ask(more, first);
    expect(second.invariants).toMatchObject({ asked: 2, next: 2 });
    expect(second).toMatchObject({ answeredAt: first.answeredAt, marks: first.marks });
    expect((await ask(more, second)).invariants).toMatchObject({ asked: 3, next: null });
  });

  test('are asked once more with all of the time, and then given up by their name', async () => {
    const more = { invariants: [quick, slow, quick], clock, deadline: 10_100 };
    const first = await ask(more, null);
    expect(first.invariants).toMatchObject({ asked: 1, unanswered: [], next: 1 });
    const second = await ask({ ...more, deadline: 5_000 }, first);
    expect(second.invariants).toMatchObject({ asked: 1, unanswered: ['slow'], next: 2 });
    expect((await ask(more, second)).invariants).toMatchObject({ asked: 2, next: null });
    expect(judge(second)).toContain('no answer in time: slow');
  });
});
