import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { Value } from 'typebox/value';
import { builtConsole } from '../../containers/console/build/build-console.ts';
import { languages } from '../../containers/console/language/choices.ts';
import { type Caller, HealthView, openHealth } from '../../core/index.ts';
import { openBrowser } from './console-support.ts';
import { type Body, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('console basics');
});
afterAll(() => api.close());

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/** What all scripts of the console together may weigh, as browsers ask for them. */
const scriptsMaxBytes = 60_000;

describe('the console’s files', () => {
  const get = (url: string, headers: Record<string, string> = {}) => api.app.inject({ url, headers });
  const assets = Object.values(
    JSON.parse(readFileSync(join(builtConsole, 'manifest.json'), 'utf8')) as Record<string, string>,
  );

  test.each(['/console', '/console/', '/console/books/new', '/console/enter', '/console/users/a%2Fb'])(
    '%s is the page, to be asked for anew each time, under a policy without exceptions',
    async (url) => {
      const { statusCode, headers, payload } = await get(url);
      expect(statusCode).toBe(200);
      expect(headers).toMatchObject({
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-cache',
        'content-security-policy': policy,
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      // No script or style within, and nothing from elsewhere.
      expect(payload).not.toMatch(/<style|style=|<script>|javascript:|https?:/);
    },
  );

  test('a file is named by its content, and kept for ever', async () => {
    for (const name of assets) {
      const { statusCode, headers } = await get(`/console/assets/${name}`);
      expect([name, statusCode, headers['cache-control']]).toEqual([name, 200, 'public, max-age=31536000, immutable']);
      expect(name).toMatch(/-[0-9A-Z]{8}\.(js|css|svg)$/);
    }
  });

  test('what is sent compressed is what is sent plain, and only to those who take it', async () => {
    const url = `/console/assets/${assets.find((name) => name.startsWith('main'))}`;
    const plain = await get(url);
    const br = await get(url, { 'accept-encoding': 'gzip, deflate, br' });
    const gzip = await get(url, { 'accept-encoding': 'gzip;q=1.0, br;q=0' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect([br.headers['content-encoding'], gzip.headers['content-encoding']]).toEqual(['br', 'gzip']);
    expect(brotliDecompressSync(br.rawPayload)).toEqual(plain.rawPayload);
    expect(gunzipSync(gzip.rawPayload)).toEqual(plain.rawPayload);
    expect(br.headers.vary).toContain('accept-encoding');
  });

  test.each(languages)(
    'all scripts that a browser needs in one language are below 60 KB, compressed (%s)',
    (language) => {
      const others = languages.filter((other) => other !== language).map((other) => `${other}-`);
      const scripts = readdirSync(join(builtConsole, 'assets'))
        .filter((name) => name.endsWith('.js.br'))
        .filter((name) => !others.some((other) => name.startsWith(other)));
      const sizes = scripts.map((name) => readAsset(name).length);
      expect(scripts.some((name) => name.startsWith(`${language}-`))).toBe(true);
      expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(scriptsMaxBytes);
    },
  );

  test('a file that is not there is not-found, and leads out of no folder', async () => {
    for (const name of ['main.js', '..%2Findex.html', '%2e%2e%2f%2e%2e%2fmain.tsx', 'manifest.json']) {
      const { statusCode, payload } = await get(`/console/assets/${name}`);
      expect([name, statusCode, JSON.parse(payload).kind]).toEqual([name, 404, 'not-found']);
    }
  });
});

function readAsset(name: string): Buffer {
  return readFileSync(join(builtConsole, 'assets', name));
}

describe('the health that the console shows', () => {
  /** A member of the tenant default, and one of another. */
  const operatorOf = (tenantId: number): Caller => ({ tenantId, role: 'operator', actor: 'key:1', customerId: null });
  const [home, guest] = [operatorOf(1), operatorOf(2)] as const;
  const sources = {
    droppedLogLines: () => 7,
    background: { states: () => [{ name: 'maintenance', failuresInARow: 2, lastFailedAt: 1_800_000_000_000 }] },
  };

  const readAs = (token: string) =>
    openBrowser(api.app).call('GET', '/console/health', { headers: { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    await api.call('POST', '/v1/tenants', { body: { slug: 'acme', name: 'Acme' } });
  });

  test('GET /console/health: what the process knows of itself, to operators and admins by key, JWT or session', async () => {
    const browser = openBrowser(api.app);
    await browser.signIn();
    const { status, body } = await browser.call('GET', '/console/health');
    expect(status).toBe(200);
    const { version, uptimeSeconds, ...view } = body as Body & Record<string, unknown>;
    expect([version, Number.isInteger(uptimeSeconds)]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/), true]);
    expect(Value.Check(HealthView, view)).toBe(true);
    expect(view).toMatchObject({
      database: { reachable: true, millis: expect.any(Number) },
      replica: null,
      redis: null,
      process: { droppedLogLines: 0, tasks: [] },
    });
    for (const [role, wanted] of Object.entries({ admin: 200, operator: 200, redeemer: 403, customer: 403 })) {
      expect([role, (await readAs(tokenOf(role))).status]).toEqual([role, wanted]);
    }
    expect((await openBrowser(api.app).call('GET', '/console/health')).status).toBe(401);
  });

  test('pools, tasks and failures are of all tenants together, so another tenant’s operator is not told of them', async () => {
    const read = openHealth(api.core, sources);
    expect((await read(home)).process).toMatchObject({
      droppedLogLines: 7,
      pools: [
        { name: 'hot path', max: 10, waiting: 0 },
        { name: 'other writes', max: 2, waiting: 0 },
        { name: 'lists', max: 2, waiting: 0 },
        { name: 'background', max: 2, waiting: 0 },
      ],
      tasks: [{ name: 'maintenance', failuresInARow: 2, lastFailedAt: '2027-01-15T08:00:00.000Z' }],
    });
    expect((await read(guest)).process).toBeNull();
    expect((await readAs(tokenOf('admin', 'x', 'acme'))).body.process).toBeNull();
  });

  test('a database or replica that is away is said to be, without a word of where it is', async () => {
    const nowhere = new pg.Pool({ host: '127.0.0.1', port: 1, password: 'hidden', connectionTimeoutMillis: 500 });
    const replica = { host: 'replica.example' };
    const core = { ...api.core, readyPool: nowhere, readPool: nowhere, config: { ...api.core.config, replica } };
    const view = await openHealth(core, sources)(home);
    expect([view.database, view.replica]).toEqual([
      { reachable: false, millis: null, schemaVersion: null, neededSchemaVersion: expect.any(Number) },
      { reachable: false, millis: null, behindMillis: null },
    ]);
    expect(JSON.stringify(view)).not.toMatch(/replica\.example|127\.0\.0\.1|hidden|ECONN/);
    await nowhere.end();
  });

  test('of a replica it says how far it is behind', async () => {
    const core = { ...api.core, config: { ...api.core.config, replica: { host: 'replica.example' } } };
    expect((await openHealth(core, sources)(home)).replica).toMatchObject({ reachable: true, behindMillis: 0 });
  });
});
