import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type OidcProvider, startOidcProvider } from '../support/oidc-provider.ts';
import { type Browser, openBrowser, type Seen } from './console-support.ts';
import { startTestApi, type TestApi } from './support.ts';

let provider: OidcProvider;
let api: TestApi;
let browser: Browser;
/** As a browser marks where another site leads it. */
const led = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', host: 'localhost:3000' };

beforeAll(async () => {
  provider = await startOidcProvider();
  api = await startTestApi('console-oidc', {
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: provider.clientId,
    OIDC_CLIENT_SECRET: provider.clientSecret,
    OIDC_ROLES: 'cn=coupon admins,ou=x=admin; support=operator; acme=acme/admin; nowhere=no-such/admin',
  });
  await api.call('POST', '/v1/tenants', { body: { slug: 'acme', name: 'Acme' } });
});
beforeEach(() => {
  api.core.signInPace.take = async () => 0;
  Object.assign(provider, {
    person: { sub: 'ana-1', preferred_username: 'ana', groups: ['staff', 'support'] },
    userInfo: {},
    denies: false,
    misdeeds: {},
  });
  browser = openBrowser(api.app);
});
afterAll(async () => {
  await api.close();
  await provider.close();
});

const get = (path: string, by = browser) => by.call('GET', path, { headers: led });
const pathOf = (address: URL) => `${address.pathname}${address.search}`;

/** Leads the browser to the provider and back to the address that this gives. */
async function begin(by = browser): Promise<URL> {
  const start = await get('/console/oidc/start', by);
  expect(start.status).toBe(303);
  return provider.visit(String(start.headers.location));
}

async function signIn(by = browser): Promise<Seen> {
  return get(pathOf(await begin(by)), by);
}

/** Nobody came in: a page says so, and no cookie lets anybody in. */
async function expectRefused(answer: Seen, status: number): Promise<void> {
  expect([answer.status, answer.headers['content-type']]).toEqual([status, 'text/html; charset=utf-8']);
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  expect((await browser.call('GET', '/v1/books')).status).toBe(401);
}

describe('signing in by OpenID Connect', () => {
  test('is offered, and comes to a session with the role of the first group in the list', async () => {
    expect((await browser.call('GET', '/console/sign-in')).body).toEqual({ signInWith: ['key', 'oidc'] });
    const { status, headers } = await signIn();
    expect([status, headers.location]).toEqual([303, '/console/']);
    expect(browser.setCookie).toMatch(/^qurable=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=43200$/);
    const { body } = await browser.call('GET', '/console/session');
    expect(body).toMatchObject({ name: 'ana', role: 'operator', tenant: { slug: 'default' } });
    expect((await browser.call('GET', '/v1/api-keys')).body.kind).toBe('forbidden');
  });

  test.each([
    [['support', 'cn=coupon admins,ou=x'], 'admin', 'default'],
    [['acme'], 'admin', 'acme'],
    ['support', 'operator', 'default'],
  ])('the groups %j are %s in %s', async (groups, role, slug) => {
    provider.person = { sub: 'ana-1', groups };
    await signIn();
    expect((await browser.call('GET', '/console/session')).body).toMatchObject({
      name: 'ana-1',
      role,
      tenant: { slug },
    });
  });

  test('groups may be told about the person alone', async () => {
    provider.person = { sub: 'ana-1' };
    provider.userInfo = { groups: ['support'], email: 'ana@example.com' };
    await signIn();
    expect((await browser.call('GET', '/console/session')).body).toMatchObject({
      name: 'ana@example.com',
      role: 'operator',
    });
  });

  test('events name the person, as the person is called today', async () => {
    provider.person = { sub: 'eva-1', preferred_username: 'eva\u202e\n<b>', groups: ['support'] };
    await signIn();
    const book = await api.call('POST', '/v1/books', { body: { name: 'Events', status: 'active' } });
    await api.call('POST', `/v1/books/${book.body.id}/codes/generate`, { body: { count: 10, pattern: 'OIDC-######' } });
    const { body } = await browser.call('POST', '/v1/coupons/assign', {
      body: { bookId: book.body.id, userId: 'u-1' },
    });
    const actor = async () => (await api.call('GET', `/v1/coupons/${body.code}/events`)).body.data[0]!.actor;
    expect(await actor()).toBe('person:eva<b>');
    provider.person.preferred_username = 'eva.2';
    await signIn();
    expect(await actor()).toBe('person:eva.2');
  });

  test('a person’s session ends when the sign-in is configured no more', async () => {
    await signIn();
    expect((await browser.call('GET', '/v1/books')).status).toBe(200);
    const { config } = api.core;
    const { oidc } = config;
    config.oidc = null;
    expect((await browser.call('GET', '/console/sessions')).body.data ?? []).toEqual([]);
    expect((await browser.call('GET', '/console/session')).status).toBe(401);
    config.oidc = oidc;
  });
});

describe('a sign-in that must not succeed', () => {
  test('403: of somebody in none of the groups, of a tenant that is not there, or whom the issuer denies', async () => {
    for (const groups of [[], ['staff'], ['Support'], undefined, 7, [['support']], ['nowhere']]) {
      provider.person = { sub: 'bob-1', groups };
      await expectRefused(await signIn(), 403);
    }
    provider.denies = true;
    await expectRefused(await signIn(), 403);
  });

  test.each([
    ['another nonce', (claims: object) => ({ ...claims, nonce: 'another' })],
    ['no nonce', ({ nonce: _nonce, ...claims }: Record<string, unknown>) => claims],
    ['another issuer', (claims: object) => ({ ...claims, iss: 'https://evil.example' })],
    ['another audience', (claims: object) => ({ ...claims, aud: 'another-client' })],
    ['an end that is past', (claims: object) => ({ ...claims, exp: 1_000_000_000 })],
    ['no subject', ({ sub: _sub, ...claims }: Record<string, unknown>) => claims],
  ])('401: an ID token with %s', async (_what, claims) => {
    provider.misdeeds = { claims };
    await expectRefused(await signIn(), 401);
  });

  test('401: an ID token that another key signed', async () => {
    provider.misdeeds = { foreignKey: true };
    await expectRefused(await signIn(), 401);
  });

  test('401: another state, none, or a return that nobody began', async () => {
    for (const state of ['another', '']) {
      const back = await begin();
      back.searchParams.set('state', state);
      await expectRefused(await get(pathOf(back)), 401);
    }
    const before = provider.exchanges;
    const back = await begin();
    browser.cookie = '';
    await expectRefused(await get(pathOf(back)), 401);
    await expectRefused(await get('/console/oidc/callback'), 401);
    expect(provider.exchanges).toBe(before);
  });

  test('401: a return to another browser than the one that began, with its own sign-in under way', async () => {
    const attacker = openBrowser(api.app);
    const theirs = await begin(attacker);
    await begin();
    await expectRefused(await get(pathOf(theirs)), 401);
  });

  test('401: another issuer’s name in the return', async () => {
    const back = await begin();
    back.searchParams.set('iss', 'https://evil.example');
    await expectRefused(await get(pathOf(back)), 401);
  });

  test('a return that is replayed, at once or later, lets nobody in twice', async () => {
    const back = await begin();
    const flow = browser.cookie;
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => {
        const each = openBrowser(api.app);
        each.cookie = flow;
        return get(pathOf(back), each);
      }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([303, 401, 401, 401, 401]);
    browser.cookie = flow;
    await expectRefused(await get(pathOf(back)), 401);
  });

  test('nothing in an address says where the browser goes afterwards', async () => {
    for (const name of ['returnTo', 'redirect', 'redirect_uri', 'next', 'url']) {
      const start = await get(`/console/oidc/start?${name}=https://evil.example`);
      expect(String(start.headers.location)).toMatch(new RegExp(`^${provider.issuer}/authorize\\?`));
      expect(String(start.headers.location)).not.toContain('evil');
      const back = await provider.visit(String(start.headers.location));
      back.searchParams.set(name, 'https://evil.example');
      expect((await get(pathOf(back))).headers.location).toBe('/console/');
    }
  });

  test('whatever comes back, nothing fails and nobody is let in', async () => {
    const queries = [
      'code=x',
      'code=x&code=y',
      'state=&code=',
      'error=server_error&error_description=%3Cscript%3E',
      'response=x.y.z',
      'id_token=x',
      '%00',
      `code=${'x'.repeat(4_000)}`,
      '__proto__=1',
    ];
    for (const query of queries) {
      await begin();
      const answer = await get(`/console/oidc/callback?${query}`);
      expect([query, answer.status < 500]).toEqual([query, true]);
      await expectRefused(answer, answer.status);
    }
    for (const cookie of ['qurable-sign-in=', 'qurable-sign-in=a.b.c', `qurable-sign-in=${'A'.repeat(43)}`]) {
      browser.cookie = cookie;
      await expectRefused(await get('/console/oidc/callback?code=x&state=x'), 401);
    }
  });

  test('503: an issuer that is away, or is another one than it was taken for', async () => {
    const failing = await startTestApi('console-oidc-away', {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.clientId,
      OIDC_CLIENT_SECRET: provider.clientSecret,
      OIDC_ROLES: 'support=operator',
    });
    browser = openBrowser(failing.app);
    provider.misdeeds = { status: 503 };
    await expectRefused(await get('/console/oidc/start'), 503);
    provider.misdeeds = { hangsUp: true };
    await expectRefused(await get('/console/oidc/start'), 503);
    provider.misdeeds = { otherIssuer: 'https://evil.example' };
    await expectRefused(await get('/console/oidc/start'), 401);
    provider.misdeeds = {};
    expect((await get('/console/oidc/start')).status).toBe(303);
    await failing.close();
  });

  test('over plain http from another machine, or with a host that is none, nobody is sent anywhere', async () => {
    for (const host of ['qurable.example', 'localhost:3000/x', '[bad']) {
      const { status, headers } = await browser.call('GET', '/console/oidc/start', { headers: { host } });
      expect([host, status, headers.location]).toEqual([host, 403, undefined]);
    }
  });

  test('no word of a token, a code or a person is in the log', () => {
    const text = JSON.stringify(api.logged);
    expect(text).toContain('/console/oidc/callback');
    for (const secret of ['ana', 'eva', 'bob-1', 'code=', 'state='])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });
});
