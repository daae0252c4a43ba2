import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Core } from '../../core/core.ts';
import { deckMarksMessage, openDeckMarks } from '../../core/decks/deck-marks.ts';
import { listCodes } from '../../core/decks/list-codes.ts';
import {
  assignCode,
  assignCoupon,
  type Clock,
  createBook,
  generateCodes,
  type Log,
  readBook,
  readCoupon,
  silentLog,
  systemClock,
  systemRandom,
  voidCoupon,
  voidDeck,
  type WriteMark,
} from '../../core/index.ts';
import { afterRestore } from '../../core/restore/after-restore.ts';
import { lateMarksMessage, openMarkRounds } from '../../core/restore/mark-rounds.ts';
import { readDeckMarks } from '../../core/restore/read-deck-marks.ts';
import { resumeBooks } from '../../core/restore/resume-books.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { openFaultProxy } from '../support/fault-proxy.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { backUp, restore } from '../support/turn-back-time.ts';
import { uploadText } from '../support/upload-text.ts';

bePatient();
let testCore: TestCore;
let core: Core;
/** The log as a collector would have kept it. */
const lines: string[] = [];
const log = logInto(lines);

function logInto(kept: string[]): Log {
  return { ...silentLog, info: (fields, message) => void kept.push(JSON.stringify({ ...fields, msg: message })) };
}

beforeAll(async () => {
  testCore = await openTestCore('after restore', { log });
  core = testCore.core;
});
afterAll(() => testCore.close());

async function* logLines(kept: string[]) {
  yield 'not JSON at all';
  yield `{"msg":"${deckMarksMessage}","decks":"nonsense"}`;
  for (const line of kept) yield `2026-01-01T00:00:00Z task-1 ${line}`;
}

async function drain(book: string): Promise<string[]> {
  const codes: string[] = [];
  for (;;) {
    const answers = await Promise.allSettled(
      Array.from({ length: 50 }, (_, at) =>
        assignCoupon(core, admin, { bookId: book, userId: `late-${codes.length}-${at}` }),
      ),
    );
    codes.push(...answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value.body.code] : [])));
    const refusals = answers.filter((answer) => answer.status === 'rejected');
    for (const { reason } of refusals) expect(reason).toMatchObject({ kind: 'no-codes-left' });
    if (refusals.length > 0) return codes;
  }
}

describe('after a restore', () => {
  test('no code that was handed out after the backup is handed out again, nor generated again', async () => {
    const bookId = (await createBook(core, admin, { name: 'Restored', status: 'active' }, null)).body.id;
    const uploaded = await uploadText(
      core,
      bookId,
      'csv',
      Array.from({ length: 200 }, (_, at) => `REST-${at}`).join('\n'),
    );
    const pattern = 'REST-####-####';
    const generated = (await generateCodes(core, admin, bookId, { count: 200, pattern }, null)).body;
    const draw = (userId: string) => assignCoupon(core, admin, { bookId, userId }).then(({ body }) => body.code);
    const before = await Promise.all(Array.from({ length: 20 }, (_, at) => draw(`before-${at}`)));
    await backUp(core.pool);

    const after = await Promise.all(Array.from({ length: 60 }, (_, at) => draw(`after-${at}`)));
    const byName = (await codesOfDeck(core, 1, uploaded.deckId))[150]!;
    await assignCode(core, admin, byName, { userId: 'after-name' });
    const lost = (await generateCodes(core, admin, bookId, { count: 50, pattern }, null)).body;
    const lostCodes = await codesOfDeck(core, 1, lost.deckId);
    await draw('after-last');
    const whileServing = [...lines];
    await restore(core.pool);

    // A task that is started anew knows nothing from before.
    const restored = await testCore.openAnother();
    const order = { marks: await readDeckMarks(logLines(whileServing)), margin: 5, patternMargin: 0 };
    const plan = await afterRestore(restored, { ...order, apply: false });
    expect(await readBook(core, admin, bookId)).toMatchObject({ status: 'active' });
    const report = await afterRestore(restored, { ...order, apply: true });
    expect(report).toEqual(plan);
    expect((await afterRestore(restored, { ...order, margin: 0, apply: true })).decks).toEqual([]);
    expect(report.pausedBooks).toEqual([bookId]);
    expect(report.decks.map(({ deckId }) => deckId).sort()).toEqual([uploaded.deckId, generated.deckId].sort());
    expect(report.patterns).toEqual([{ tenantId: 1, template: pattern, from: 200, to: 250 }]);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);

    await expect(draw('too-early')).rejects.toMatchObject({ kind: 'book-not-active' });
    expect(await resumeBooks(restored)).toEqual([bookId]);
    expect(await resumeBooks(restored)).toEqual([]);
    core = restored;
    const again = await drain(bookId);
    for (const code of [...before, ...after, byName, ...lostCodes]) expect(again).not.toContain(code);
    expect(new Set(again).size).toBe(again.length);
    expect(again.length).toBeGreaterThan(200);
    const next = (await generateCodes(core, admin, bookId, { count: 50, pattern }, null)).body;
    for (const code of await codesOfDeck(core, 1, next.deckId)) expect(lostCodes).not.toContain(code);

    await expect(readCoupon(core, admin, byName)).resolves.toMatchObject({ status: 'voided', userId: null });
    for (const code of after)
      await expect(readCoupon(core, admin, code)).rejects.toMatchObject({ kind: 'coupon-void' });
    const { counts } = await readBook(core, admin, bookId);
    expect(counts.available + counts.assigned + counts.voided).toBe(counts.codes);
    const { data } = await listCodes(core, admin, bookId, { status: 'voided', limit: 1_000 });
    expect(data).toHaveLength(counts.voided);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });

  test('without marks the margins are what is passed, codes taken by name in the gap are not counted twice, and the end is the end', async () => {
    const bookId = (await createBook(core, admin, { name: 'Blind', status: 'active' }, null)).body.id;
    const { deckId } = await uploadText(
      core,
      bookId,
      'csv',
      Array.from({ length: 100 }, (_, at) => `BLIND-${at}`).join('\n'),
    );
    const small = await uploadText(core, bookId, 'csv', 'BLIND-X1\nBLIND-X2');
    const codes = await codesOfDeck(core, 1, deckId);
    await assignCode(core, admin, codes[3]!, { userId: 'u-1' });
    await assignCode(core, admin, codes[50]!, { userId: 'u-1' });
    const report = await afterRestore(core, { marks: null, margin: 10, patternMargin: 1_000, apply: true });
    expect(report.decks).toContainEqual({
      ...{ tenantId: 1, bookId, deckId, size: 100, from: 0, to: 10 },
      voided: 9,
      voidedByMargin: 9,
    });
    expect(report.decks).toContainEqual({
      ...{ tenantId: 1, bookId, deckId: small.deckId, size: 2, from: 0, to: 2 },
      ...{ voided: 2, voidedByMargin: 2 },
    });
    expect((await readBook(core, admin, bookId)).counts).toMatchObject({
      codes: 102,
      available: 89,
      assigned: 2,
      voided: 11,
    });
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });

  test('decks that came after the backup are told by name', async () => {
    async function* line() {
      yield JSON.stringify({ msg: deckMarksMessage, decks: [[1, 987_654, 3]] });
    }
    const report = await afterRestore(core, {
      marks: await readDeckMarks(line()),
      margin: 0,
      patternMargin: 0,
      apply: true,
    });
    expect(report.lostDecks).toEqual(['1/987654']);
    expect(report.decks).toEqual([]);
  });
});

describe('marks', () => {
  test('are out of the process before COMMIT, for codes that are drawn, taken and voided, and for what is voided whole', async () => {
    const held: { fields: object; release: () => void }[] = [];
    let isHolding = false;
    const writeMark: WriteMark = (fields) =>
      new Promise((release) => (isHolding ? void held.push({ fields, release }) : release()));
    const marked = await testCore.openAnother({ writeMark });
    const bookId = (await createBook(core, admin, { name: 'Marked', status: 'active' }, null)).body.id;
    const { deckId } = await uploadText(core, bookId, 'csv', 'MARKED-1\nMARKED-2\nMARKED-3\nMARKED-4');
    const [, second, third] = await codesOfDeck(core, 1, deckId);
    isHolding = true;
    const acts: [() => Promise<unknown>, object][] = [
      [() => assignCoupon(marked, admin, { bookId, userId: 'u-1' }), { decks: [[1, expect.any(Number), 1]] }],
      [() => assignCode(marked, admin, second!, { userId: 'u-1' }), { taken: [[1, expect.any(Number), 1]] }],
      [() => voidCoupon(marked, admin, third!, {}), { taken: [[1, expect.any(Number), 2]] }],
      [() => voidDeck(marked, admin, bookId, deckId, {}, null), { decks: [[1, expect.any(Number), 4]] }],
      [
        () => generateCodes(marked, admin, bookId, { count: 50, pattern: 'MARK-####-####' }, null),
        { patterns: [[1, expect.any(Number), 50]] },
      ],
    ];
    for (const [act, expected] of acts) {
      const before = await stateOf(bookId);
      const done = act();
      let isDone = false;
      void done.then(() => {
        isDone = true;
      });
      const isExpected = () => held.findIndex(({ fields }) => matches(fields, expected));
      while (isExpected() < 0) {
        if (isDone) throw new Error('it was done without its mark');
        for (const { release } of held.splice(0)) release();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      expect(await stateOf(bookId)).toEqual(before);
      for (const { release } of held.splice(0)) release();
      isHolding = false;
      await done;
      expect(await stateOf(bookId)).not.toEqual(before);
      isHolding = true;
    }
    isHolding = false;
    for (const { release } of held.splice(0)) release();
  });

  test('of other tasks are repeated, and only what has changed', async () => {
    const bookId = (await createBook(core, admin, { name: 'Repeated', status: 'active' }, null)).body.id;
    await uploadText(core, bookId, 'csv', 'REPEAT-1\nREPEAT-2\nREPEAT-3');
    const own = openRounds();
    await own.rounds.start();
    // The first round may fail where the machine stalls, and the next one is the first then.
    while (own.marks.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    own.marks.length = 0;
    await assignCoupon(core, admin, { bookId, userId: 'u-1' });
    while (own.marks.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await own.rounds.close();
    expect(own.marks.map(({ fields }) => fields)).toEqual([
      { task: expect.any(String), line: 2, decks: [[1, expect.any(Number), 1]] },
    ]);
  });

  test('that are late because the database stalls are warned of, and come again once it answers', async () => {
    const proxy = await openFaultProxy(testCore.database.url);
    let ahead = 0;
    const own = openRounds(proxy.url, { ...systemClock, monotonic: () => systemClock.monotonic() + ahead });
    try {
      await own.rounds.start();
      const resume = proxy.stallAll();
      ahead += 60_000;
      while (own.warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      expect(own.warnings[0]).toMatchObject({ fields: { gapMillis: expect.any(Number) } });
      own.marks.length = 0;
      // The heartbeat is due, so the next round has a line.
      ahead += 60_000;
      resume();
      while (own.marks.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    } finally {
      await own.rounds.close();
      await proxy.close();
    }
  });
});

interface Written {
  fields: object;
  message: string;
}

function openRounds(url = testCore.database.url, clock: Clock = systemClock) {
  const marks: Written[] = [];
  const warnings: Written[] = [];
  const writeMark: WriteMark = async (fields, message) => {
    (message === lateMarksMessage ? warnings : marks).push({ fields, message });
  };
  const deckMarks = openDeckMarks(writeMark, systemRandom);
  const database = { connectionString: url };
  return { marks, warnings, rounds: openMarkRounds({ database, deckMarks, writeMark, clock }) };
}

/** What the database has committed of a book's decks. */
async function stateOf(bookId: string): Promise<unknown[]> {
  const { rows } = await core.pool.query(
    `select deck_id, next_pos, taken_ahead, d.voided from decks d join books b using (tenant_id, book_id)
      where b.id = $1 order by deck_id`,
    [bookId],
  );
  return rows;
}

function matches(fields: object, expected: object): boolean {
  try {
    expect(fields).toMatchObject(expected);
    return true;
  } catch {
    return false;
  }
}
