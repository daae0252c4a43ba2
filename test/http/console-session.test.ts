import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { makeSignInLink } from '../../core/index.ts';
import { type Browser, type OtherProcess, openBrowser, startOtherProcess } from './console-support.ts';
import { type Body, rootKey, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
/** Another process on the same database, behind a proxy, in which time passes as tests say. */
let other: OtherProcess;
let browser: Browser;
const cacheMillis = 5_000;

beforeAll(async () => {
  api = await startTestApi('console-session');
  other = await startOtherProcess(api, { TRUSTED_PROXIES: '1' });
});
beforeEach(() => {
  // Of the pace of sign-ins, which has a test of its own.
  api.core.signInPace.take = async () => 0;
  other.core.signInPace.take = async () => 0;
  browser = openBrowser(api.app);
});
afterAll(async () => {
  await other.close();
  await api.close();
});

async function makeKey(role = 'operator', more: object = {}): Promise<Body> {
  return (await api.call('POST', '/v1/api-keys', { body: { name: `Desk ${role}`, role, ...more } })).body;
}

/** What the browser's cookie gets in the other process, once nothing remembered there is good any more. */
async function askOther(path = '/v1/books', isUse = true): Promise<number> {
  other.pass(cacheMillis);
  const elsewhere = openBrowser(other.app);
  elsewhere.cookie = browser.cookie;
  const headers = isUse ? {} : { 'qurable-background': 'true' };
  return (await elsewhere.call('GET', path, { headers })).status;
}

/** Lets time pass for a browser's session, by the database's clock. */
async function age(column: 'used_at' | 'ends_at', minutes: number): Promise<void> {
  const secret = browser.cookie.split('=')[1]!;
  const { rowCount } = await api.core.coldPool.query(
    `update console_sessions set ${column} = ${column} - make_interval(mins => $2) where secret_hash = $1`,
    [createHash('sha256').update(secret).digest(), minutes],
  );
  expect(rowCount).toBe(1);
}

describe('signing in with a key', () => {
  test('200: the key’s name, role and tenant, and a cookie that no script and no other site can use', async () => {
    const key = await makeKey('operator');
    const { status, body, headers } = await browser.signIn(key.secret);
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(String),
        name: 'Desk operator',
        role: 'operator',
        tenant: { slug: 'default', name: expect.any(String) },
        createdAt: expect.any(String),
        usedAt: body.createdAt,
        idleUntil: new Date(Date.parse(String(body.createdAt)) + 30 * 60_000).toISOString(),
        endsAt: new Date(Date.parse(String(body.createdAt)) + 12 * 3_600_000).toISOString(),
        signInWith: ['key'],
      },
    ]);
    expect(browser.setCookie).toMatch(/^qurable=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    expect(headers['cache-control']).toBe('no-store');
    expect((await browser.call('GET', '/console/session')).body).toEqual(body);
    expect((await browser.call('GET', '/v1/books')).status).toBe(200);
  });

  test('the bootstrap key is root of the tenant default', async () => {
    const { body } = await browser.signIn();
    expect(body).toMatchObject({ name: 'root', role: 'root', tenant: { slug: 'default' } });
    expect((await browser.call('POST', '/v1/books', { body: { name: 'By console' } })).status).toBe(201);
  });

  test('over https the cookie is bound to the host, and a cookie of the other name is nobody’s', async () => {
    const headers = { 'x-forwarded-proto': 'https', host: 'qurable.example' };
    browser = openBrowser(other.app);
    expect((await browser.call('POST', '/console/session', { body: { key: rootKey }, headers })).status).toBe(200);
    expect(browser.setCookie).toMatch(
      /^__Host-qurable=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200; Secure$/,
    );
    expect((await browser.call('GET', '/v1/books', { headers })).status).toBe(200);
    browser.cookie = browser.cookie.replace('__Host-', '');
    expect((await browser.call('GET', '/v1/books', { headers })).status).toBe(401);
  });

  test('403: over plain http from another machine nobody is signed in', async () => {
    for (const host of ['qurable.example', '192.168.1.5:3000', 'localhost.evil.example', '127.0.0.1.evil.example']) {
      const { status, body, headers } = await browser.call('POST', '/console/session', {
        body: { key: rootKey },
        headers: { host },
      });
      expect([host, status, body.kind, headers['set-cookie']]).toEqual([host, 403, 'forbidden', undefined]);
    }
  });

  test('401: a key that is unknown, revoked or no key at all, in one and the same words', async () => {
    const revoked = await makeKey();
    await api.call('DELETE', `/v1/api-keys/${revoked.id}`);
    const details = new Set<unknown>();
    for (const key of [revoked.secret, `${rootKey}x`, 'qk_1_nonsense', 'x', tokenOf('admin').slice(0, 128)]) {
      const { status, body, headers } = await browser.signIn(key);
      expect([status, body.kind, headers['set-cookie']]).toEqual([401, 'unauthenticated', undefined]);
      details.add(body.detail);
    }
    expect(details.size).toBe(1);
  });

  test.each([
    ['nothing', {}],
    ['key and link', { key: rootKey, link: 'x' }],
    ['a number', { key: 7 }],
    ['an empty key', { key: '' }],
    ['a key of 129 characters', { key: 'x'.repeat(129) }],
    ['an unknown field', { key: rootKey, role: 'root' }],
  ])('400: %s is invalid-input', async (_what, body) => {
    const answer = await browser.call('POST', '/console/session', { body });
    expect([answer.status, answer.body.kind, answer.headers['set-cookie']]).toEqual([400, 'invalid-input', undefined]);
  });

  test('429: from one address five people a second sign in, whatever comes of it', async () => {
    const still = { now: () => 1_800_000_000_000, monotonic: () => 1_000_000 };
    const fresh = await startOtherProcess(api, {}, still);
    const strangers = openBrowser(fresh.app);
    const tries = await Promise.all(Array.from({ length: 8 }, () => strangers.signIn('qk_1_nonsense')));
    expect(tries.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect(tries.find(({ status }) => status === 429)!.headers['retry-after']).toBe('1');
    fresh.pass(200);
    expect((await strangers.signIn()).status).toBe(200);
    expect((await strangers.signIn()).status).toBe(429);
    await fresh.close();
  });

  test('neither the key nor the cookie is in the log', async () => {
    const { secret } = await makeKey();
    await browser.signIn(secret);
    const text = JSON.stringify(api.logged);
    expect(text).toContain('/console/session');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(browser.cookie.split('=')[1]);
  });
});

describe('a session', () => {
  test('cannot be chosen: a sign-in makes a new secret, and the one before it ends', async () => {
    const planted = 'A'.repeat(43);
    browser.cookie = `qurable=${planted}`;
    await browser.signIn();
    expect(browser.cookie).not.toContain(planted);
    const first = browser.cookie;
    await browser.signIn();
    expect(browser.cookie).not.toBe(first);
    expect(await askOther()).toBe(200);
    for (const cookie of [first, `qurable=${planted}`]) {
      browser.cookie = cookie;
      expect((await browser.call('GET', '/v1/books')).status).toBe(401);
      expect(await askOther()).toBe(401);
    }
  });

  test('acts as its key: same role, same actor in events, same idempotency keys', async () => {
    const key = await makeKey('operator');
    await browser.signIn(key.secret);
    const book = await api.call('POST', '/v1/books', { body: { name: 'Acts', status: 'active' } });
    await api.call('POST', `/v1/books/${book.body.id}/codes/generate`, { body: { count: 10, pattern: 'ACTS-######' } });
    const body = { bookId: book.body.id, userId: 'u-1' };
    const headers = { 'idempotency-key': 'from-console' };
    const assigned = await browser.call('POST', '/v1/coupons/assign', { body, headers });
    expect(assigned.status).toBe(201);
    const again = await api.call('POST', '/v1/coupons/assign', { body, key: 'from-console', as: key.secret });
    expect([again.headers['idempotency-replayed'], again.body.code]).toEqual(['true', assigned.body.code]);
    const events = await browser.call('GET', `/v1/coupons/${assigned.body.code}/events`);
    expect(events.body.data[0]!.actor).toBe(`key:${key.id}`);
  });

  test.each([
    ['redeemer', 'GET', '/v1/books'],
    ['redeemer', 'GET', '/v1/api-keys'],
    ['operator', 'GET', '/v1/api-keys'],
    ['operator', 'POST', '/v1/books'],
    ['operator', 'DELETE', '/v1/users/u-1'],
    ['admin', 'POST', '/v1/tenants'],
  ])('403: the role %s may not %s %s by cookie either', async (role, method, path) => {
    await browser.signIn((await makeKey(role)).secret);
    const { status, body } = await browser.call(method, path, method === 'POST' ? { body: {} } : {});
    expect([status, body.kind]).toEqual([403, 'forbidden']);
  });

  test('is of no use at /metrics, which is no part of the console', async () => {
    await browser.signIn();
    expect((await browser.call('GET', '/metrics')).status).toBe(401);
  });

  test('ends at sign-out, here at once and elsewhere within five seconds, and the cookie is taken away', async () => {
    await browser.signIn();
    const stolen = browser.cookie;
    expect(await askOther()).toBe(200);
    expect((await browser.call('DELETE', '/console/session')).status).toBe(204);
    expect(browser.setCookie).toMatch(/^qurable=; .*Max-Age=0$/);
    browser.cookie = stolen;
    expect((await browser.call('GET', '/v1/books')).status).toBe(401);
    expect((await browser.call('GET', '/console/session')).status).toBe(401);
    expect(await askOther()).toBe(401);
    expect((await browser.call('DELETE', '/console/session')).status).toBe(204);
  });

  test('ends everywhere when its key is revoked in another process', async () => {
    const key = await makeKey('admin');
    await browser.signIn(key.secret);
    expect(await askOther()).toBe(200);
    const elsewhere = openBrowser(other.app);
    await elsewhere.signIn();
    expect((await elsewhere.call('DELETE', `/v1/api-keys/${key.id}`)).status).toBe(204);
    expect(await askOther()).toBe(401);
    expect(await askOther('/console/session')).toBe(401);
  });

  test('ends when its key expires, and says so beforehand', async () => {
    const expiresAt = new Date(api.core.clock.now() + 3_600_000).toISOString();
    const key = await makeKey('admin', { expiresAt });
    expect((await browser.signIn(key.secret)).body.endsAt).toBe(expiresAt);
    const { rowCount } = await api.core.coldPool.query(
      'update api_keys set expires_at = clock_timestamp() where id = $1',
      [key.id],
    );
    expect(rowCount).toBe(1);
    expect(await askOther()).toBe(401);
  });

  test('ends when the bootstrap key is another one', async () => {
    await browser.signIn();
    const rekeyed = await startOtherProcess(api, { QURABLE_ADMIN_KEY: 'qk_another-root-key-which-is-long-enough-too' });
    const there = openBrowser(rekeyed.app);
    there.cookie = browser.cookie;
    expect((await there.call('GET', '/v1/books')).status).toBe(401);
    await rekeyed.close();
  });

  test('ends when it was idle for 30 minutes', async () => {
    await browser.signIn();
    await age('used_at', 29);
    expect(await askOther('/v1/books', false)).toBe(200);
    await age('used_at', 1);
    expect(await askOther()).toBe(401);
  });

  test('lives on when it is used, and not by what a page asks by itself', async () => {
    await browser.signIn();
    await age('used_at', 20);
    expect(await askOther()).toBe(200);
    await age('used_at', 20);
    expect(await askOther('/v1/books', false)).toBe(200);
    await age('used_at', 11);
    expect(await askOther('/v1/books', false)).toBe(401);
  });

  test('a use is written down though the page’s own request was a moment before it', async () => {
    await browser.signIn();
    await age('used_at', 20);
    const headers = { 'qurable-background': 'true' };
    expect((await browser.call('GET', '/v1/books', { headers })).status).toBe(200);
    expect((await browser.call('GET', '/v1/books')).status).toBe(200);
    await age('used_at', 20);
    expect(await askOther()).toBe(200);
  });

  test('ends 12 hours after it began, however it was used', async () => {
    await browser.signIn();
    await age('ends_at', 12 * 60 - 1);
    expect(await askOther()).toBe(200);
    await age('ends_at', 1);
    expect(await askOther()).toBe(401);
  });

  test('is stored as a hash only', async () => {
    await browser.signIn();
    const secret = browser.cookie.split('=')[1]!;
    const { rows } = await api.core.coldPool.query('select s::text as row from console_sessions s');
    const text = JSON.stringify(rows);
    expect(text).toContain(createHash('sha256').update(secret).digest('hex'));
    expect(text).not.toContain(secret);
    expect(text).not.toContain(Buffer.from(secret).toString('hex'));
  });
});

describe('one’s own sessions', () => {
  test('are listed and ended, and those of others are out of reach', async () => {
    const [mine, theirs] = [await makeKey('operator'), await makeKey('operator')];
    const [here, there, stranger] = [browser, openBrowser(api.app), openBrowser(api.app)];
    await here.signIn(mine.secret);
    // Sessions of one millisecond have no order.
    await sleep(5);
    const second = await there.signIn(mine.secret);
    const strange = await stranger.signIn(theirs.secret);
    const list = await here.call('GET', '/console/sessions');
    expect(list.body.data.map(({ name }) => name)).toEqual(['Desk operator', 'Desk operator']);
    expect(list.body.data[0]!.id).toBe(second.body.id);
    for (const id of [strange.body.id, 'nonsense']) {
      expect((await here.call('DELETE', `/console/sessions/${id}`)).body.kind).toBe('not-found');
    }
    expect((await stranger.call('GET', '/v1/books')).status).toBe(200);
    expect((await here.call('DELETE', `/console/sessions/${second.body.id}`)).status).toBe(204);
    expect((await there.call('GET', '/v1/books')).status).toBe(401);
    expect((await here.call('GET', '/v1/books')).status).toBe(200);
    expect((await here.call('DELETE', '/console/sessions')).status).toBe(204);
    expect((await here.call('GET', '/v1/books')).status).toBe(401);
    expect((await stranger.call('GET', '/v1/books')).status).toBe(200);
  });

  test('of everybody in the tenant an admin lists and ends, but for the bootstrap key’s', async () => {
    const [desk, root] = [openBrowser(api.app), openBrowser(api.app)];
    const ofDesk = await desk.signIn((await makeKey('operator')).secret);
    const ofRoot = await root.signIn();
    await browser.signIn((await makeKey('admin')).secret);
    const listed = (await browser.call('GET', '/console/tenant-sessions')).body.data.map(({ id }) => id);
    expect(listed).toEqual(expect.arrayContaining([ofDesk.body.id, ofRoot.body.id]));
    expect((await desk.call('GET', '/console/tenant-sessions')).body.kind).toBe('forbidden');
    expect((await browser.call('DELETE', `/console/sessions/${ofRoot.body.id}`)).body.kind).toBe('not-found');
    expect((await root.call('GET', '/v1/books')).status).toBe(200);
    expect((await browser.call('DELETE', `/console/sessions/${ofDesk.body.id}`)).status).toBe(204);
    expect((await desk.call('GET', '/v1/books')).status).toBe(401);
    const made = await api.call('POST', '/v1/tenants', { body: { slug: 'elsewhere', name: 'Elsewhere' } });
    const elsewhere = openBrowser(api.app);
    await elsewhere.signIn(made.body.adminKey.secret);
    const mine = (await browser.call('GET', '/console/session')).body.id;
    expect((await elsewhere.call('DELETE', `/console/sessions/${mine}`)).body.kind).toBe('not-found');
    expect((await elsewhere.call('GET', '/console/tenant-sessions')).body.data).toHaveLength(1);
  });

  test('of one key there are 50 at most: the oldest ends', async () => {
    const { secret } = await makeKey('admin');
    await browser.signIn(secret);
    await sleep(5);
    const later = Array.from({ length: 50 }, () => openBrowser(api.app));
    for (const each of later) await each.signIn(secret);
    expect(await askOther()).toBe(401);
    expect((await later[0]!.call('GET', '/console/sessions')).body.data).toHaveLength(50);
  });
});

describe('a link that signs in once', () => {
  const open = (link: string, by = browser) => by.call('POST', '/console/session', { body: { link } });

  test('makes a session of the bootstrap key', async () => {
    const link = (await makeSignInLink(api.core))!;
    expect((await open(link)).body).toMatchObject({ name: 'root', role: 'root' });
    expect((await browser.call('GET', '/v1/books')).status).toBe(200);
    expect((await open(link)).body.kind).toBe('unauthenticated');
  });

  test('of ten browsers that open a link at once, one is signed in', async () => {
    const link = (await makeSignInLink(api.core))!;
    const browsers = Array.from({ length: 10 }, (_, index) => openBrowser(index % 2 === 0 ? api.app : other.app));
    const answers = await Promise.all(browsers.map((each) => open(link, each)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array<number>(9).fill(401)]);
  });

  test('is of no use after half an hour, with another bootstrap key, or as a guess', async () => {
    const late = (await makeSignInLink(api.core))!;
    await api.core.coldPool.query("update console_links set ends_at = ends_at - interval '30 minutes'");
    const foreign = (await makeSignInLink({ ...api.core, config: { ...api.core.config, adminKey: 'qk_former' } }))!;
    for (const link of [late, foreign, 'A'.repeat(43), 'nonsense']) {
      const { status, headers } = await open(link);
      expect([status, headers['set-cookie']]).toEqual([401, undefined]);
    }
    expect(await makeSignInLink({ ...api.core, config: { ...api.core.config, adminKey: null } })).toBeNull();
  });
});
