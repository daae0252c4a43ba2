import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openLog } from '../../containers/api/observe/log.ts';
import { startServer } from '../../containers/api/server.ts';
import { systemClock } from '../../core/index.ts';
import { openFaultProxy } from '../support/fault-proxy.ts';
import { testConfig } from '../support/open-test-core.ts';
import { createTestDatabase } from '../support/start-postgres.ts';
import { encodePart, signJwt, startTestApi, type TestApi } from './support.ts';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('observability');
  const { body } = await api.call('POST', '/v1/books', {
    body: { name: 'Seen', status: 'active', maxCodesPerUser: 1 },
  });
  bookId = body.id;
  const deck = { count: 1_000, pattern: 'SEEN-####-####' };
  await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: deck });
});
afterAll(() => api.close());
beforeEach(() => {
  api.logged.length = 0;
});

const assign = (userId: string, key?: string) =>
  api.call('POST', '/v1/coupons/assign', { body: { bookId, userId }, ...(key === undefined ? {} : { key }) });

/** The value of a metric, with its labels as they are written. */
async function readMetric(metric: string): Promise<number> {
  const line = (await api.metrics.read()).split('\n').find((each) => each.startsWith(`${metric} `));
  return Number(line?.split(' ').at(-1));
}

describe('a refusal', () => {
  test('is counted and logged by its kind', async () => {
    await assign('twice');
    const before = await readMetric('qurable_refusals_total{kind="user-limit-reached"}');
    expect((await assign('twice')).status).toBe(409);
    expect(api.logged.at(-1)).toMatchObject({ level: 'info', msg: 'request', status: 409, kind: 'user-limit-reached' });
    expect(await readMetric('qurable_refusals_total{kind="user-limit-reached"}')).toBe(before + 1);
  });

  test('of a kind that never came stands at 0, and a success has no kind', async () => {
    await assign('once');
    expect(api.logged.at(-1)).not.toHaveProperty('kind');
    expect(await readMetric('qurable_refusals_total{kind="pattern-too-small"}')).toBe(0);
  });
});

describe('a refused token', () => {
  const soon = Math.floor(systemClock.now() / 1000) + 600;
  const good = { sub: 'private-sub', tenant: 'default', role: 'operator', exp: soon };
  const [header, payload, signature] = signJwt(good).split('.');

  const signed: [string, object, string, string][] = [
    ['an expired one', { exp: 1_000 }, 'jwt: expired', 'The token has expired'],
    ['one without exp', { exp: undefined }, 'jwt: no exp', 'exp is missing'],
    ['an exp that is a text', { exp: 'private' }, 'jwt: wrong exp', 'exp must be a number of seconds since 1970'],
    ['one for later', { nbf: soon }, 'jwt: not valid yet', 'nbf is in the future or is no time'],
    ['one from later', { iat: soon }, 'jwt: not valid yet', 'iat is in the future or is no time'],
    ['one without sub', { sub: undefined }, 'jwt: no sub', 'sub must be a text of 1 to 128 characters'],
    [
      'one without tenant',
      { tenant: undefined },
      'jwt: no tenant',
      'tenant must be the slug of a tenant, such as default',
    ],
    ['another tenant’s', { tenant: 'private' }, 'jwt: unknown tenant', 'tenant names no tenant of this service'],
    ['an unknown role', { role: 'private' }, 'jwt: unknown role', 'role must be admin, operator, redeemer or customer'],
    ['the role root', { role: 'root' }, 'jwt: unknown role', 'role must be admin, operator, redeemer or customer'],
  ];
  test.each(signed)(
    '%s that is well signed: log and holder are told what is wrong with it',
    async (_what, change, refused, description) => {
      const { status, body, headers } = await api.call('GET', '/v1/books', { as: signJwt({ ...good, ...change }) });
      expect([status, body.kind, body.detail]).toEqual([
        401,
        'unauthenticated',
        'The token is unknown, malformed, expired or revoked.',
      ]);
      expect(headers['www-authenticate']).toBe(`Bearer error="invalid_token", error_description="${description}"`);
      expect(api.logged).toMatchObject([{ msg: 'request', status: 401, kind: 'unauthenticated', refused }]);
      expect(api.logged[0]).toHaveProperty('requestId');
      expect(JSON.stringify([api.logged, headers])).not.toContain('private');
    },
  );

  const anybodys: [string, string | null, string][] = [
    ['none', null, 'no token'],
    ['garbage', 'private', 'jwt: malformed'],
    ['a bad signature', signJwt(good, 'another secret of 32 characters and more'), 'jwt: bad signature'],
    ['a changed claim', `${header}.${encodePart({ ...good, role: 'admin' })}.${signature}`, 'jwt: bad signature'],
    ['another algorithm', signJwt(good, undefined, { alg: 'HS512' }), 'jwt: wrong algorithm'],
    ['an expired one that is badly signed', signJwt({ ...good, exp: 1 }, 'x'.repeat(40)), 'jwt: bad signature'],
    ['an unknown key', 'qk_1_private-private-private-private-priv', 'api key: unknown, expired or revoked'],
    ['one beyond the limit', `${header}.${payload}.${'x'.repeat(9_000)}`, 'no bearer token, or one that is too long'],
  ];
  test.each(anybodys)('%s: the log is told why, and whoever sent it is not', async (_what, as, refused) => {
    const { status, headers } = await api.call('GET', '/v1/books', { as });
    expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(api.logged).toMatchObject([{ status: 401, kind: 'unauthenticated', refused }]);
    expect(JSON.stringify(api.logged)).not.toContain('private');
  });
});

describe('what a coupon operator counts', () => {
  const assignments = () => readMetric('qurable_assignments_total');
  const redemptions = () => readMetric('qurable_redemptions_total');

  test('an assign and a redeem count once, however often they are repeated', async () => {
    const before = [await assignments(), await redemptions()];
    const { body } = await assign('counted', 'counted-1');
    await assign('counted', 'counted-1');
    const redeem = () =>
      api.call('POST', `/v1/coupons/${body.code}/redeem`, { body: { userId: 'counted' }, key: 'counted-2' });
    await redeem();
    expect((await redeem()).headers['idempotency-replayed']).toBe('true');
    expect((await api.call('POST', `/v1/coupons/${body.code}/redeem`, { body: { userId: 'counted' } })).status).toBe(
      409,
    );
    expect([await assignments(), await redemptions()]).toEqual([before[0]! + 1, before[1]! + 1]);
  });

  test('a code assigned by name counts', async () => {
    const upload = { codes: ['BY-NAME-1'] };
    await api.call('POST', `/v1/books/${bookId}/codes`, { body: upload });
    const before = await assignments();
    const named = { body: { userId: 'by-name' } };
    expect((await api.call('POST', '/v1/coupons/BY-NAME-1/assign', named)).status).toBe(201);
    expect((await assignments()) - before).toBe(1);
  });

  test('of a batch each code counts once, and users that got none do not', async () => {
    const before = await assignments();
    const body = { bookId, userIds: ['batch-1', 'batch-2', 'batch-2'] };
    for (const _time of [1, 2]) await api.call('POST', '/v1/coupons/assign-batch', { body, key: 'batch-key' });
    expect((await assignments()) - before).toBe(2);
  });
});

describe('a full disk under the database', () => {
  beforeAll(() =>
    api.core.pool.query(`
      create function fill() returns trigger language plpgsql as $$
        begin raise exception using errcode = '53100', message = 'could not extend file: No space left on device'; end $$;
      create trigger fill before insert on books for each row execute function fill()`),
  );
  afterAll(() => api.core.pool.query('drop trigger fill on books; drop function fill()'));

  test('is called by its name in the log and the metrics, and clients learn that writes fail', async () => {
    const before = await readMetric('qurable_database_failures_total{reason="disk full"}');
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => api.call('POST', '/v1/books', { body: { name: 'Full' } })),
    );
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.kind} ${body.detail}`))).toEqual(
      new Set([
        '503 unavailable The database can’t take writes now. Repeat the request with the same Idempotency-Key.',
      ]),
    );
    const trouble = api.logged.filter(({ level }) => level === 'error');
    expect(trouble[0]).toMatchObject({ msg: 'unavailable', error: { reason: 'disk full', sqlState: '53100' } });
    // One line, unless this machine took more than a second for them.
    expect(trouble.length).toBeLessThan(5);
    expect(await readMetric('qurable_database_failures_total{reason="disk full"}')).toBe(before + 5);
    expect((await api.call('GET', `/v1/books/${bookId}`)).status).toBe(200);
  });
});

describe('what a server of its own measures', () => {
  test('says whether database and Redis answer, and how many lines were dropped', async () => {
    const database = await createTestDatabase('measured');
    const proxy = await openFaultProxy(database.url);
    const silence = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => silence.once('listening', listening));
    const redis = `redis://127.0.0.1:${(silence.address() as AddressInfo).port}`;
    const config = testConfig(proxy.url, { PORT: '0', METRICS_PORT: '0', REDIS_URL: redis });
    const server = await startServer(config, { log: openLog('silent') });
    try {
      const read = async () => (await fetch(`${server.metricsAddress}/metrics`)).text();
      // A database that does not answer within two seconds counts as down, which on a busy machine one may for a time.
      const readUntil = async (line: RegExp) => {
        for (;;) {
          const text = await read();
          if (line.test(text)) return text;
          await sleep(100);
        }
      };
      const text = await readUntil(/^qurable_database_up 1$/m);
      expect(text).toMatch(/^qurable_redis_up 0$/m);
      expect(text).toMatch(/^qurable_database_pool_waiting\{pool="hot"\} 0$/m);
      expect(text).toMatch(/^qurable_log_lines_dropped_total 0$/m);
      expect(text).toMatch(/^qurable_books_running_out\{stock="low"\} 0$/m);
      expect(text).toMatch(/^qurable_tenant_queue_age_seconds\{tenants="light"\} 0$/m);
      expect(text).toMatch(/^qurable_marks_age_seconds [\d.]+$/m);
      expect(text).toMatch(/^qurable_fallbacks_total\{without="redis"\} \d+$/m);
      expect(text).toMatch(/^qurable_background_task_failures\{task="watch books"\} \d+$/m);
      await proxy.refuse();
      proxy.cutAll();
      expect(await read()).toMatch(/^qurable_database_up 0$/m);
    } finally {
      await server.close();
      await proxy.close();
      silence.closeAllConnections();
      silence.close();
      await database.drop();
    }
  });
});
