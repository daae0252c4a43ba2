import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openPool } from '../../core/db/pool.ts';
import { inTransaction } from '../../core/db/transaction.ts';
import { insertDeck, reserveDeckKey } from '../../core/decks/insert-deck.ts';
import { lockTenantCodes } from '../../core/decks/tenant-codes-lock.ts';
import { changeBook, createBook, generateCodes, listDecks, readBook } from '../../core/index.ts';
import { HeldRows } from '../../core/uploads/held-rows.ts';
import { mergeUpload } from '../../core/uploads/merge-upload.ts';
import { readBody } from '../../core/uploads/read-body.ts';
import { stageUpload } from '../../core/uploads/stage-upload.ts';
import { uploadCodes } from '../../core/uploads/upload-codes.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { keyed } from '../support/keyed.ts';
import { isLong } from '../support/long-run.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { patiently } from '../support/patiently.ts';
import { findDeadlocks } from '../support/start-postgres.ts';
import { uploadText } from '../support/upload-text.ts';

/** Two uploads at once are seen to meet in nearly each round. */
const rounds = isLong ? 10 : 2;
let testCore: TestCore;

beforeAll(async () => {
  testCore = await openTestCore('upload codes');
});
afterAll(async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  expect(await findDeadlocks(testCore.database.name)).toEqual([]);
  await testCore.close();
});

async function newBook(status: 'draft' | 'active' = 'draft'): Promise<string> {
  return (await createBook(testCore.core, admin, { name: 'Book', status }, null)).body.id;
}

const codesNamed = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}-${at}`);

/** Codes in the database, whatever deck they belong to. */
async function countStored(start: string): Promise<number> {
  const { rows } = await testCore.core.pool.query<{ count: number }>(
    'select count(*) as count from deck_codes where starts_with(code, $1)',
    [start],
  );
  return rows[0]!.count;
}

describe('an upload', () => {
  test('takes what is a code and names every line that is none', async () => {
    const lines = [
      'name,code',
      'a,good-1',
      'b, GOOD_2 ',
      'c,abc',
      `d,${'x'.repeat(65)}`,
      'e,"BAD CODE"',
      'g,GOOD-3,h',
      '',
      'i,Ünïcode',
      'j,GOOD-4',
      'k,"BRO',
      'l,GOOD-5',
    ];
    const answer = await uploadText(testCore.core, await newBook(), 'csv', `${lines.join('\r\n')}\r\n`);
    expect(answer).toEqual({
      deckId: expect.any(String),
      accepted: 3,
      rejected: 6,
      duplicates: 0,
      rejections: [
        { line: 4, code: 'abc', reason: 'code-too-short' },
        { line: 5, code: 'x'.repeat(64), reason: 'code-too-long' },
        { line: 6, code: 'BAD CODE', reason: 'code-has-invalid-character' },
        { line: 7, code: 'g,GOOD-3,h', reason: 'wrong-column-count' },
        { line: 9, code: 'Ünïcode', reason: 'code-has-invalid-character' },
        { line: 11, code: 'k,"BRO', reason: 'broken-line', hint: expect.stringContaining('lines 11 to 12') },
      ],
    });
    expect((await codesOfDeck(testCore.core, 1, answer.deckId)).sort()).toEqual(['GOOD-1', 'GOOD-4', 'GOOD_2']);
  });

  test('takes the first line of a code that stands in the file twice, and none that the tenant has, whose book is told apart', async () => {
    const bookId = await newBook();
    await uploadText(testCore.core, await newBook(), 'ndjson', '"TWICE-OLD"\n{"code":"TWICE-ELSE"}\n');
    await uploadText(testCore.core, bookId, 'csv', 'TWICE-HERE-1\n');
    const codes = ['TWICE-A', 'twice-old', 'TWICE-B', 'twice-a', 'TWICE-A', 'TWICE-OLD', 'TWICE-HERE-1'];
    const answer = await uploadText(testCore.core, bookId, 'json', JSON.stringify({ codes }));
    expect(answer).toMatchObject({ accepted: 2, rejected: 5, duplicates: 5 });
    expect(answer.rejections).toEqual([
      { line: 2, code: 'TWICE-OLD', reason: 'duplicate-in-another-book' },
      { line: 4, code: 'TWICE-A', reason: 'duplicate-in-file' },
      { line: 5, code: 'TWICE-A', reason: 'duplicate-in-file' },
      { line: 6, code: 'TWICE-OLD', reason: 'duplicate-in-another-book' },
      { line: 7, code: 'TWICE-HERE-1', reason: 'duplicate-in-book' },
    ]);
    expect((await readBook(testCore.core, admin, bookId)).counts).toMatchObject({ codes: 3, available: 3 });
  });

  test('takes no code that a pattern of the tenant could produce, folding included', async () => {
    const bookId = await newBook();
    await generateCodes(testCore.core, admin, bookId, { count: 1, pattern: 'PAT-####-####' }, null);
    const answer = await uploadText(testCore.core, bookId, 'csv', 'PAT-OOOO-IIII\nPAT-UUUU-UUUU\nPAT-0000-000\n');
    expect(answer).toMatchObject({ accepted: 2, rejected: 1, duplicates: 0 });
    expect(answer.rejections).toEqual([{ line: 1, code: 'PAT-OOOO-IIII', reason: 'belongs-to-pattern' }]);
  });

  test('counts every bad line and names the first 1,000, in the order of the file', async () => {
    const lines = codesNamed('MANY', 3_000).flatMap((code, at) => (at % 2 ? [code, '?'] : [code]));
    lines.push(...codesNamed('MANY', 500));
    const answer = await uploadText(testCore.core, await newBook(), 'csv', lines.join('\n'));
    expect(answer).toMatchObject({ accepted: 3_000, rejected: 2_000, duplicates: 500 });
    expect(answer.rejections).toHaveLength(1_000);
    expect(answer.rejections.map(({ line }) => line)).toEqual(
      lines.flatMap((line, at) => (line === '?' ? [at + 1] : [])).slice(0, 1_000),
    );
  });

  test('names the mistakes of a file that is brought again, behind however many codes that are there', async () => {
    const bookId = await newBook();
    const text = codesNamed('AGAIN', 1_500);
    await uploadText(testCore.core, bookId, 'csv', text.join('\n'));
    const wrong = { line: 1_502, code: '?', reason: 'code-too-short' };
    const again = await uploadText(testCore.core, bookId, 'csv', ['!', ...text, '?'].join('\n'));
    expect(again).toMatchObject({ accepted: 0, rejected: 1_502, duplicates: 1_500 });
    expect(again.rejections.map(({ line }) => line)).toEqual(Array.from({ length: 1_000 }, (_row, at) => at + 1));
    expect(again.mistakes).toEqual([{ ...wrong, line: 1, code: '!' }, wrong]);
    // Where there is room for all of them, they are not told twice.
    const short = await uploadText(testCore.core, bookId, 'csv', ['!', ...text].join('\n'));
    expect(short).not.toHaveProperty('mistakes');
  });

  test('of nothing but known codes makes no deck and reports, and one without a row is refused', async () => {
    const bookId = await newBook();
    const text = codesNamed('KNOWN', 10).join('\n');
    await uploadText(testCore.core, bookId, 'csv', text);
    const again = await uploadText(testCore.core, bookId, 'csv', text);
    expect(again).toMatchObject({ deckId: null, accepted: 0, rejected: 10, duplicates: 10 });
    expect(again.rejections).toHaveLength(10);
    const { data: decks } = await listDecks(testCore.core, admin, bookId, { limit: 10 });
    expect(decks.map(({ size }) => size)).toEqual([10]);
    for (const [format, empty] of [
      ['csv', 'code\n\n'],
      ['csv', ''],
      ['ndjson', '\n'],
      ['json', '{"codes":[]}'],
    ] as const) {
      await expect(uploadText(testCore.core, bookId, format, empty)).rejects.toMatchObject({ kind: 'invalid-input' });
    }
  });

  test('takes codes with whatever dash and unseen characters they were copied with', async () => {
    const answer = await uploadText(
      testCore.core,
      await newBook(),
      'csv',
      'code\nDASH\u20131\n\u200BDA\u00ADSH\u22122\nDASH-1\n',
    );
    expect(answer).toMatchObject({ accepted: 2, rejected: 1, duplicates: 1 });
    expect((await codesOfDeck(testCore.core, 1, answer.deckId)).sort()).toEqual(['DASH-1', 'DASH-2']);
  });

  test('cannot store a code that was cut short, which the table itself refuses', async () => {
    for (const code of ['', 'ABC', 'A'.repeat(65)]) {
      const insert = testCore.core.pool.query(
        'insert into deck_codes (tenant_id, deck_id, pos, code) values (1, 1, 0, $1)',
        [code],
      );
      await expect(insert).rejects.toMatchObject({ constraint: 'deck_codes_code_check' });
    }
  });

  test('shows nothing of a bad line that a terminal would obey', async () => {
    const answer = await uploadText(testCore.core, await newBook(), 'csv', 'SAFE-1\n\u001b[2J\u0000\u202eX\n');
    expect(answer.rejections).toEqual([
      { line: 2, code: '\uFFFD[2J\uFFFD\uFFFDX', reason: 'code-has-invalid-character' },
    ]);
  });

  test('puts the codes in an order that is not the file’s', async () => {
    const codes = codesNamed('ORDER', 500);
    const { deckId } = await uploadText(testCore.core, await newBook(), 'csv', codes.join('\n'));
    const order = await codesOfDeck(testCore.core, 1, deckId);
    expect(order).not.toEqual(codes);
    expect([...order].sort()).toEqual([...codes].sort());
  });
});

describe('an upload of more rows than memory holds', () => {
  /** Uploads as uploadCodes does, but with room for few rows. */
  async function uploadBig(bookId: string, text: string) {
    const { core } = testCore;
    const pool = openPool(core.config.database, { max: 1, applicationName: 'test', onError: () => {} });
    const connection = await pool.connect();
    try {
      const patterns = await core.knownPatterns.refresh(core.pool, 1);
      const pieces = readBody(Readable.from([Buffer.from(text)]));
      const staged = await stageUpload(connection, core.random, new HeldRows(1_000), patterns, {
        format: 'csv',
        pieces,
      });
      const bookKey = (await core.knownBooks.bookKeyOf(1, bookId))!;
      expect(staged.held).toBeNull();
      connection.release();
      return await inTransaction(pool, async (tx) => {
        await lockTenantCodes(tx, 1);
        const deckKey = await reserveDeckKey(tx);
        const merged = await mergeUpload(tx, core.random, 1, { deckKey, bookKey }, staged, patterns, patterns);
        const deck = { deckKey, bookKey, size: merged.accepted, sequence: null, name: null };
        return { ...merged, deckId: await insertDeck(core, tx, 1, deck) };
      });
    } finally {
      await pool.end();
    }
  }

  test('takes every code, in an order that is not the file’s', async () => {
    const codes = codesNamed('BIG', 6_000);
    const { deckId, accepted, rejections } = await uploadBig(await newBook(), codes.join('\n'));
    expect({ accepted, rejections }).toEqual({ accepted: 6_000, rejections: { count: 0, first: [] } });
    const order = await codesOfDeck(testCore.core, 1, deckId);
    expect(order.slice(0, 100)).not.toEqual(codes.slice(0, 100));
    expect([...order].sort()).toEqual([...codes].sort());
  });

  test('takes out duplicates of the file and of the tenant', async () => {
    const codes = codesNamed('BIGGER', 7_000);
    await uploadText(testCore.core, await newBook(), 'csv', codes.slice(0, 2_000).join('\n'));
    const { accepted, duplicates, rejections } = await uploadBig(
      await newBook(),
      [...codes, ...codes.slice(5_000)].join('\n'),
    );
    expect({ accepted, duplicates, count: rejections.count }).toEqual({
      accepted: 5_000,
      duplicates: 4_000,
      count: 4_000,
    });
    expect(rejections.first).toHaveLength(1_000);
    expect(rejections.first[999]).toEqual({ line: 1_000, code: 'BIGGER-999', reason: 'duplicate-in-another-book' });
  });
});

describe('nothing changes', () => {
  test('when a JSON document is broken in its middle', async () => {
    const bookId = await newBook();
    const text = `{"codes":[${codesNamed('BROKEN', 10_000).map((code) => JSON.stringify(code))}, oops`;
    await expect(uploadText(testCore.core, bookId, 'json', text)).rejects.toMatchObject({ kind: 'invalid-input' });
    expect(await countStored('BROKEN')).toBe(0);
  });

  test('when the body breaks off half way', async () => {
    const bookId = await newBook();
    const body = Readable.from(
      (async function* () {
        yield Buffer.from(codesNamed('HALF', 50_000).join('\n'));
        throw new Error('ECONNRESET');
      })(),
    );
    await expect(uploadCodes(testCore.core, admin, bookId, { format: 'csv', body }, null)).rejects.toMatchObject({
      kind: 'invalid-input',
    });
    expect(await countStored('HALF')).toBe(0);
    expect((await readBook(testCore.core, admin, bookId)).counts.codes).toBe(0);
  });

  test('in a book that is unknown or closed', async () => {
    const bookId = await newBook('active');
    await changeBook(testCore.core, admin, bookId, { status: 'closed' }, null);
    await expect(uploadText(testCore.core, bookId, 'csv', 'CLOSED-1')).rejects.toMatchObject({
      kind: 'book-not-active',
    });
    await expect(uploadText(testCore.core, 'x', 'csv', 'CLOSED-1')).rejects.toMatchObject({ kind: 'book-not-found' });
    expect(await countStored('CLOSED')).toBe(0);
  });

  test('and no session or table is left after any of it', async () => {
    const sessions = async () =>
      (
        await testCore.core.pool.query(
          `select from pg_stat_activity
            where application_name = 'qurable upload' and datname = current_database() and state <> 'idle'`,
        )
      ).rowCount;
    // One whose connection was just cut needs a moment to notice.
    for (let tries = 0; tries < 3_000 && (await sessions()) !== 0; tries += 1) await sleep(10);
    expect(await sessions()).toBe(0);
  });
});

describe('at once', () => {
  test('of two uploads of overlapping codes at once, each code is taken by exactly one', async () => {
    const other = await testCore.openAnother();
    for (let round = 0; round < rounds; round += 1) {
      const [bookA, bookB] = [await newBook(), await newBook()];
      const codes = codesNamed(`ROUND${round}`, 2_000);
      const [a, b] = await Promise.all([
        patiently(() => uploadText(testCore.core, bookA, 'csv', codes.slice(0, 1_500).join('\n'))),
        patiently(() => uploadText(other, bookB, 'csv', codes.slice(500).toReversed().join('\n'))),
      ]);
      expect(a.accepted + b.accepted).toBe(2_000);
      expect(a.duplicates + b.duplicates).toBe(1_000);
      const stored = await Promise.all([a, b].map(({ deckId }) => codesOfDeck(testCore.core, 1, deckId)));
      expect(stored.flat().sort()).toEqual([...codes].sort());
    }
  });

  test('of an upload and a pattern that could produce its codes, one gives way', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const bookId = await newBook();
      const pattern = `GIVE${round}-####-####`;
      const codes = Array.from({ length: 2_000 }, (_, at) => `GIVE${round}-0000-${String(at).padStart(4, '0')}`);
      const [upload, generated] = await Promise.allSettled([
        patiently(() => uploadText(testCore.core, bookId, 'csv', codes.join('\n'))),
        patiently(() => generateCodes(testCore.core, admin, bookId, { count: 10, pattern }, null)),
      ]);
      const accepted = upload.status === 'fulfilled' ? upload.value.accepted : -1;
      if (generated.status === 'fulfilled') expect(accepted).toBe(0);
      else {
        expect(generated.reason).toMatchObject({ kind: 'conflict' });
        expect(accepted).toBe(2_000);
      }
    }
  });

  test('more uploads than slots wait for their turn, and each succeeds', async () => {
    const bookId = await newBook();
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        uploadText(testCore.core, bookId, 'csv', codesNamed(`SLOT${at}`, 100).join('\n')),
      ),
    );
    expect(answers.map(({ accepted }) => accepted)).toEqual(Array(6).fill(100));
  });
});

test('an upload whose body has hardly begun keeps no other waiting', async () => {
  const bookId = await newBook();
  const body = new PassThrough();
  body.write('SLOW-1\n');
  const slow = uploadCodes(testCore.core, admin, bookId, { format: 'csv', body }, null);
  for (const code of ['QUICK-1', 'QUICK-2']) {
    expect((await uploadText(testCore.core, bookId, 'csv', code)).accepted).toBe(1);
  }
  body.end('SLOW-2\n');
  expect((await slow).body.accepted).toBe(2);
});

describe('with a key', () => {
  const named = (bookId: string, key: string) => keyed(key, `books/${bookId}/codes`);
  const upload = (bookId: string, text: string, key = 'upload-1') =>
    uploadCodes(
      testCore.core,
      admin,
      bookId,
      { format: 'csv', body: Readable.from([Buffer.from(text)]) },
      named(bookId, key),
    );

  test('the same bytes get the first answer, however they are cut and whatever became of the book', async () => {
    const bookId = await newBook('active');
    const text = codesNamed('KEYED', 100).join('\n');
    const first = await upload(bookId, text);
    expect(first.replayed).toBe(false);
    await changeBook(testCore.core, admin, bookId, { status: 'closed' }, null);
    const pieces = Readable.from(text.match(/.{1,13}/gs)!.map((piece) => Buffer.from(piece)));
    const again = await uploadCodes(
      testCore.core,
      admin,
      bookId,
      { format: 'csv', body: pieces },
      named(bookId, 'upload-1'),
    );
    expect(again).toEqual({ body: first.body, replayed: true });
    expect(await countStored('KEYED')).toBe(100);
    await expect(upload(bookId, `${text}\nKEYED-MORE`)).rejects.toMatchObject({ kind: 'idempotency-key-reused' });
  });

  test('two at once with one key are one upload', async () => {
    const bookId = await newBook();
    const text = codesNamed('SAMEKEY', 1_000).join('\n');
    const [a, b] = await Promise.all([upload(bookId, text, 'k2'), upload(bookId, text, 'k2')]);
    expect(a.body).toEqual(b.body);
    expect(a.body.accepted).toBe(1_000);
    expect([a.replayed, b.replayed].sort()).toEqual([false, true]);
  });

  test('an upload that takes nothing is remembered like any other', async () => {
    const bookId = await newBook();
    const first = await upload(bookId, 'bad code 1', 'k4');
    expect(first.body).toMatchObject({ deckId: null, accepted: 0, rejected: 1 });
    expect(await upload(bookId, 'bad code 1', 'k4')).toEqual({ body: first.body, replayed: true });
  });

  test('a heading further down, as files that were put together have it, and a drawn line are no codes', async () => {
    const bookId = await newBook();
    const csv = await upload(bookId, 'voucher\nKAPA-1234\nVoucher\n----\nKAPB-5678', 'k6');
    expect(csv.body).toMatchObject({ accepted: 2, rejected: 2 });
    expect(csv.body.rejections.map(({ line, reason }) => [line, reason])).toEqual([
      [3, 'heading'],
      [4, 'code-has-invalid-character'],
    ]);
    const ndjson = {
      format: 'ndjson',
      body: Readable.from([Buffer.from('{"code":"KAPC-1"}\n"promo"\n"KAPD-1"\n')]),
    } as const;
    expect((await uploadCodes(testCore.core, admin, bookId, ndjson, null)).body).toMatchObject({
      accepted: 2,
      rejected: 1,
    });
    // Where the sender says that there is no heading, a word is a code like any other.
    const meant = { format: 'csv', header: 'none', body: Readable.from([Buffer.from('KAPE-1\nPROMO\n')]) } as const;
    expect((await uploadCodes(testCore.core, admin, bookId, meant, null)).body).toMatchObject({
      accepted: 2,
      rejected: 0,
    });
  });

  test('what the sender says of the first line is part of the request', async () => {
    const bookId = await newBook();
    const bytes = () => Readable.from([Buffer.from('HEADING\nPART-1')]);
    const asCode = { format: 'csv', header: 'none' } as const;
    const first = await uploadCodes(testCore.core, admin, bookId, { ...asCode, body: bytes() }, named(bookId, 'k5'));
    expect(first.body.accepted).toBe(2);
    const asHeading = { format: 'csv', header: 'present', body: bytes() } as const;
    await expect(uploadCodes(testCore.core, admin, bookId, asHeading, named(bookId, 'k5'))).rejects.toMatchObject({
      kind: 'idempotency-key-reused',
    });
  });

  test('a refusal is not remembered', async () => {
    const bookId = await newBook();
    await expect(upload(bookId, 'name,other\nx,y', 'k3')).rejects.toMatchObject({ kind: 'invalid-input' });
    expect((await upload(bookId, 'code\nRIGHT-1', 'k3')).body.accepted).toBe(1);
  });
});
