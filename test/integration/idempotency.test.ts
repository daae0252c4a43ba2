import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Caller } from '../../core/caller.ts';
import type { Core } from '../../core/core.ts';
import { voidDeck } from '../../core/decks/void-deck.ts';
import {
  assignBatch,
  assignCode,
  assignCoupon,
  changeBook,
  closeCore,
  createApiKey,
  createBook,
  createTenant,
  generateCodes,
  lockCoupon,
  openCore,
  readBook,
  readCoupon,
  redeemCoupon,
  reverseRedemption,
  silentLog,
  unlockCoupon,
  voidCoupon,
} from '../../core/index.ts';
import { uploadCodes } from '../../core/uploads/upload-codes.ts';
import { bePatient } from '../support/be-patient.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { codesOfDeck } from '../support/coupon-model-codes.ts';
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts';
import { keyed } from '../support/keyed.ts';
import { admin, customer, openTestCore, type TestCore, testConfig } from '../support/open-test-core.ts';

interface Answer {
  body: object;
  replayed: boolean;
}

/** One POST, made ready: nothing but itself is still to happen. */
interface Post {
  send(core: Core, key: string): Promise<Answer>;
  /** The same operation with another body. */
  sendOther(core: Core, key: string): Promise<Answer>;
  /** Changes further what the first answer was about. */
  change?: (answer: Answer) => Promise<unknown>;
  /** Transactions before the one with the effect. */
  commitsBefore?: number;
}

const root: Caller = { ...admin, role: 'root' };

bePatient();
let testCore: TestCore;
let one: Core;
let other: Core;
let proxy: FaultProxy;
/** A process whose connections the proxy cuts. */
let crashing: Core;
let bookId: string;
let freeCodes: string[];
let names = 0;

beforeAll(async () => {
  testCore = await openTestCore('idempotency');
  one = testCore.core;
  other = await testCore.openAnother();
  proxy = await openFaultProxy(testCore.database.url);
  crashing = await openCore(testConfig(proxy.url), { log: silentLog });
  const book = await createBook(one, admin, { name: 'Once', status: 'active', maxRedemptionsPerCode: 3 }, null);
  bookId = book.body.id;
  const deck = await generateCodes(one, admin, bookId, { count: 2000, pattern: 'ONCE-####-####' }, null);
  // The deck is dealt from its start, and codes are named from its end.
  freeCodes = await codesOfDeck(one, 1, deck.body.deckId);
});
afterAll(async () => {
  await closeCore(crashing);
  await proxy.close();
  await testCore.close();
});

function uniqueName(): string {
  names += 1;
  return `n${names}`;
}

async function heldCode(): Promise<string> {
  return (await assignCoupon(one, admin, { bookId, userId: 'u-1' })).body.code;
}

const changeCoupon = async (code: string) => {
  await redeemCoupon(one, admin, code, { userId: 'u-1' }).catch(() => {});
  await voidCoupon(one, admin, code, {}).catch(() => {});
};
const changeCouponOf = (answer: Answer) => changeCoupon((answer.body as { code: string }).code);

/** Requests are named by their paths and bodies, as the API does. */
const assign = (core: Core, input: { bookId: string; userId: string }, key: string, caller = admin) =>
  assignCoupon(core, caller, input, keyed(key, 'coupons/assign', input, caller));
const assignNamed = (core: Core, code: string, input: { userId: string }, key: string) =>
  assignCode(core, admin, code, input, keyed(key, `coupons/${code}/assign`, input));
const assignAll = (core: Core, input: { bookId: string; userIds: string[] }, key: string) =>
  assignBatch(core, admin, input, keyed(key, 'coupons/assign-batch', input));
const lock = (
  core: Core,
  code: string,
  input: { userId: string; ttlSeconds?: number; lockToken?: string },
  key: string,
) => lockCoupon(core, admin, code, input, keyed(key, `coupons/${code}/lock`, input));
const unlock = (core: Core, code: string, input: { userId: string; lockToken: string }, key: string) =>
  unlockCoupon(core, admin, code, input, keyed(key, `coupons/${code}/unlock`, input));
const redeem = (
  core: Core,
  code: string,
  input: { userId: string; reference?: string; metadata?: Record<string, unknown> },
  key: string,
) => redeemCoupon(core, admin, code, input, keyed(key, `coupons/${code}/redeem`, input));
const reverse = (core: Core, id: string, input: { reason?: string }, key: string) =>
  reverseRedemption(core, admin, id, input, keyed(key, `redemptions/${id}/reverse`, input));
const voidNamed = (core: Core, code: string, input: { reason?: string }, key: string) =>
  voidCoupon(core, admin, code, input, keyed(key, `coupons/${code}/void`, input));

const coldPosts: Record<string, () => Promise<Post>> = {
  'a book’s creation': async () => {
    const send = (name: string) => (core: Core, key: string) =>
      createBook(core, admin, { name }, keyed(key, 'books', { name }));
    const change = (answer: Answer) =>
      changeBook(one, admin, (answer.body as { id: string }).id, { name: 'New' }, null);
    return { send: send(uniqueName()), sendOther: send('another'), change };
  },
  'a deck’s generation': async () => {
    const send = (count: number) => (core: Core, key: string) => {
      const input = { count, pattern: 'DECK-####-####' };
      return generateCodes(core, admin, bookId, input, keyed(key, `books/${bookId}/codes/generate`, input));
    };
    return { send: send(10), sendOther: send(11) };
  },
  'an upload': async () => {
    const send = (codes: string[]) => (core: Core, key: string) => {
      const body = Readable.from([JSON.stringify({ codes })]);
      return uploadCodes(core, admin, bookId, { format: 'json', body }, keyed(key, `books/${bookId}/codes`));
    };
    const name = uniqueName();
    return { send: send([`U1-${name}`, `U2-${name}`]), sendOther: send([`U1-${name}`]) };
  },
  'a deck’s voiding': async () => {
    const deckOf = async () => {
      const input = { count: 10, pattern: 'VOID-####-####' };
      return (await generateCodes(one, admin, bookId, input, null)).body.deckId;
    };
    const send = (deckId: string) => (core: Core, key: string) =>
      voidDeck(core, admin, bookId, deckId, {}, keyed(key, `books/${bookId}/decks/${deckId}/void`, {}));
    return { send: send(await deckOf()), sendOther: send(await deckOf()) };
  },
  'an API key’s creation': async () => {
    const send = (name: string) => (core: Core, key: string) => {
      const input = { name, role: 'operator' as const };
      return createApiKey(core, admin, input, keyed(key, 'api-keys', input));
    };
    return { send: send(uniqueName()), sendOther: send('another') };
  },
  'a tenant’s creation': async () => {
    const send = (slug: string) => (core: Core, key: string) => {
      const input = { slug, name: slug };
      return createTenant(core, root, input, keyed(key, 'tenants', input));
    };
    return { send: send(uniqueName()), sendOther: send(uniqueName()) };
  },
};

const hotPosts: Record<string, () => Promise<Post>> = {
  'an assign': async () => {
    const send = (userId: string) => (core: Core, key: string) => assign(core, { bookId, userId }, key);
    return { send: send('u-1'), sendOther: send('u-2'), change: changeCouponOf };
  },
  'an assign by name': async () => {
    const code = freeCodes.pop()!;
    const send = (userId: string) => (core: Core, key: string) => assignNamed(core, code, { userId }, key);
    return { send: send('u-1'), sendOther: send('u-2'), change: changeCouponOf };
  },
  'an assign of a batch': async () => {
    const send = (userIds: string[]) => (core: Core, key: string) => assignAll(core, { bookId, userIds }, key);
    const change = async ({ body }: Answer) => {
      for (const result of (body as { results: { code: string }[] }).results) await changeCoupon(result.code);
    };
    return { send: send(['u-1', 'u-2', 'u-1']), sendOther: send(['u-1', 'u-2']), change };
  },
  'a lock': async () => {
    const code = await heldCode();
    const send = (ttlSeconds: number) => (core: Core, key: string) =>
      lock(core, code, { userId: 'u-1', ttlSeconds }, key);
    const change = async ({ body }: Answer) => {
      await unlockCoupon(one, admin, code, { userId: 'u-1', lockToken: (body as { lockToken: string }).lockToken });
      await changeCoupon(code);
    };
    return { send: send(60), sendOther: send(61), change };
  },
  'the renewal of a lock': async () => {
    const code = await heldCode();
    const { lockToken } = (await lockCoupon(one, admin, code, { userId: 'u-1' })).body;
    const send = (ttlSeconds: number) => (core: Core, key: string) =>
      lock(core, code, { userId: 'u-1', lockToken, ttlSeconds }, key);
    const change = async () => {
      await unlockCoupon(one, admin, code, { userId: 'u-1', lockToken });
      await changeCoupon(code);
    };
    return { send: send(60), sendOther: send(61), change };
  },
  'an unlock': async () => {
    const code = await heldCode();
    const { lockToken } = (await lockCoupon(one, admin, code, { userId: 'u-1' })).body;
    const send = (token: string) => (core: Core, key: string) =>
      unlock(core, code, { userId: 'u-1', lockToken: token }, key);
    return { send: send(lockToken), sendOther: send('2'), change: changeCouponOf };
  },
  'a redeem': async () => {
    const code = await heldCode();
    const send = (reference: string) => (core: Core, key: string) =>
      redeem(core, code, { userId: 'u-1', reference, metadata: { b: 1, a: 2 } }, key);
    return { send: send('o-1'), sendOther: send('o-2'), change: changeCouponOf };
  },
  'a reverse': async () => {
    const { body } = await redeemCoupon(one, admin, await heldCode(), { userId: 'u-1' });
    const send = (reason: string) => (core: Core, key: string) => reverse(core, body.redemption.id, { reason }, key);
    return { send: send('cancelled'), sendOther: send('returned'), change: changeCouponOf };
  },
  'a void': async () => {
    const code = await heldCode();
    const send = (reason: string) => (core: Core, key: string) => voidNamed(core, code, { reason }, key);
    return { send: send('leaked'), sendOther: send('lost') };
  },
  'the voiding of a code that nobody has': async () => {
    const code = freeCodes.pop()!;
    const send = (reason: string) => (core: Core, key: string) => voidNamed(core, code, { reason }, key);
    return { send: send('leaked'), sendOther: send('lost'), commitsBefore: 1 };
  },
};

/** What there is of everything that a POST may make. */
async function countEffects(): Promise<Record<string, number>> {
  const { rows } = await one.pool.query<Record<string, number>>(
    `select (select count(*) from events) as events, (select count(*) from redemptions) as redemptions,
      (select count(*) from coupons) as coupons, (select count(*) from books) as books,
      (select count(*) from decks) as decks, (select count(*) from deck_codes) as codes,
      (select coalesce(sum(voided), 0)::bigint from decks) as voided, (select count(*) from api_keys) as "apiKeys",
      (select count(*) from tenants) as tenants`,
  );
  return rows[0]!;
}

/** A key's secret is shown once; all else of a replay is the first answer to the letter. */
function withoutSecrets(body: object): unknown {
  return JSON.parse(JSON.stringify(body, (name, value: unknown) => (name === 'secret' ? undefined : value)));
}

const posts = Object.entries({ ...coldPosts, ...hotPosts });

describe.each(posts)('%s', (name, makeReady) => {
  test('repeated after its success, from any process, has one effect and the same answer', async () => {
    const { send } = await makeReady();
    const key = uniqueName();
    const first = await send(one, key);
    expect(first.replayed).toBe(false);
    const effects = await countEffects();
    for (const core of [one, other, crashing]) {
      expect(await send(core, key)).toEqual({ body: withoutSecrets(first.body), replayed: true });
    }
    expect(await countEffects()).toEqual(effects);
  });

  test('repeated after its subject has changed further, has the first answer', async () => {
    const { send, change } = await makeReady();
    const key = uniqueName();
    const first = await send(one, key);
    await change?.(first);
    expect(await send(other, key)).toEqual({ body: withoutSecrets(first.body), replayed: true });
  });

  test('sent ten times at once through two processes, has one effect and one answer', async () => {
    const single = await makeReady();
    const empty = await countEffects();
    await single.send(one, uniqueName());
    const before = await countEffects();
    const { send } = await makeReady();
    const between = await countEffects();
    const key = uniqueName();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => send(index % 2 === 0 ? one : other, key)),
    );
    for (const answer of answers) expect(withoutSecrets(answer.body)).toEqual(withoutSecrets(answers[0]!.body));
    // Of a batch every item is an effect of its own, and each may fall to another of the ten.
    if (name !== 'an assign of a batch') expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(difference(await countEffects(), between)).toEqual(difference(before, empty));
  });

  test('with another body under the same key is refused, and nothing happens', async () => {
    const { send, sendOther } = await makeReady();
    const key = uniqueName();
    const first = await send(one, key);
    const effects = await countEffects();
    for (const core of [one, other]) {
      await expect(sendOther(core, key)).rejects.toMatchObject({ kind: 'idempotency-key-reused' });
    }
    expect(await countEffects()).toEqual(effects);
    expect(await send(one, key)).toEqual({ body: withoutSecrets(first.body), replayed: true });
  });

  test('whose process is cut off between COMMIT and its answer has one effect, which a repeat elsewhere answers with', async () => {
    const { send, commitsBefore = 0 } = await makeReady();
    const key = uniqueName();
    const fault = proxy.arm('commit', 'stall-answer', commitsBefore);
    const lost = send(crashing, key).catch((error: unknown) => error);
    await fault.struck;
    proxy.cutAll();
    const effects = await countEffects();
    const repeated = await send(other, key);
    expect(repeated.replayed).toBe(true);
    expect(await countEffects()).toEqual(effects);
    // The first process asks what became of its transaction, where it can still ask.
    const outcome = (await lost) as Answer;
    if (outcome.body !== undefined) expect(withoutSecrets(outcome.body)).toEqual(withoutSecrets(repeated.body));
    else expect(outcome).toMatchObject({ kind: 'unavailable' });
  });
});

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - before[name]!]));
}

describe('a key', () => {
  test('that one operation has used is refused to every other one', async () => {
    const ready = await Promise.all(posts.map(async ([, makeReady]) => makeReady()));
    const keys = ready.map(() => uniqueName());
    for (const [index, { send }] of ready.entries()) await send(one, keys[index]!);
    const effects = await countEffects();
    for (const [index, { sendOther }] of ready.entries()) {
      const foreign = keys[(index + 1) % keys.length]!;
      await expect(sendOther(one, foreign)).rejects.toMatchObject({ kind: 'idempotency-key-reused' });
    }
    expect(await countEffects()).toEqual(effects);
  });

  test.each(Object.entries(hotPosts))(
    'used twice in one batch: %s has one effect, and both get it',
    async (name, makeReady) => {
      const { send } = await makeReady();
      const key = uniqueName();
      const [first, second] = await Promise.all([send(one, key), send(one, key)]);
      expect(second!.body).toEqual(first!.body);
      if (name !== 'an assign of a batch') expect([first!.replayed, second!.replayed].sort()).toEqual([false, true]);
    },
  );

  test('used twice in one batch for two bodies serves the first and is refused to the second', async () => {
    const key = uniqueName();
    const [first, second] = await Promise.allSettled(
      ['u-1', 'u-2'].map((userId) => assign(one, { bookId, userId }, key)),
    );
    expect(first).toMatchObject({ status: 'fulfilled', value: { body: { userId: 'u-1' }, replayed: false } });
    expect(second).toMatchObject({ status: 'rejected', reason: { kind: 'idempotency-key-reused' } });
  });

  test('of a refused request is free: refusals are not remembered', async () => {
    const key = uniqueName();
    const nowhere = '019fffff-0000-7000-8000-000000000000';
    const refused = assign(one, { bookId: nowhere, userId: 'u-1' }, key);
    await expect(refused).rejects.toMatchObject({ kind: 'book-not-found' });
    const all = assignAll(one, { bookId: nowhere, userIds: ['u-1'] }, key);
    await expect(all).rejects.toMatchObject({ kind: 'book-not-found' });
    await expect(redeem(one, 'NO-SUCH-CODE', { userId: 'u-1' }, key)).rejects.toMatchObject({
      kind: 'coupon-not-found',
    });
    expect(await assign(one, { bookId, userId: 'u-1' }, key)).toMatchObject({ replayed: false });
  });

  test('is named before everything that the database would refuse', async () => {
    const key = uniqueName();
    await assign(one, { bookId, userId: 'u-1' }, key);
    const reused = { kind: 'idempotency-key-reused' };
    const nowhere = '019fffff-0000-7000-8000-000000000000';
    await expect(assign(one, { bookId: nowhere, userId: 'u-1' }, key)).rejects.toMatchObject(reused);
    await expect(assignAll(one, { bookId: nowhere, userIds: ['u-1'] }, key)).rejects.toMatchObject(reused);
    await expect(lock(one, 'NO-SUCH-CODE', { userId: 'u-1' }, key)).rejects.toMatchObject(reused);
    await expect(reverse(one, nowhere, {}, key)).rejects.toMatchObject(reused);
  });

  test('is one customer’s own: two customers and the tenant may use the same one', async () => {
    const book = await createBook(one, admin, { name: 'Own', status: 'active', selfService: true }, null);
    await generateCodes(one, admin, book.body.id, { count: 10, pattern: 'OWNS-####-####' }, null);
    const key = uniqueName();
    const claim = (caller: Caller, userId: string) => assign(one, { bookId: book.body.id, userId }, key, caller);
    const claims = [
      await claim(customer('u-1'), 'u-1'),
      await claim(customer('u-2'), 'u-2'),
      await claim(admin, 'u-1'),
      await claim(customer('u-1'), 'u-1'),
    ];
    expect(claims.map(({ replayed }) => replayed)).toEqual([false, false, false, true]);
    expect(new Set(claims.map(({ body }) => body.code)).size).toBe(3);
  });

  test('is known to whoever sees what was done under it: a take that meets a redeem, a lock that meets a voided deck', async () => {
    const code = await heldCode();
    const key = uniqueName();
    const atCoupons = proxy.arm('read-coupons', 'stall-before');
    const taking = assignNamed(crashing, code, { userId: 'u-2' }, key).catch((error: unknown) => error);
    await atCoupons.struck;
    await redeem(one, code, { userId: 'u-1' }, key);
    atCoupons.release();
    expect(await taking).toMatchObject({ kind: 'idempotency-key-reused' });

    const input = { count: 1, pattern: 'SEEN-####-####' };
    const { deckId } = (await generateCodes(one, admin, bookId, input, null)).body;
    const [left] = await codesOfDeck(one, 1, deckId);
    const deckKey = uniqueName();
    const atPlaces = proxy.arm('find-void-places', 'stall-before');
    const locking = lock(crashing, left!, { userId: 'u-1' }, deckKey).catch((error: unknown) => error);
    await atPlaces.struck;
    await voidDeck(one, admin, bookId, deckId, {}, keyed(deckKey, `books/${bookId}/decks/${deckId}/void`, {}));
    atPlaces.release();
    expect(await locking).toMatchObject({ kind: 'idempotency-key-reused' });
  });

  test('is named after what the caller may not do at all', async () => {
    const [open, shut] = await Promise.all(
      [true, false].map(async (selfService) => {
        const { body } = await createBook(one, admin, { name: 'Claims', status: 'active', selfService }, null);
        return body.id;
      }),
    );
    await generateCodes(one, admin, open!, { count: 10, pattern: 'CLAIM-####-####' }, null);
    const key = uniqueName();
    const claim = (bookId: string) => assign(one, { bookId, userId: 'u-1' }, key, customer('u-1'));
    const first = await claim(open!);
    await expect(claim(shut!)).rejects.toMatchObject({ kind: 'forbidden' });
    await changeBook(one, admin, open!, { selfService: false }, null);
    expect(await claim(open!)).toEqual({ body: first.body, replayed: true });
  });

  test('names one request whatever its body’s order', async () => {
    const code = await heldCode();
    const key = uniqueName();
    const send = (metadata: Record<string, unknown>) => redeem(one, code, { userId: 'u-1', metadata }, key);
    const first = await send({ a: 1, b: { c: 2, d: 3 } });
    expect(await send({ b: { d: 3, c: 2 }, a: 1 })).toEqual({ body: first.body, replayed: true });
  });
});

describe('an assign of a batch that broke off', () => {
  test('goes on where it stopped: each user has one coupon, and the whole answer can be had again', async () => {
    const userIds = Array.from({ length: 600 }, (_, index) => `r-${index}`);
    // The first of the requests to the database that is cut is the third transaction: two have taken effect.
    const fault = proxy.arm('commit', 'cut-before', 2);
    const broken = assignAll(crashing, { bookId, userIds }, 'resumed');
    // Some users have got a coupon, whatever became of the others.
    await expect(broken).rejects.toMatchObject({ kind: 'unavailable', refusal: { outcome: 'unknown' } });
    await fault.struck;
    const held = await one.pool.query<{ userId: string; code: string }>(
      `select h.user_id as "userId", c.code from coupons c join holders h on h.holder_id = c.holder_id
        where h.user_id like 'r-%'`,
    );
    expect(held.rows.length).toBeGreaterThan(0);
    expect(held.rows.length).toBeLessThan(600);
    const whole = await assignAll(other, { bookId, userIds }, 'resumed');
    expect(whole.body.results.map((result) => ('userId' in result ? result.userId : result.refusal.kind))).toEqual(
      userIds,
    );
    for (const { userId, code } of held.rows) {
      expect(whole.body.results[Number(userId.slice(2))]).toMatchObject({ userId, code });
    }
    const { rows } = await one.pool.query<{ count: number }>(
      `select count(*) from coupons c join holders h on h.holder_id = c.holder_id where h.user_id like 'r-%'`,
    );
    expect(rows[0]!.count).toBe(600);
    expect(await assignAll(one, { bookId, userIds }, 'resumed')).toEqual({ body: whole.body, replayed: true });
  });

  test('once finished remembers its refusals too: a repeat says the same when the reason is gone', async () => {
    const book = await createBook(one, admin, { name: 'Few', status: 'active', maxCodesPerUser: 1 }, null);
    await generateCodes(one, admin, book.body.id, { count: 2, pattern: 'FEWS-####-####' }, null);
    const request = { bookId: book.body.id, userIds: ['a', 'a', 'b', 'c'] };
    const first = await assignAll(one, request, 'few');
    expect(first.body.results.map((result) => ('refusal' in result ? result.refusal.kind : result.userId))).toEqual([
      'a',
      'user-limit-reached',
      'b',
      'no-codes-left',
    ]);
    await generateCodes(one, admin, book.body.id, { count: 10, pattern: 'FEWS-####-####' }, null);
    await changeBook(one, admin, book.body.id, { maxCodesPerUser: 5 }, null);
    expect(await assignAll(other, request, 'few')).toEqual({ body: first.body, replayed: true });
    expect((await readBook(one, admin, book.body.id)).counts).toMatchObject({ assigned: 2, available: 10 });
  });

  test('where an equal one at the same time got a coupon for a user that this one refused, the coupon is remembered', async () => {
    const book = await createBook(one, admin, { name: 'Race', status: 'active' }, null);
    const request = { bookId: book.body.id, userIds: ['a'] };
    // The first has its refusal and is about to remember it, when a code comes and the second assigns it.
    const fault = proxy.arm('remember-batch-refusals', 'stall-before');
    const refused = assignAll(crashing, request, 'race');
    await fault.struck;
    await generateCodes(one, admin, book.body.id, { count: 1, pattern: 'RACE-####-####' }, null);
    const assigned = await assignAll(one, request, 'race');
    fault.release();
    expect((await refused).body.results).toMatchObject([{ refusal: { kind: 'no-codes-left' } }]);
    expect(assigned.body.results).toMatchObject([{ userId: 'a', status: 'assigned' }]);
    expect(await assignAll(other, request, 'race')).toEqual({ body: assigned.body, replayed: true });
  });
});

test('a replay shows the coupon as it was, a look shows it as it is', async () => {
  const code = await heldCode();
  const redeemed = await redeem(one, code, { userId: 'u-1' }, 'as it was');
  const voided = await voidCoupon(one, admin, code, {});
  expect((await redeem(one, code, { userId: 'u-1' }, 'as it was')).body).toEqual(redeemed.body);
  expect(await readCoupon(one, admin, code)).toEqual(voided.body);
});

test('every invariant holds after it', async () => {
  expect(await findBrokenInvariants(testCore.database.url)).toEqual([]);
});
