import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { Caller } from '../../core/caller.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { Core } from '../../core/core.ts';
import { nameOf } from '../../core/coupons/engine/obstacles.ts';
import {
  assignCode,
  assignCoupon,
  CouponError,
  changeBook,
  checkReady,
  closeCore,
  createBook,
  createTenant,
  generateCodes,
  isLockTimeout,
  keyedRequest,
  lockCoupon,
  openCore,
  readCoupon,
  redeemCoupon,
  silentLog,
  voidCoupon,
} from '../../core/index.ts';
import type { DeckKey } from '../../core/keys.ts';
import { limits } from '../../core/limits.ts';
import { systemRandom } from '../../core/random.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { keyed } from '../support/keyed.ts';
import { admin, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';

interface Book {
  id: string;
  bookKey: number;
  deckId: string;
  caller: Caller;
}

const root: Caller = { ...admin, role: 'root' };

let one: TestCore;
let core: Core;
/**
 * Two of one tenant, of which things of the first are held, and one of another tenant. All limit what can be limited.
 */
let held: Book;
let other: Book;
let foreign: Book;
/** Holds what a test says until it lets go. */
let session: Client;
let numbers = 0;
let aheadMillis = 0;
const clock: Clock = { now: systemClock.now, monotonic: () => systemClock.monotonic() + aheadMillis };

/** Who waits for what is held has waited too long from here on: the machine's pace decides on nobody. */
function endPatience(): void {
  aheadMillis += limits.heldUpMaxMillis + 1;
}

// Writes off the hot path are refused in their own time.
bePatient({ without: 'cold' });

beforeAll(async () => {
  one = await openTestCore('held up', { clock });
  core = one.core;
  await createTenant(core, root, { slug: 'foreign', name: 'Foreign' }, null);
  const { rows } = await core.pool.query<{ id: number }>(`select tenant_id as id from tenants where slug = 'foreign'`);
  held = await makeBook(admin, 'HELD', { maxRedemptions: 100_000, maxRedemptionsPerUser: 1_000 });
  other = await makeBook(admin, 'MINE', { maxRedemptions: 100_000, maxRedemptionsPerUser: 1_000 });
  foreign = await makeBook({ ...admin, tenantId: rows[0]!.id }, 'THEM', { maxRedemptions: 100_000 });
  session = new Client({ connectionString: one.database.url });
  await session.connect();
});
beforeEach(() => session.query('begin'));
afterEach(() => session.query('rollback'));
afterAll(async () => {
  await session.end();
  await one.close();
});

async function makeBook(caller: Caller, name: string, limits: object): Promise<Book> {
  const { body } = await createBook(
    core,
    caller,
    { name, status: 'active', maxRedemptionsPerCode: 100, ...limits },
    null,
  );
  const deck = await generateCodes(core, caller, body.id, { count: 10_000, pattern: `${name}-########` }, null);
  const bookKey = await core.knownBooks.bookKeyOf(caller.tenantId, body.id);
  return { id: body.id, bookKey: bookKey!, deckId: deck.body.deckId, caller };
}

async function assign(book: Book, userId = `u-${++numbers}`, from = core) {
  return (await assignCoupon(from, book.caller, { bookId: book.id, userId })).body;
}

function redeem(
  book: Book,
  { code, userId }: { code: string; userId: string | null },
  key: string | null = null,
  from = core,
) {
  const input = { userId: userId! };
  const request = key === null ? null : keyed(key, `coupons/${code}/redeem`, input, book.caller);
  return redeemCoupon(from, book.caller, code, input, request);
}

/** What became of each: its status, or the kind of its refusal. */
async function outcomesOf(answers: Promise<{ body: { status: string } }>[]): Promise<string[]> {
  const settled = await Promise.allSettled(answers);
  return settled.map((answer) => {
    if (answer.status === 'fulfilled') return answer.value.body.status;
    if (!(answer.reason instanceof CouponError)) throw answer.reason;
    const { kind, outcome, retryAfterSeconds } = answer.reason.refusal;
    return outcome === undefined ? kind : `${kind}, ${outcome}, ${retryAfterSeconds} s`;
  });
}

const refused = 'unavailable, not-begun, 1 s';

/** Everything that takes a lock of its own in another book, of the same tenant and of another one. */
async function workElsewhere(): Promise<string[]> {
  const [mine, theirs] = await Promise.all([assign(other), assign(foreign)]);
  return outcomesOf([redeem(other, mine), redeem(foreign, theirs)]);
}

const fine = ['assigned', 'assigned'];

/** Sessions that wait for a lock now. */
async function countWaiting(): Promise<number> {
  // Within a transaction, a look would show what the one before saw.
  await session.query('select pg_stat_clear_snapshot()');
  const { rows } = await session.query<{ waiting: number }>(
    `select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]!.waiting;
}

describe('a coupon that somebody holds', () => {
  test('refuses those who want to change it, as not begun, and nobody who was in a batch with them', async () => {
    const coupon = await assign(held);
    const others = await Promise.all(Array.from({ length: 20 }, () => assign(held)));
    await session.query('select from coupons where code = $1 for update', [coupon.code]);
    const affected = outcomesOf([
      redeem(held, coupon, 'k-1'),
      lockCoupon(core, admin, coupon.code, { userId: coupon.userId! }),
      voidCoupon(core, admin, coupon.code, {}),
    ]);
    const unaffected = outcomesOf(others.map((each) => redeem(held, each)));
    expect(await workElsewhere()).toEqual(fine);
    expect(await unaffected).toEqual(Array(20).fill('assigned'));
    endPatience();
    expect(await affected).toEqual([refused, refused, refused]);
    expect((await readCoupon(core, admin, coupon.code)).redemptions).toBe(0);
    await session.query('rollback');
    expect((await redeem(held, coupon, 'k-1')).replayed).toBe(false);
    expect((await redeem(held, coupon, 'k-1')).replayed).toBe(true);
    expect((await readCoupon(core, admin, coupon.code)).redemptions).toBe(1);
  });

  test('is waited for when it is let go soon: the request succeeds then', async () => {
    const coupon = await assign(held);
    await session.query('select from coupons where code = $1 for update', [coupon.code]);
    const outcome = redeem(held, coupon);
    // Long enough for it to be set aside.
    await sleep(1_500);
    await session.query('rollback');
    expect((await outcome).body.redemptions).toBe(1);
  });

  test('once it is known, is not run into again: who comes later waits in no transaction', async () => {
    const coupon = await assign(held);
    await session.query('select from coupons where code = $1 for update', [coupon.code]);
    const first = outcomesOf([redeem(held, coupon)]);
    const { rows } = await core.pool.query<{ deckKey: DeckKey; pos: number }>(
      'select deck_id as "deckKey", pos from coupons where code = $1',
      [coupon.code],
    );
    while (core.obstacles.areFree([nameOf.coupon(rows[0]!)])) await sleep(10);
    while ((await countWaiting()) > 0) await sleep(10);
    const again = outcomesOf([redeem(held, coupon)]);
    let mostWaiting = 0;
    for (let look = 0; look < 30; look += 1) {
      mostWaiting = Math.max(mostWaiting, await countWaiting());
      await sleep(10);
    }
    expect(mostWaiting).toBe(0);
    endPatience();
    expect(await Promise.all([first, again])).toEqual([[refused], [refused]]);
  });
});

describe('a dealer that somebody holds', () => {
  test('refuses assigns in its book, drawn and by name, and holds up no redeem there and nothing elsewhere', async () => {
    const coupon = await assign(held);
    // No draw of this file reaches it.
    const lastCode = (await codesOfDeck(core, admin.tenantId, held.deckId)).at(-1)!;
    await session.query('select from dealers where book_id = $1 for update', [held.bookKey]);
    const affected = outcomesOf([
      assignCoupon(core, admin, { bookId: held.id, userId: 'late' }),
      assignCode(core, admin, lastCode, { userId: 'late' }),
    ]);
    expect(await workElsewhere()).toEqual(fine);
    expect(await outcomesOf([redeem(held, coupon)])).toEqual(['assigned']);
    endPatience();
    expect(await affected).toEqual([refused, refused]);
  });
});

describe('a holder that somebody holds', () => {
  test('refuses redeems of that user in that book, of any coupon, and holds up no other user', async () => {
    const [first, second, another] = [await assign(held, 'both'), await assign(held, 'both'), await assign(held)];
    const elsewhere = await assign(other, 'both');
    await session.query('select from holders where book_id = $1 and user_id = $2 for update', [held.bookKey, 'both']);
    const affected = outcomesOf([redeem(held, first), redeem(held, second)]);
    expect(await outcomesOf([redeem(held, another), redeem(other, elsewhere)])).toEqual(fine);
    expect(await workElsewhere()).toEqual(fine);
    endPatience();
    expect(await affected).toEqual([refused, refused]);
  });
});

describe('a counter that somebody holds', () => {
  test('refuses redeems in its book where that limits them, and no lock or assign there', async () => {
    const [coupon, another] = [await assign(held), await assign(held)];
    await session.query('select from book_counters where book_id = $1 and stripe = 0 for update', [held.bookKey]);
    const affected = outcomesOf([redeem(held, coupon)]);
    const locked = await lockCoupon(core, admin, another.code, { userId: another.userId! });
    expect([locked.body.status, (await assign(held)).status]).toEqual(['locked', 'assigned']);
    expect(await workElsewhere()).toEqual(fine);
    endPatience();
    expect(await affected).toEqual([refused]);
  });

  test('one row of many, of a book that limits nothing, is gone around', async () => {
    const free = await makeBook(admin, 'FREE', {});
    // Draws the stripe that is held, as one batch in sixteen does.
    const unlucky = await one.openAnother({ clock, random: { ...systemRandom, below: () => 0 } });
    await session.query('select from book_counters where book_id = $1 and stripe = 0 for update', [free.bookKey]);
    const coupons = [await assign(free), await assign(free)];
    const outcomes = await outcomesOf(coupons.map((coupon) => redeem(free, coupon, undefined, unlucky)));
    expect(outcomes).toEqual(['assigned', 'assigned']);
  });
});

describe('a gate that somebody keeps closed', () => {
  test('refuses what is done in its book, and holds up no other', async () => {
    const coupon = await assign(held);
    await session.query('select pg_advisory_xact_lock(1112493899, $1::int)', [held.bookKey]);
    const affected = outcomesOf([redeem(held, coupon), assignCoupon(core, admin, { bookId: held.id, userId: 'late' })]);
    expect(await workElsewhere()).toEqual(fine);
    endPatience();
    expect(await affected).toEqual([refused, refused]);
  });

  test('refuses a change of its book as not begun, which holds no connection meanwhile, and none of another book', async () => {
    await session.query('select pg_advisory_xact_lock_shared(1112493899, $1::int)', [held.bookKey]);
    const stuck = changeBook(core, admin, held.id, { description: 'stuck' }, null).catch(
      (error: { code: string }) => error.code,
    );
    const changes = await Promise.all(
      [other, foreign].map(({ id, caller }) => changeBook(core, caller, id, { description: 'fine' }, null)),
    );
    expect(changes.map(({ description }) => description)).toEqual(['fine', 'fine']);
    expect(await stuck).toBe('55P03');
    const coupon = await assign(held);
    expect(await outcomesOf([redeem(held, coupon)])).toEqual(['assigned']);
  });
});

describe('the lock on a tenant’s codes that somebody keeps', () => {
  test('refuses the tenant’s generates as not begun, however many, and takes no connection that others need', async () => {
    const small = await openCore(testConfig(one.database.url, { DB_POOL_MAX: '4' }), { log: silentLog });
    await session.query('select pg_advisory_xact_lock(1129268293, 1)');
    const stuck = Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        generateCodes(small, admin, held.id, { count: 10, pattern: `STUCK-${index}-########` }, null),
      ),
    );
    const changed = await changeBook(small, foreign.caller, foreign.id, { description: 'beside them' }, null);
    await generateCodes(small, foreign.caller, foreign.id, { count: 10, pattern: 'THEM-########' }, null);
    await checkReady(small);
    const { body: mine } = await assignCoupon(small, admin, { bookId: held.id, userId: 'beside them' });
    expect([changed.description, mine.status]).toEqual(['beside them', 'assigned']);
    const reasons = (await stuck).map((each) => (each.status === 'rejected' ? (each.reason as unknown) : 'made'));
    const isRefused = (reason: unknown) =>
      isLockTimeout(reason) || (reason instanceof CouponError && reason.refusal.outcome === 'not-begun');
    expect(reasons.filter((reason) => !isRefused(reason))).toEqual([]);
    await session.query('rollback');
    await generateCodes(small, admin, held.id, { count: 10, pattern: 'STUCK-0-########' }, null);
    await closeCore(small);
  });
});

describe('what nobody can name', () => {
  test('refuses the one that waits for it: here a key that an open transaction has used', async () => {
    const coupons = await Promise.all(Array.from({ length: 8 }, () => assign(held)));
    const { keyHash } = keyedRequest(admin, 'taken', 'coupons/assign', {});
    await session.query('insert into idempotency (tenant_id, key_hash, fingerprint, status) values (1, $1, 0, 200)', [
      keyHash,
    ]);
    const outcomes = await outcomesOf(
      coupons.map((coupon, index) => redeem(held, coupon, index === 3 ? 'taken' : null)),
    );
    expect(outcomes).toEqual(coupons.map((_, index) => (index === 3 ? refused : 'assigned')));
  });
});

test('every invariant holds after it', async () => {
  await session.query('rollback');
  expect(await findBrokenInvariants(one.database.url)).toEqual([]);
});
