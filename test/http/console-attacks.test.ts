import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Browser, openBrowser } from './console-support.ts';
import { rootKey, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
let browser: Browser;

beforeAll(async () => {
  api = await startTestApi('console-attacks', { CORS_ORIGINS: 'https://shop.example' });
});
beforeEach(async () => {
  api.core.signInPace.take = async () => 0;
  browser = openBrowser(api.app);
  expect((await browser.signIn()).status).toBe(200);
});
afterAll(() => api.close());

const books = async () => (await api.call('GET', '/v1/books')).body.data.length;

/** How a browser marks a request that a page of another origin has made it send. */
const foreign: [string, Record<string, string | undefined>][] = [
  ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a neighbour under the same domain', { 'sec-fetch-site': 'same-site', origin: 'http://evil.localhost' }],
  ['an origin that CORS lets in', { 'sec-fetch-site': 'cross-site', origin: 'https://shop.example' }],
  ['an old browser, by Origin', { 'sec-fetch-site': undefined, origin: 'https://evil.example' }],
  ['an old browser, with the origin null', { 'sec-fetch-site': undefined, origin: 'null' }],
  ['an old browser, over the other scheme', { 'sec-fetch-site': undefined, origin: 'https://localhost:80' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
  ['who says nothing', { 'sec-fetch-site': undefined }],
  ['who says nonsense', { 'sec-fetch-site': 'same-origin, cross-site', origin: 'http://localhost:80' }],
];

describe('a change that another origin makes the browser send', () => {
  test.each(foreign)('403, and nothing is changed: from %s', async (_from, headers) => {
    const before = await books();
    const made = await browser.call('POST', '/v1/books', { body: { name: 'Forged' }, headers });
    expect([made.status, made.body.kind]).toEqual([403, 'forbidden']);
    for (const [method, path, body] of [
      ['PATCH', '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', { name: 'Forged' }],
      ['DELETE', '/v1/users/u-1', undefined],
      ['DELETE', '/console/session', undefined],
      ['DELETE', '/console/sessions', undefined],
      ['POST', '/console/session', { key: rootKey }],
    ] as const) {
      const { status, headers: answered } = await browser.call(method, path, { body, headers });
      expect([method, path, status, answered['set-cookie']]).toEqual([method, path, 403, undefined]);
    }
    expect(await books()).toBe(before);
    expect((await browser.call('GET', '/console/session')).status).toBe(200);
  });

  test('the console’s own pages may, also in a browser that says only its origin', async () => {
    const headers = { 'sec-fetch-site': undefined, origin: 'http://localhost:80', host: 'localhost:80' };
    expect((await browser.call('POST', '/v1/books', { body: { name: 'Own' } })).status).toBe(201);
    expect((await browser.call('POST', '/v1/books', { body: { name: 'Own' }, headers })).status).toBe(201);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', undefined])(
    '415: a form’s content type (%s) is none that changes anything',
    async (type) => {
      for (const path of ['/v1/books', '/console/session']) {
        const body = JSON.stringify({ name: 'Form', key: rootKey });
        const { status } = await browser.call('POST', path, { body, headers: { 'content-type': type } });
        expect([path, status]).toEqual([path, 415]);
      }
    },
  );
});

test('an origin of CORS_ORIGINS may call with a token, and no other', async () => {
  const preflight = await api.app.inject({
    method: 'OPTIONS',
    url: '/v1/coupons/assign',
    headers: { origin: 'https://shop.example', 'access-control-request-method': 'POST' },
  });
  expect(preflight.statusCode).toBe(204);
  expect(preflight.headers['access-control-allow-origin']).toBe('https://shop.example');
  for (const name of ['authorization', 'idempotency-key', 'if-match', 'if-none-match']) {
    expect(preflight.headers['access-control-allow-headers']).toContain(name);
  }
  const other = await api.app.inject({ url: '/v1/books', headers: { origin: 'https://evil.example' } });
  expect(other.headers['access-control-allow-origin']).toBeUndefined();
});

describe('what another origin may read', () => {
  test.each(foreign.filter(([, headers]) => /cross-site|same-site/.test(headers['sec-fetch-site'] ?? '')))(
    'nothing: 403 for %s',
    async (_from, headers) => {
      for (const path of ['/v1/books', '/console/session', '/console/sessions']) {
        const { status, headers: answered } = await browser.call('GET', path, { headers });
        expect([path, status, answered['access-control-allow-credentials']]).toEqual([path, 403, undefined]);
      }
    },
  );

  test('a download from the address bar works', async () => {
    expect((await browser.call('GET', '/v1/books', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200);
  });

  test('no answer may be framed, kept or guessed at, and no page is named to others', async () => {
    for (const path of ['/console/session', '/console/sign-in', '/console/sessions', '/v1/books']) {
      expect((await browser.call('GET', path)).headers).toMatchObject({
        'content-security-policy': expect.stringContaining("frame-ancestors 'none'"),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    }
  });
});

describe('a token and a cookie in one request', () => {
  test('the token alone counts: its role, its refusal, and no check of where it comes from', async () => {
    const as = (token: string) => ({ authorization: `Bearer ${token}`, 'sec-fetch-site': 'cross-site' });
    const call = (token: string) => browser.call('POST', '/v1/books', { body: { name: 'Both' }, headers: as(token) });
    expect((await call(rootKey)).status).toBe(201);
    expect((await call(tokenOf('redeemer'))).status).toBe(403);
    expect((await call('nonsense')).status).toBe(401);
    expect((await browser.call('GET', '/v1/books', { headers: { authorization: '' } })).status).toBe(401);
    expect((await browser.call('GET', '/v1/books', { headers: { authorization: 'Basic eDp5' } })).status).toBe(401);
  });

  test('a request by token reads no session: the database is not asked for the cookie', async () => {
    browser.cookie = `qurable=${'B'.repeat(43)}`;
    const asked: string[] = [];
    const { callerOf } = api.core.knownSessions;
    api.core.knownSessions.callerOf = (hash, lookUp) => {
      asked.push(hash.toString('hex'));
      return callerOf(hash, lookUp);
    };
    await browser.call('GET', '/v1/books', { headers: { authorization: `Bearer ${rootKey}` } });
    expect(asked).toEqual([]);
    await browser.call('GET', '/v1/books');
    expect(asked).toHaveLength(1);
    api.core.knownSessions.callerOf = callerOf;
  });
});

test('each address of the console’s own is for the roles that it says, and for nobody who is not signed in', async () => {
  const staff = ['root', 'admin', 'operator', 'redeemer'];
  const table: Record<string, string[]> = {
    'GET /console/session': staff,
    'GET /console/sessions': staff,
    'GET /console/tenant-sessions': ['root', 'admin'],
    'GET /console/health': ['root', 'admin', 'operator'],
    'DELETE /console/sessions/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11': staff,
    'DELETE /console/sessions': staff,
  };
  for (const role of staff) {
    const made = await api.call('POST', '/v1/api-keys', { body: { name: role, role } });
    for (const [route, roles] of Object.entries(table)) {
      const by = openBrowser(api.app);
      await by.signIn(role === 'root' ? rootKey : made.body.secret);
      const [method, path] = route.split(' ') as [string, string];
      const { status } = await by.call(method, path);
      expect([role, route, [401, 403].includes(status)]).toEqual([role, route, !roles.includes(role)]);
      expect((await openBrowser(api.app).call(method, path)).status).toBe(401);
    }
  }
});

test('whatever a cookie is, nobody is let in by it and nothing fails', async () => {
  const secret = browser.cookie.split('=')[1]!;
  const values = [
    '',
    'x',
    secret.slice(1),
    `${secret}x`,
    secret.toLowerCase() === secret ? secret.toUpperCase() : secret.toLowerCase(),
    `"${secret}"`,
    `${secret}%00`,
    encodeURIComponent(`${secret}\u0000`),
    '%',
    '%zz',
    '\u00ff'.repeat(43),
    `' or 1=1 --`,
    '__proto__',
    'A'.repeat(8_000),
    ...Array.from({ length: 100 }, () => randomBytes(32).toString('base64url')),
  ];
  const cookies = [
    ...values.map((value) => `qurable=${value}`),
    `QURABLE=${secret}`,
    `__Host-qurable=${secret}`,
    `xqurable=${secret}`,
    `qurable`,
    `=${secret}`,
    ';;;===',
    `__proto__=${secret}; constructor=1`,
    `qurable=; qurable=${secret}`,
    'a=1; '.repeat(2_000),
  ];
  for (const cookie of cookies) {
    browser.cookie = cookie;
    for (const path of ['/v1/books', '/console/session', '/console/sessions']) {
      const { status } = await browser.call('GET', path);
      expect([cookie.slice(0, 60), path, status]).toEqual([cookie.slice(0, 60), path, 401]);
    }
    expect((await browser.call('DELETE', '/console/session')).status).toBe(204);
  }
});
