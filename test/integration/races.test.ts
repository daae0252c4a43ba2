import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { Client } from 'pg';
import { type ApiAnswer, ApiClient, atOnce, countKinds } from '../support/api-client.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { isLong } from '../support/long-run.ts';
import { type ApiProcess, startApiProcesses } from '../support/start-api-processes.ts';
import { createTestDatabase, findDeadlocks, type TestDatabase } from '../support/start-postgres.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

/** Each race is run this often: a wrong lock shows in some rounds only, and in nearly each run of three. */
const rounds = Number(process.env.QURABLE_TEST_ROUNDS ?? (isLong ? 20 : 3));
/** Users who bring one public code at once, of whom a fifth may redeem. A thousand, once, are the race already. */
const crowd = isLong ? 5_000 : 1_000;
const roundsOfCrowd = isLong ? rounds : 1;
// A round of thousands of requests takes seconds on a machine that is busy otherwise: that decides nothing.
jest.setTimeout(120_000 + rounds * 60_000);

describe('races over three API processes on one database', () => {
  let database: TestDatabase;
  let processes: ApiProcess[];
  let api: ApiClient;

  beforeAll(async () => {
    database = await createTestDatabase('races');
    processes = await startApiProcesses(database.url, 3, { LOG_LEVEL: 'info' });
    // What a busy machine turns away is repeated: only what becomes of each request decides.
    api = new ApiClient(
      processes.map(({ address }) => address),
      true,
    );
  });
  afterEach(async () => {
    expect(await findBrokenInvariants(database.url)).toEqual([]);
    expect(await findDeadlocks(database.name)).toEqual([]);
  });
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.stop()));
    await database.drop();
  });

  let letters = 0;
  /** Makes an active book, with `codes` generated ones where that is not 0. */
  async function makeBook(codes: number, terms: object = {}): Promise<string> {
    const { body } = await api.post('/v1/books', { name: 'Race', status: 'active', ...terms });
    if (codes > 0) {
      letters += 1;
      const made = await api.post(`/v1/books/${body.id}/codes/generate`, {
        count: codes,
        pattern: `R${letters}-########`,
      });
      expect(made.status).toBe(201);
    }
    return body.id;
  }
  async function makePublicBook(terms: object = {}): Promise<{ bookId: string; publicCode: string }> {
    letters += 1;
    const publicCode = `EVERYBODY-${letters}`;
    return { bookId: await makeBook(0, { publicCode, ...terms }), publicCode };
  }
  const assign = (bookId: string, userId: string, key?: string) =>
    api.post('/v1/coupons/assign', { bookId, userId }, key);
  async function assigned(bookId: string, userId: string): Promise<string> {
    const answer = await assign(bookId, userId);
    expect(answer.status).toBe(201);
    return answer.body.code;
  }
  const redeem = (code: string, userId: string, more: object = {}, key?: string) =>
    api.post(`/v1/coupons/${code}/redeem`, { userId, ...more }, key);
  const redeemOnce = (code: string, userId: string) => redeem(code, userId, {}, `once-${code}-${userId}`);
  const lock = (code: string, userId: string, more: object = {}) =>
    api.post(`/v1/coupons/${code}/lock`, { userId, ...more });

  async function eachRound(work: () => Promise<void>): Promise<void> {
    for (let round = 0; round < rounds; round += 1) await work();
  }

  test('of 300 concurrent redeems of a single-use coupon, exactly one succeeds', async () => {
    const bookId = await makeBook(100);
    await eachRound(async () => {
      const code = await assigned(bookId, 'ana');
      const answers = await atOnce(300, () => redeem(code, 'ana'));
      expect(countKinds(answers)).toEqual({ ok: 1, 'code-already-redeemed': 299 });
    });
  });

  test('of 200 concurrent assigns to a new user with maxCodesPerUser 3, exactly three succeed', async () => {
    const bookId = await makeBook(10_000, { maxCodesPerUser: 3 });
    let user = 0;
    await eachRound(async () => {
      user += 1;
      const answers = await atOnce(200, () => assign(bookId, `new-${user}`));
      expect(countKinds(answers)).toEqual({ ok: 3, 'user-limit-reached': 197 });
    });
  });

  test(`of ${crowd} users who bring one public code with maxRedemptions ${crowd / 5}, exactly so many redeem`, async () => {
    for (let round = 0; round < roundsOfCrowd; round += 1) {
      const { bookId, publicCode } = await makePublicBook({ maxRedemptions: crowd / 5 });
      // A thousand at a time: a machine that is busy otherwise runs out of sockets before.
      const answers = await atOnce(1_000, async (lane) => {
        const ofLane: ApiAnswer[] = [];
        for (let n = lane; n < crowd; n += 1_000) ofLane.push(await redeemOnce(publicCode, `crowd-${n}`));
        return ofLane;
      }).then((lanes) => lanes.flat());
      expect(countKinds(answers)).toEqual({ ok: crowd / 5, 'redemption-limit-reached': (crowd * 4) / 5 });
      const { body } = await api.get(`/v1/books/${bookId}/counts`);
      // A redeem that is refused deals nothing.
      expect([body.redemptions, body.assigned]).toEqual([crowd / 5, crowd / 5]);
    }
  });

  test('first and later redeems by a public code share the limit of the book', async () => {
    await eachRound(async () => {
      const { bookId, publicCode } = await makePublicBook({ maxRedemptions: 60, maxRedemptionsPerCode: null });
      const codes = await Promise.all(Array.from({ length: 30 }, (_, user) => assigned(bookId, `known-${user}`)));
      const answers = await atOnce(240, (index) =>
        index % 2 === 0 ? redeem(codes[index % 30]!, `known-${index % 30}`) : redeem(publicCode, `new-${index}`),
      );
      expect(countKinds(answers)).toEqual({ ok: 60, 'redemption-limit-reached': 180 });
    });
  });

  test('a user who brings a public code 300 times at once is dealt one coupon and redeems it once', async () => {
    const { bookId, publicCode } = await makePublicBook();
    let user = 0;
    await eachRound(async () => {
      user += 1;
      const answers = await atOnce(300, () => redeem(publicCode, `eager-${user}`));
      expect(countKinds(answers)).toEqual({ ok: 1, 'code-already-redeemed': 299 });
      expect((await api.get(`/v1/books/${bookId}/counts`)).body.assigned).toBe(user);
    });
  });

  test('assigns, locks, redeems, transfers, voids and erasures of a public code at once keep every count true', async () => {
    const terms = { maxRedemptionsPerCode: 2, maxRedemptions: 60, maxRedemptionsPerUser: 3 };
    const { bookId, publicCode } = await makePublicBook(terms);
    await eachRound(async () => {
      const users = ['una', 'ugo', 'uma', 'udo'];
      const held = await Promise.all(users.map((user) => assign(bookId, user)));
      const codes = held.map(({ body }) => body.code ?? publicCode);
      const answers = await atOnce(160, (index) => {
        const user = users[index % 4]!;
        switch (index % 10) {
          case 0:
            return api.post(`/v1/coupons/${codes[index % 4]}/transfer`, { userId: `heir-${index}` });
          case 1:
            return index === 11 ? api.call('DELETE', `/v1/users/${user}`) : redeem(publicCode, user);
          case 2:
            return index === 32 ? api.post(`/v1/coupons/${codes[index % 4]}/void`, {}) : redeem(publicCode, user);
          case 3:
            return assign(bookId, user);
          case 4:
            return api.post(`/v1/coupons/${publicCode}/assign`, { userId: user });
          case 5:
            return lock(publicCode, user, { ttlSeconds: 1 });
          default:
            return redeem(publicCode, user);
        }
      });
      expect(answers.map(({ kind }) => kind)).not.toContain('internal');
    });
  });

  test('of many books that want one public code, or an upload that has it, exactly one gets it', async () => {
    const otherBook = await makeBook(0);
    await eachRound(async () => {
      letters += 1;
      const code = `WANTED-${letters}`;
      const answers = await atOnce(12, (index) => {
        if (index % 3 === 0) return api.post(`/v1/books/${otherBook}/codes`, { codes: [code] });
        if (index % 3 === 1) return api.post('/v1/books', { name: 'Wants', publicCode: code });
        return api.post('/v1/books', { name: 'Wants', publicCode: code.toLowerCase(), status: 'active' });
      });
      const got = answers.filter(({ kind, body }) => kind === 'ok' && body.accepted !== 0);
      const refused = answers.filter(({ kind }) => kind !== 'ok');
      expect(got).toHaveLength(1);
      expect(new Set(refused.map(({ kind }) => kind))).toEqual(new Set(['conflict']));
    });
  });

  test('of 500 claims on 10 codes, exactly 10 succeed and 490 are told that no codes are left', async () => {
    await eachRound(async () => {
      const bookId = await makeBook(10);
      const answers = await atOnce(500, (index) => assign(bookId, `claimer-${index}`));
      expect(countKinds(answers)).toEqual({ ok: 10, 'no-codes-left': 490 });
      expect(new Set(answers.map(({ body }) => body.code).filter(Boolean)).size).toBe(10);
    });
  });

  test('of 60 concurrent locks on one coupon, exactly one wins', async () => {
    const bookId = await makeBook(100);
    await eachRound(async () => {
      const code = await assigned(bookId, 'ana');
      const answers = await atOnce(60, () => lock(code, 'ana'));
      expect(countKinds(answers)).toEqual({ ok: 1, 'code-locked': 59 });
    });
  });

  test('a token that expired and was granted anew never redeems', async () => {
    const bookId = await makeBook(1000);
    await eachRound(async () => {
      const codes = await Promise.all(Array.from({ length: 20 }, () => assigned(bookId, 'ana')));
      const old = await Promise.all(codes.map((code) => lock(code, 'ana', { ttlSeconds: 1 })));
      await sleep(1_050);
      // The second checkout locks and redeems while the first one, late, tries its old token all the time.
      const tries = codes.map(async (code, index) => {
        const late = atOnce(5, () => redeem(code, 'ana', { lockToken: old[index]!.body.lockToken }));
        const fresh = await lock(code, 'ana');
        const redeemed = await redeem(code, 'ana', { lockToken: fresh.body.lockToken });
        return { late: await late, redeemed };
      });
      for (const { late, redeemed } of await Promise.all(tries)) {
        expect(late.map(({ kind }) => kind)).not.toContain('ok');
        expect(redeemed.kind).toBe('ok');
      }
    });
  });

  test('reverse, redeem, lock and void of the same coupons at once keep every count true', async () => {
    const bookId = await makeBook(1000, { maxRedemptionsPerCode: 3, maxRedemptionsPerUser: 40 });
    await eachRound(async () => {
      const codes = await Promise.all(Array.from({ length: 10 }, () => assigned(bookId, 'ana')));
      const first = await Promise.all(codes.map((code) => redeem(code, 'ana')));
      const answers = await Promise.all(
        codes.flatMap((code, index) => [
          ...Array.from({ length: 6 }, () => redeem(code, 'ana')),
          ...Array.from({ length: 3 }, () => api.post(`/v1/redemptions/${first[index]!.body.redemption?.id}/reverse`)),
          ...(index % 2 === 0 ? [api.post(`/v1/coupons/${code}/void`, { reason: 'race' })] : []),
          lock(code, 'ana', { ttlSeconds: 1 }),
        ]),
      );
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
    });
  });

  test('transfer, lock, redeem, reverse, void and erasure of the same coupons at once keep every count true', async () => {
    const terms = { maxCodesPerUser: 6, maxRedemptionsPerCode: 5, maxRedemptionsPerUser: 8, maxRedemptions: 500 };
    const bookId = await makeBook(5_000, terms);
    let round = 0;
    await eachRound(async () => {
      round += 1;
      const users = ['ana', 'bea', 'eva'].map((name) => `${name}-${round}`);
      const codes = await Promise.all(users.flatMap((user) => [0, 1, 2].map(() => assigned(bookId, user))));
      const first = await Promise.all(codes.map((code, index) => redeem(code, users[Math.floor(index / 3)]!)));
      const answers = await Promise.all(
        codes.flatMap((code, index) => [
          ...users.flatMap((userId) => [
            api.post(`/v1/coupons/${code}/transfer`, { userId, reason: 'race' }),
            redeem(code, userId),
            lock(code, userId, { ttlSeconds: 1 }),
          ]),
          api.post(`/v1/redemptions/${first[index]!.body.redemption?.id}/reverse`),
          ...(index % 4 === 0 ? [api.post(`/v1/coupons/${code}/void`, { reason: 'race' })] : []),
          ...(index === 5 ? [api.call('DELETE', `/v1/users/${users[2]}`)] : []),
        ]),
      );
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect(countKinds(answers).ok).toBeGreaterThan(0);
    });
  });

  test('of 30 concurrent transfers to a user with maxCodesPerUser 3, exactly three succeed', async () => {
    const bookId = await makeBook(5_000, { maxCodesPerUser: 3 });
    let round = 0;
    await eachRound(async () => {
      round += 1;
      const codes = await atOnce(30, (index) => assigned(bookId, `giver-${round}-${index}`));
      const answers = await atOnce(30, (index) =>
        api.post(`/v1/coupons/${codes[index]}/transfer`, { userId: `receiver-${round}` }),
      );
      expect(countKinds(answers)).toEqual({ ok: 3, 'user-limit-reached': 27 });
    });
  });

  test('a redeem that waited for a lock happened after the wait, by the clock too', async () => {
    const code = await assigned(await makeBook(10), 'ana');
    const other = new Client({ connectionString: database.url });
    await other.connect();
    await other.query('begin');
    await other.query('select from coupons where code = $1 for no key update', [code]);
    const redeemed = redeem(code, 'ana');
    await waitForLockWait(other, 1, redeemed);
    const { rows } = await other.query(`select date_trunc('milliseconds', clock_timestamp()) as released`);
    await other.query('commit');
    await other.end();
    const { body } = await redeemed;
    expect(Date.parse(body.redemption.at)).toBeGreaterThanOrEqual(rows[0].released.getTime());
  });

  test('batches that lock the same coupons in every order never wait for each other in a circle', async () => {
    const bookId = await makeBook(10_000, { maxRedemptionsPerCode: null });
    // So many coupons that PostgreSQL looks each up by its key, in the order in which the batch names them.
    // Each has a user of its own: the look-ups of one user wait for each other, on a slow machine for too long.
    const userIds = Array.from({ length: 5_000 }, (_, index) => `ana-${index}`);
    const made = await api.post('/v1/coupons/assign-batch', { bookId, userIds }, 'all-in-every-order');
    const coupons = made.body.results as { code: string; userId: string }[];
    await eachRound(async () => {
      const chosen = coupons.slice(0, 60);
      const answers = await atOnce(600, (index) => {
        const { code, userId } = chosen[(index * 37) % (index % 2 === 0 ? 60 : 59)]!;
        return redeem(code, userId);
      });
      expect(countKinds(answers)).toEqual({ ok: 600 });
    });
  });

  test('a book is redeemed exactly maxRedemptions times, however many coupons race for the last ones', async () => {
    await eachRound(async () => {
      const bookId = await makeBook(200, { maxRedemptions: 50 });
      const codes = await atOnce(120, (index) => assigned(bookId, `user-${index}`));
      const answers = await atOnce(120, (index) => redeem(codes[index]!, `user-${index}`));
      expect(countKinds(answers)).toEqual({ ok: 50, 'redemption-limit-reached': 70 });
    });
  });

  test('a user redeems exactly maxRedemptionsPerUser times over all of its coupons', async () => {
    const bookId = await makeBook(5_000, { maxRedemptionsPerUser: 7 });
    let user = 0;
    await eachRound(async () => {
      const name = `heavy-${user++}`;
      const codes = await atOnce(60, () => assigned(bookId, name));
      const answers = await atOnce(60, (index) => redeem(codes[index]!, name));
      expect(countKinds(answers)).toEqual({ ok: 7, 'user-limit-reached': 53 });
    });
  });

  test('codes assigned by name while the dealer deals the same codes go to one user each', async () => {
    await eachRound(async () => {
      const bookId = await makeBook(0);
      letters += 1;
      const codes = Array.from({ length: 150 }, (_, index) => `NAMED${letters}-${index}`);
      expect((await api.post(`/v1/books/${bookId}/codes`, { codes })).body.accepted).toBe(150);
      const [drawn, named] = await Promise.all([
        atOnce(150, (index) => assign(bookId, `drawer-${index}`)),
        atOnce(150, (index) => api.post(`/v1/coupons/${codes[index]}/assign`, { userId: `named-${index}` })),
      ]);
      const handedOut = [...drawn, ...named].filter(({ status }) => status === 201).map(({ body }) => body.code);
      expect(handedOut.sort()).toEqual(codes.sort());
      expect((countKinds(drawn).ok ?? 0) + (countKinds(named).ok ?? 0)).toBe(150);
      expect(Object.keys(countKinds(drawn)).filter((kind) => !['ok', 'no-codes-left'].includes(kind))).toEqual([]);
      expect(Object.keys(countKinds(named)).filter((kind) => !['ok', 'code-already-assigned'].includes(kind))).toEqual(
        [],
      );
    });
  });

  test('codes that a job assigns, others draw, take by name and redeem, and another job voids go to one user each', async () => {
    const csv = { 'content-type': 'text/csv' };
    const ended = async (id: string): Promise<ApiAnswer['body']> => {
      for (;;) {
        const { body } = await api.get(`/v1/jobs/${id}`);
        if (body.status === 'done') return body;
        expect(['queued', 'running']).toContain(body.status);
        await sleep(50);
      }
    };
    await eachRound(async () => {
      const bookId = await makeBook(0);
      letters += 1;
      const codes = Array.from({ length: 160 }, (_, index) => `WORK${letters}-${index}`);
      await api.post(`/v1/books/${bookId}/codes`, { codes });
      const users = Array.from({ length: 80 }, (_, index) => `listed-${index}`).join('\n');
      const job = await api.call('POST', `/v1/jobs?kind=assign&bookId=${bookId}`, `userId\n${users}\n`, csv);
      const checkOut = async (user: string, got: ApiAnswer) =>
        got.kind === 'ok' ? [got, await redeemOnce(got.body.code, user)] : [got];
      const [drawn, named] = await Promise.all([
        atOnce(60, async (index) => checkOut(`drawer-${index}`, await assign(bookId, `drawer-${index}`))),
        atOnce(60, async (index) => {
          const userId = `named-${index}`;
          return checkOut(userId, await api.post(`/v1/coupons/${codes[index]}/assign`, { userId }));
        }),
      ]);
      // While the first job may still run.
      const voids = await api.call('POST', '/v1/jobs?kind=void', `code\n${codes.slice(100).join('\n')}\n`, csv);
      const [assigning, voiding] = [await ended(job.body.id), await ended(voids.body.id)];
      expect([voiding.done, voiding.refused]).toEqual([60, 0]);
      const got = [...drawn, ...named].flatMap(([first]) => (first!.kind === 'ok' ? [first!.body.code] : []));
      expect(new Set(got).size).toBe(got.length);
      const later = [...drawn, ...named].flatMap(([, redeemed]) => redeemed?.kind ?? []);
      expect(new Set(later)).toEqual(new Set(['ok']));
      const { body: counts } = await api.get(`/v1/books/${bookId}/counts`);
      // Each code is in one user's hands, or void, or left.
      const held = Number(counts.assigned) + Number(counts.voided) + Number(counts.available);
      expect([held, counts.redemptions]).toEqual([160, later.length]);
      expect(Number(assigning.done) - Number(assigning.refused)).toBeLessThanOrEqual(160 - got.length);
    });
  });

  test('nothing is redeemed after the answer to a pause, and the pause is answered under full load', async () => {
    const slowest: number[] = [];
    await eachRound(async () => {
      const bookId = await makeBook(2_000, { maxRedemptionsPerCode: null });
      const codes = await atOnce(60, (index) => assigned(bookId, `user-${index}`));
      let paused = false;
      let isOver = false;
      const afterwards: ApiAnswer[] = [];
      const load = codes.map(async (code, index) => {
        // However long the pause takes, the load is there.
        while (!isOver) {
          const isLate = paused;
          const answer = await redeem(code, `user-${index}`);
          if (isLate) {
            afterwards.push(answer);
            return;
          }
        }
      });
      await sleep(150);
      const asked = performance.now();
      const pause = await api.call('PATCH', `/v1/books/${bookId}`, { status: 'paused' });
      slowest.push(performance.now() - asked);
      paused = true;
      isOver = pause.status !== 200;
      expect(pause.status).toBe(200);
      await Promise.all(load);
      expect(afterwards.length).toBeGreaterThan(0);
      expect(countKinds(afterwards)).toEqual({ 'book-not-active': afterwards.length });
    });
    console.info(`the slowest pause under load was answered in ${Math.round(Math.max(...slowest))} ms`);
  });

  test('two uploads of overlapping codes at once accept each code exactly once', async () => {
    await eachRound(async () => {
      const bookId = await makeBook(0);
      letters += 1;
      const name = (index: number) => `UP${letters}-${index}`;
      const first = Array.from({ length: 1500 }, (_, index) => name(index));
      const second = Array.from({ length: 1500 }, (_, index) => name(index + 750));
      const uploads = await Promise.all(
        [first, second].map((codes) => api.post(`/v1/books/${bookId}/codes`, { codes })),
      );
      expect(uploads.map(({ status }) => status)).toEqual([201, 201]);
      expect(uploads.reduce((sum, { body }) => sum + body.accepted, 0)).toBe(2250);
      expect(uploads.reduce((sum, { body }) => sum + body.rejected, 0)).toBe(750);
    });
  });

  test('of two overlapping patterns at once, one is accepted', async () => {
    // As many pairs as it takes for two to be looked at in the same moment; they overlap where the last symbol is a 7.
    await eachRound(async () => {
      const bookId = await makeBook(0);
      const pairs = await Promise.all(
        Array.from({ length: 12 }, async () => {
          letters += 1;
          const generate = (pattern: string) =>
            api.post(`/v1/books/${bookId}/codes/generate`, { count: 1, pattern, alphabet: '0123456789' });
          const [wide, narrow] = [`OV${letters}-########`, `OV${letters}-#######7`];
          return Promise.all([generate(wide), generate(narrow)]);
        }),
      );
      expect(pairs.map((pair) => pair.filter(({ status }) => status === 201).length)).toEqual(Array(12).fill(1));
    });
  });

  test('one idempotency key in flight through three processes has one effect and one answer', async () => {
    const bookId = await makeBook(1_000, { maxRedemptionsPerCode: null });
    let turn = 0;
    await eachRound(async () => {
      turn += 1;
      const assigns = await atOnce(60, () => assign(bookId, 'ana', `assign-${turn}`));
      expect(new Set(assigns.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(assigns.filter(({ replayed }) => !replayed)).toHaveLength(1);
      const { code } = assigns[0]!.body;
      const redeems = await atOnce(60, () => redeem(code, 'ana', {}, `redeem-${turn}`));
      expect(new Set(redeems.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      const id = redeems[0]!.body.redemption.id;
      const reversals = await atOnce(30, () => api.post(`/v1/redemptions/${id}/reverse`, {}, `reverse-${turn}`));
      expect(countKinds(reversals)).toEqual({ ok: 30 });
      expect(reversals.filter(({ replayed }) => !replayed)).toHaveLength(1);
      const reused = await atOnce(30, () => redeem(code, 'ana', {}, `assign-${turn}`));
      expect(countKinds(reused)).toEqual({ 'idempotency-key-reused': 30 });
    });
  });

  test('one idempotency key for two books at once assigns from one of them', async () => {
    const books = [await makeBook(1_000), await makeBook(1_000)];
    let turn = 0;
    await eachRound(async () => {
      turn += 1;
      const answers = await atOnce(30, (index) => assign(books[index % 2]!, 'ana', `two-books-${turn}`));
      expect(countKinds(answers)).toEqual({ ok: 15, 'idempotency-key-reused': 15 });
      expect(answers.filter(({ kind, replayed }) => kind === 'ok' && !replayed)).toHaveLength(1);
    });
  });
});
