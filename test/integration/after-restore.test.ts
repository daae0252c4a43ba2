import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { afterRestore } from '../../core/codes/after-restore.ts';
import { deckMarksMessage, startDeckMarks } from '../../core/codes/deck-marks.ts';
import { listCodes } from '../../core/codes/list-codes.ts';
import { readDeckMarks } from '../../core/codes/read-deck-marks.ts';
import type { Core } from '../../core/core.ts';
import {
  assignCode,
  assignCoupon,
  changeBook,
  createBook,
  generateCodes,
  type Log,
  readBook,
  readCoupon,
  silentLog,
} from '../../core/index.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { uploadText } from '../support/upload-text.ts';

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

async function* logLines() {
  yield 'not JSON at all';
  yield `{"msg":"${deckMarksMessage}","decks":"nonsense"}`;
  for (const line of lines) yield `2026-01-01T00:00:00Z task-1 ${line}`;
}

const tables = [
  'books',
  'dealers',
  'decks',
  'deck_taken',
  'deck_codes',
  'deck_blocks',
  'code_patterns',
  'holders',
  'coupons',
  'events',
  'book_revisions',
  'book_counters',
];

/** Copies the tables aside: the backup. */
async function backUp(): Promise<void> {
  for (const table of tables) {
    await core.pool.query(`drop table if exists backup_${table}`);
    await core.pool.query(`create table backup_${table} as select * from ${table}`);
  }
}

/** Puts the tables back as they were, as a restore to that moment would. */
async function restore(): Promise<void> {
  for (const table of tables) {
    await core.pool.query(`truncate ${table} cascade`);
    await core.pool.query(`insert into ${table} overriding system value select * from backup_${table}`);
  }
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
    if (answers.some(({ status }) => status === 'rejected')) return codes;
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
    const marks = startDeckMarks(core);
    await backUp();

    const after = await Promise.all(Array.from({ length: 60 }, (_, at) => draw(`after-${at}`)));
    const byName = (await codesOfDeck(core, 1, uploaded.deckId))[150]!;
    await assignCode(core, admin, byName, { userId: 'after-name' });
    const { rows } = await core.pool.query<{ deck_id: number }>('select deck_id from decks where id = $1', [
      uploaded.deckId,
    ]);
    marks.noteTaken(1, rows[0]!.deck_id, 150);
    const lost = (await generateCodes(core, admin, bookId, { count: 50, pattern }, null)).body;
    const lostCodes = await codesOfDeck(core, 1, lost.deckId);
    await draw('after-last');
    await marks.close();
    await restore();

    // A task that is started anew knows nothing from before.
    const restored = await testCore.openAnother();
    const order = { marks: await readDeckMarks(logLines()), margin: 5, patternMargin: 0 };
    const report = await afterRestore(restored, order);
    expect(report.pausedBooks).toEqual([bookId]);
    expect(report.decks.map(({ deckId }) => deckId).sort()).toEqual([uploaded.deckId, generated.deckId].sort());
    expect(report.patterns).toEqual([{ tenantId: 1, template: pattern, from: 200, to: 250 }]);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);

    await expect(draw('too-early')).rejects.toMatchObject({ kind: 'book-not-active' });
    await changeBook(core, admin, bookId, { status: 'active' }, null);
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
    const report = await afterRestore(core, { marks: null, margin: 10, patternMargin: 1_000 });
    expect(report.decks).toContainEqual({ tenantId: 1, deckId, size: 100, from: 0, to: 10, voided: 9 });
    expect(report.decks).toContainEqual({ tenantId: 1, deckId: small.deckId, size: 2, from: 0, to: 2, voided: 2 });
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
    const report = await afterRestore(core, { marks: await readDeckMarks(line()), margin: 0, patternMargin: 0 });
    expect(report.lostDecks).toEqual(['1/987654']);
    expect(report.decks).toEqual([]);
  });
});

describe('marks', () => {
  test('are logged for what has changed alone', async () => {
    const bookId = (await createBook(core, admin, { name: 'Marked', status: 'active' }, null)).body.id;
    await uploadText(core, bookId, 'csv', 'MARKED-1\nMARKED-2\nMARKED-3');
    // The core's own marks are in a log of their own.
    const own: string[] = [];
    const marks = startDeckMarks({ ...core, log: logInto(own) });
    // The decks come before the patterns, which end the first round.
    while (!own.some((line) => line.includes('patterns'))) await new Promise((resolve) => setTimeout(resolve, 10));
    own.length = 0;
    await assignCoupon(core, admin, { bookId, userId: 'u-1' });
    await marks.close();
    const logged = own.map((text) => JSON.parse(text) as { msg: string; decks?: number[][] });
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ msg: deckMarksMessage, decks: [[1, expect.any(Number), 1]] });
  });
});
