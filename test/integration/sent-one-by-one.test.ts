import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

// The driver of this file is another than the product was made with: it works as ever, but a method that it does not
// promise takes one more argument. That comes before the core is loaded, which looks at the driver then, and which is
// loaded anew for this file (load-tests-natively.ts).
const { prototype } = pg.Query;
const usual = Object.getOwnPropertyDescriptor(prototype, 'handleDataRow')!;
const { handleDataRow } = prototype as unknown as { handleDataRow(message: object): void };
Object.defineProperty(prototype, 'handleDataRow', {
  ...usual,
  value(this: pg.Query, message: object, _more: unknown) {
    handleDataRow.call(this, message);
  },
});
const { inTransaction, inTwoSteps } = await import('../../core/db/transaction.ts');
const { driverFault, groupStatements } = await import('../../core/db/group-statements.ts');
const {
  assignBatch,
  assignCode,
  assignCoupon,
  changeBook,
  createBook,
  eraseUser,
  generateCodes,
  listCodes,
  listCouponEvents,
  lockCoupon,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  unlockCoupon,
  validateCoupon,
  voidCoupon,
} = await import('../../core/index.ts');
const { findBrokenInvariants } = await import('../support/check-invariants.ts');
const { keyed } = await import('../support/keyed.ts');
const { admin, customer, openTestCore } = await import('../support/open-test-core.ts');
const { patiently } = await import('../support/patiently.ts');
const { uploadText } = await import('../support/upload-text.ts');

const warnings: [object, string][] = [];
let testCore: Awaited<ReturnType<typeof openTestCore>>;

beforeAll(async () => {
  const log = {
    info: () => {},
    error: () => {},
    warn: (fields: object, message: string) => void warnings.push([fields, message]),
  };
  testCore = await openTestCore('one by one', { log });
  await testCore.core.pool.query('create table things (id int primary key)');
});
afterAll(async () => {
  await testCore.close();
  Object.defineProperty(prototype, 'handleDataRow', usual);
});

async function things(): Promise<number[]> {
  const { rows } = await testCore.core.pool.query<{ id: number }>('select id from things order by id');
  return rows.map(({ id }) => id);
}

const insert = (id: number) => ({ name: 'insert-thing', text: 'insert into things (id) values ($1)', values: [id] });

test('the log is told once, at the start, what is other in the driver', () => {
  expect(driverFault).toBe('handleDataRow is no method of 1 arguments');
  expect(warnings).toEqual([[{ fault: driverFault }, 'statements are sent one by one, which is slower']]);
});

describe('all that happens to coupons goes on', () => {
  test('a coupon from its deck to its end', async () => {
    const { core } = testCore;
    const bookId = (await createBook(core, admin, { name: 'Slow', status: 'active', maxCodesPerUser: 3 }, null)).body
      .id;
    await generateCodes(core, admin, bookId, { count: 500, pattern: 'SLOW-####-####' }, null);
    await uploadText(core, bookId, 'csv', 'SLOWLY-1\nSLOWLY-2\n');
    // By its name first: a code that is drawn may be any of the book's.
    await assignCode(core, admin, 'SLOWLY-1', { userId: 'bea' });
    const input = { bookId, userId: 'ana' };
    const assigned = await assignCoupon(core, admin, input, keyed('key-1', 'coupons/assign', input));
    expect(await assignCoupon(core, admin, input, keyed('key-1', 'coupons/assign', input))).toEqual({
      ...assigned,
      replayed: true,
    });
    const { code } = assigned.body;
    const { lockToken } = (await lockCoupon(core, customer('ana'), code, { userId: 'ana' })).body;
    await expect(redeemCoupon(core, admin, code, { userId: 'ana' })).rejects.toMatchObject({ kind: 'code-locked' });
    await unlockCoupon(core, admin, code, { userId: 'ana', lockToken });
    expect(await validateCoupon(core, admin, code, { userId: 'ana' })).toMatchObject({ redeemable: true });
    const { redemption } = (await redeemCoupon(core, admin, code, { userId: 'ana' })).body;
    await reverseRedemption(core, admin, redemption.id, { reason: 'cancelled' });
    await voidCoupon(core, admin, code, { reason: 'leaked' });
    expect(await readCoupon(core, admin, code)).toMatchObject({ status: 'voided', rev: 6 });
    expect((await listCouponEvents(core, admin, code)).data).toHaveLength(6);
    const { body } = await assignBatch(core, admin, { bookId, userIds: ['bea', 'carl', 'bea', 'bea'] });
    expect(body.results.map((result) => ('refusal' in result ? result.refusal.kind : 'code'))).toEqual([
      'code',
      'code',
      'code',
      'user-limit-reached',
    ]);
    await changeBook(core, admin, bookId, { status: 'paused' }, null);
    await expect(assignCoupon(core, admin, { bookId, userId: 'dan' })).rejects.toMatchObject({
      kind: 'book-not-active',
    });
    await eraseUser(core, admin, 'bea');
    expect((await readBook(core, admin, bookId)).counts).toMatchObject({ codes: 502 });
    expect((await listCodes(core, admin, bookId, { status: 'available' })).data.length).toBeGreaterThan(0);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });

  test('of a hundred concurrent redeems of a single-use coupon exactly one succeeds, and no code is handed out twice', async () => {
    const { core } = testCore;
    const bookId = (await createBook(core, admin, { name: 'Rush', status: 'active' }, null)).body.id;
    await generateCodes(core, admin, bookId, { count: 80, pattern: 'RUSH-####-####' }, null);
    const assigns = Array.from({ length: 100 }, (_, n) =>
      patiently(() => assignCoupon(core, admin, { bookId, userId: `u-${n}` })),
    );
    const settled = await Promise.allSettled(assigns);
    const codes = settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value.body.code] : []));
    expect([codes.length, new Set(codes).size]).toEqual([80, 80]);
    const { userId } = await readCoupon(core, admin, codes[0]!);
    const redeems = Array.from({ length: 100 }, () =>
      patiently(() => redeemCoupon(core, admin, codes[0]!, { userId: userId! })),
    );
    const redeemed = await Promise.allSettled(redeems);
    expect(redeemed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
  });
});

describe('a turn’s statements', () => {
  test('behind a failed one are not carried out and throw its error, and a BEGIN is no other', async () => {
    const connection = await testCore.core.pool.connect();
    try {
      const statements = groupStatements(connection);
      const answers = await Promise.allSettled([
        statements.query('begin isolation level imaginary'),
        statements.query(insert(1)),
        statements.query('commit'),
      ]);
      expect(answers.map((answer) => (answer as PromiseRejectedResult).reason.code)).toEqual([
        '42601',
        '42601',
        '42601',
      ]);
      expect(await things()).toEqual([]);
      expect((await statements.query(insert(2))).rowCount).toBe(1);
      expect(await things()).toEqual([2]);
    } finally {
      connection.release();
    }
  });

  test('that nobody has waited for are rolled back with their transaction', async () => {
    const broken = inTransaction(testCore.core.pool, async (tx) => {
      tx.query('select pg_sleep(0.1)').catch(() => {});
      tx.query(insert(3)).catch(() => {});
      throw new Error('no more');
    });
    await expect(broken).rejects.toThrow('no more');
    const refused = inTwoSteps(testCore.core.pool, {
      read: async (tx) => (await tx.query('select pg_sleep(0.1)')).rowCount,
      async write(tx) {
        tx.send(insert(4));
        tx.send(insert(2));
        tx.send(insert(5));
      },
    });
    await expect(refused).rejects.toMatchObject({ code: '23505' });
    expect(await things()).toEqual([2]);
  });

  test('are carried out in their order, with a COPY among them', async () => {
    const pool = new pg.Pool({ connectionString: testCore.database.url, max: 1 });
    // It ends before its connection is closed, which the end of the database may cut.
    pool.on('error', () => {});
    const own = await pool.connect();
    try {
      const statements = groupStatements(own);
      const made = statements.query('create temporary table copied (n int)');
      const copy = statements.query(copyFrom('copy copied from stdin'));
      copy.end('1\n2\n');
      const counted = statements.query('select count(*)::int as count from copied');
      await made;
      expect((await counted).rows).toEqual([{ count: 2 }]);
    } finally {
      own.release();
      await pool.end();
    }
  });
});
