import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { type LockName, takeLock } from '../../core/coupons/engine/locks/lock-order.ts';
import {
  assignCode,
  assignCoupon,
  createBook,
  generateCodes,
  listCodes,
  lockCoupon,
  redeemCoupon,
  reverseRedemption,
  unlockCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';

/** The statement by which each lock is taken. */
const statements: Record<LockName, string> = {
  gates: 'enter-book-gate',
  dealers: 'lock-dealers',
  holders: 'lock-holders',
  coupons: 'lock-coupons',
  counters: 'lock-counters',
};
/** Whatever is read under the locks, and the clock and the keys after the last. */
const reads = ['sum-redemptions-by-book', 'sum-redemptions-by-holder', 'read-dealt-decks', 'read-clock-and-keys'];
const order = Object.keys(takeLock) as LockName[];

let testCore: TestCore;
let bookId: string;

beforeAll(async () => {
  testCore = await openTestCore('lock order');
  const { core } = testCore;
  const limits = { maxCodesPerUser: 100, maxRedemptionsPerUser: 100, maxRedemptions: 100 };
  bookId = (await createBook(core, admin, { name: 'Locks', status: 'active', ...limits }, null)).body.id;
  await generateCodes(core, admin, bookId, { count: 100, pattern: 'LOCK-########' }, null);
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => testCore.close());

async function draw(): Promise<string> {
  return (await assignCoupon(testCore.core, admin, { bookId, userId: 'ana' })).body.code;
}

async function findUndealt(): Promise<string> {
  const { data } = await listCodes(testCore.core, admin, bookId, { status: 'available', limit: 1 });
  return data[0]!.code;
}

/** The names of the statements that it costs, in the order in which they are sent. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  // Each statement writes itself by this, whether it is sent alone or with others.
  const prepare = jest.spyOn(pg.Query.prototype as unknown as { prepare(): void }, 'prepare');
  await work();
  const names = (prepare.mock.contexts as unknown as { name: string }[]).map(({ name }) => name);
  prepare.mockRestore();
  // A reversal's statement locks the same rows, and those of whoever made its redemption.
  return names
    .filter((name) => !name.startsWith('marks-of-'))
    .map((name) => (name === 'lock-holders-and-redeemers' ? statements.holders : name));
}

/** What is done once in a batch of its own, with the locks that it takes. */
interface Deed {
  takes: LockName[];
  /** Makes what it needs, and returns how it is done. */
  prepare(): Promise<() => Promise<unknown>>;
}

const ofCoupon: LockName[] = ['gates', 'holders', 'coupons', 'counters'];
const ofCouponUncounted: LockName[] = ['gates', 'holders', 'coupons'];
const ofDeal: LockName[] = ['gates', 'dealers'];
const deeds: Record<string, Deed> = {
  redeems: {
    takes: ofCoupon,
    async prepare() {
      const code = await draw();
      return () => redeemCoupon(testCore.core, admin, code, { userId: 'ana' });
    },
  },
  reverses: {
    takes: ofCoupon,
    async prepare() {
      const { body } = await redeemCoupon(testCore.core, admin, await draw(), { userId: 'ana' });
      return () => reverseRedemption(testCore.core, admin, body.redemption.id, {});
    },
  },
  voids: {
    takes: ofCoupon,
    async prepare() {
      const code = await draw();
      return () => voidCoupon(testCore.core, admin, code, {});
    },
  },
  locks: {
    takes: ofCouponUncounted,
    async prepare() {
      const code = await draw();
      return () => lockCoupon(testCore.core, admin, code, { userId: 'ana' });
    },
  },
  unlocks: {
    takes: ofCouponUncounted,
    async prepare() {
      const code = await draw();
      const { body } = await lockCoupon(testCore.core, admin, code, { userId: 'ana' });
      return () => unlockCoupon(testCore.core, admin, code, { userId: 'ana', lockToken: body.lockToken });
    },
  },
  'assigns a random code': { takes: ofDeal, prepare: async () => draw },
  'assigns a code by name': {
    takes: ofDeal,
    async prepare() {
      const code = await findUndealt();
      return () => assignCode(testCore.core, admin, code, { userId: 'ana' });
    },
  },
};

describe('a batch', () => {
  test.each(Object.entries(deeds))(
    'takes its locks in the order of the house, and reads what it decides on after the last: one that %s',
    async (_name, { takes, prepare }) => {
      const work = await prepare();
      const sent = await statementsOf(work);
      const locks = sent.flatMap((name) => order.filter((lock) => statements[lock] === name));
      expect(locks).toEqual(order.filter((lock) => takes.includes(lock)));
      const lastLock = sent.lastIndexOf(statements[locks.at(-1)!]);
      const readBefore = sent.slice(0, lastLock).filter((name) => reads.includes(name));
      expect(readBefore).toEqual([]);
      expect(sent.slice(lastLock)).toContain('read-clock-and-keys');
    },
  );
});
