import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { limits } from '../../core/index.ts';
import { openFaultProxy } from '../support/fault-proxy.ts';
import { allIfLong } from '../support/long-run.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase } from '../support/start-postgres.ts';
import { rootKey, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let bookId: string;
beforeAll(async () => {
  api = await startTestApi('service');
  const { body } = await api.call('POST', '/v1/books', { body: { name: 'Service', status: 'active' } });
  bookId = body.id;
  const deck = { count: 10_000, pattern: 'SERV-####-####' };
  await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: deck });
});
afterAll(() => api.close());

const assign = (userId: string, as = rootKey) =>
  api.call('POST', '/v1/coupons/assign', { body: { bookId, userId }, as });

describe('health and readiness', () => {
  test('200: /health and /ready without a token', async () => {
    expect((await api.call('GET', '/health', { as: null })).body).toEqual({ status: 'ok' });
    expect((await api.call('GET', '/ready', { as: null })).body).toEqual({ status: 'ok' });
  });

  test('503: with its database away the process is alive and not ready, and requests are unavailable', async () => {
    const database = await createTestDatabase('lost');
    const proxy = await openFaultProxy(database.url);
    // A process of its own: Node's network errors are not this test environment's kind of Error.
    const lost = await startApiProcess(proxy.url);
    const kindOf = async (method: string, path: string, body?: object) => {
      const headers = { authorization: `Bearer ${rootKey}`, 'content-type': 'application/json' };
      const response = await fetch(`${lost.address}${path}`, {
        method,
        headers,
        ...(body && { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const answered = Object.fromEntries(response.headers);
      api.check({ method, path, status: response.status, headers: answered, body: text });
      return response.ok ? response.status : (JSON.parse(text) as { kind: string }).kind;
    };
    /** A machine that stalls may make one answer wait too long, and no more than some. */
    const waitUntilServed = async (path: string) => {
      while ((await kindOf('GET', path)) !== 200) await sleep(100);
    };
    try {
      await waitUntilServed('/v1/books');
      await proxy.refuse();
      proxy.cutAll();
      expect(await kindOf('GET', '/health')).toBe(200);
      for (const path of ['/ready', '/v1/books', '/v1/coupons/ANY-CODE', '/v1/users/u/coupons', '/v1/api-keys']) {
        expect([path, await kindOf('GET', path)]).toEqual([path, 'unavailable']);
      }
      expect(await kindOf('POST', '/v1/coupons/assign', { bookId, userId: 'u' })).toBe('unavailable');
      expect(await kindOf('POST', '/v1/coupons/ANY-CODE/redeem', { userId: 'u' })).toBe('unavailable');
      expect(await kindOf('POST', '/v1/books', { name: 'x' })).toBe('unavailable');
      await proxy.accept();
      await waitUntilServed('/ready');
      await waitUntilServed('/v1/books');
    } finally {
      await lost.stop();
      await proxy.close();
      await database.drop();
    }
  });
});

describe('load shedding', () => {
  test('503: while the queues are too old, what would wait in them is turned away, and reads are served', async () => {
    const age = jest.spyOn(api.core.batches, 'queueAgeOf').mockReturnValue(limits.queueShedAgeMillis + 1);
    try {
      const { status, body, headers } = await assign('shed');
      expect([status, body.kind, body.outcome, headers['retry-after']]).toEqual([503, 'unavailable', 'not-begun', '3']);
      expect((await api.call('GET', `/v1/books/${bookId}`)).status).toBe(200);
    } finally {
      age.mockRestore();
    }
    expect((await assign('shed')).status).toBe(201);
  });
});

describe('throttling', () => {
  const guess = (index: number, as: string, userId: string) =>
    api.call('POST', `/v1/coupons/SERV-GUES-${String(index).padStart(4, '0')}/validate`, { body: { userId }, as });

  test('429: a customer who guesses is slowed, and another behind the same address is not', async () => {
    const as = tokenOf('customer', 'guesser');
    const kinds = [];
    for (let index = 0; index < 40; index += 1) kinds.push((await guess(index, as, 'guesser')).body.kind);
    expect(kinds[0]).toBe('coupon-not-found');
    expect(kinds.at(-1)).toBe('rate-limited');
    const { body } = await assign('honest');
    const honest = tokenOf('customer', 'honest');
    expect((await api.call('GET', `/v1/coupons/${body.code}`, { as: honest })).status).toBe(200);
    expect((await api.call('GET', '/v1/users/guesser/coupons', { as })).status).toBe(200);
  });

  test('429: a token beyond RATE_LIMIT_PER_SECOND is rate-limited, and others are not', async () => {
    const limited = await startTestApi('rate', { RATE_LIMIT_PER_SECOND: '1' });
    const answers = await Promise.all(Array.from({ length: 30 }, () => limited.call('GET', '/v1/books')));
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
    expect((await limited.call('GET', '/v1/books', { as: tokenOf('operator') })).status).toBe(200);
    expect((await limited.call('GET', '/health')).status).toBe(200);
    await limited.close();
  });
});

describe('metrics', () => {
  test('200: for admins, with the routes’ templates and no code, id or user in them', async () => {
    const { body } = await assign('measured-user');
    await api.call('GET', `/v1/coupons/${body.code}`);
    const { status, text } = await api.call('GET', '/metrics');
    expect(status).toBe(200);
    expect(text).toContain(
      'qurable_http_request_duration_seconds_count{method="GET",route="/v1/coupons/:code",status="200"}',
    );
    expect(text).toContain('qurable_queue_age_seconds 0');
    for (const secret of [body.code, bookId, 'measured-user', rootKey]) expect(text).not.toContain(secret);
  });

  test('200 for an admin of the tenant default, 403 for another tenant’s: they are of all tenants together', async () => {
    const { body } = await api.call('POST', '/v1/tenants', { body: { slug: 'other', name: 'Another' } });
    const refused = await api.call('GET', '/metrics', { as: body.adminKey.secret });
    expect([refused.status, refused.body.kind]).toEqual([403, 'forbidden']);
    expect((await api.call('GET', '/metrics', { as: tokenOf('admin') })).status).toBe(200);
  });
});

describe('the log', () => {
  test('one line a request, with its id, its route’s template, its status and the caller’s role', async () => {
    api.logged.length = 0;
    await api.call('GET', `/v1/books/${bookId}?x=1`, { headers: { 'x-request-id': 'request-1' } });
    expect(api.logged).toEqual([
      expect.objectContaining({
        msg: 'request',
        requestId: 'request-1',
        method: 'GET',
        route: '/v1/books/:bookId',
        status: 400,
        role: 'root',
        tenantId: 1,
        millis: expect.any(Number),
      }),
    ]);
  });

  test('no code, token, key, reference or user id is in it, whatever goes wrong', async () => {
    api.logged.length = 0;
    const { body } = await assign('private-user');
    const as = tokenOf('operator', 'private-clerk');
    await api.call('POST', `/v1/coupons/${body.code}/redeem`, {
      as,
      body: { userId: 'private-user', reference: 'private-order' },
      key: 'private-key',
    });
    await api.call('POST', `/v1/coupons/${body.code}/redeem`, { body: '{"userId":"private-user' });
    await api.call('GET', `/v1/coupons/${body.code}%ff`);
    await api.call('GET', '/v1/private-path?code=private-code');
    await api.call('GET', '/v1/books', { as: 'private-token' });
    expect(api.logged).toHaveLength(5);
    const text = JSON.stringify(api.logged);
    for (const secret of ['private', body.code, as, rootKey, bookId]) expect(text).not.toContain(secret);
  });

  test('500: an unexpected error shows nothing of itself, and the log has it under the request’s id', async () => {
    api.logged.length = 0;
    const query = jest.spyOn(api.core.coldPool, 'query').mockImplementation(() => {
      throw new TypeError('the secret inside');
    });
    const { status, body, text } = await api.call('GET', '/v1/api-keys', { headers: { 'x-request-id': 'request-2' } });
    query.mockRestore();
    expect([status, body.kind]).toEqual([500, 'internal']);
    expect(text).not.toContain('inside');
    expect(text).toContain('request-2');
    expect(api.logged[0]).toMatchObject({
      level: 'error',
      requestId: 'request-2',
      error: { message: 'the secret inside' },
    });
  });
});

describe('a client behind proxies', () => {
  /** The address that an API of its own takes a client for, whose request names three. */
  async function addressSeen(proxied: TestApi): Promise<string[]> {
    const look = jest.spyOn(proxied.core.throttle, 'beginLookup');
    await proxied.call('GET', '/v1/coupons/ANY-CODE', {
      headers: { 'x-forwarded-for': '192.0.2.1, 198.51.100.7, 203.0.113.9' },
    });
    const seen = look.mock.calls.map(([, from]) => from);
    look.mockRestore();
    return seen;
  }

  test('where none is configured, none is believed about its address', async () => {
    expect(await addressSeen(api)).toEqual(['127.0.0.1']);
  });

  // Two show the counting; hostile-requests.test.ts has one.
  const counts = allIfLong(['1', '2'], (count) => count === '2');
  test.each(counts)('%s that are configured are believed about its address', async (count) => {
    const proxied = await startTestApi('proxies', { TRUSTED_PROXIES: count });
    expect(await addressSeen(proxied)).toEqual([count === '1' ? '203.0.113.9' : '198.51.100.7']);
    await proxied.close();
  });
});
