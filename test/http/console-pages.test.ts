import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { builtConsole } from '../../containers/console/build/build-console.ts';
import { languages } from '../../containers/console/language/choices.ts';
import { startTestApi, type TestApi } from './support.ts';

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
  "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
/** What all scripts of the console together may weigh, as browsers ask for them. */
const scriptsMaxBytes = 60_000;

describe('the console’s files', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi('console_pages');
  });
  afterAll(() => api.close());

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
