import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isLong } from '../support/long-run.ts';
import { rootKey, startTestApi, type TestApi } from './support.ts';

/** Routes that plugins add, which the document does not list. */
const pluginRoutes = [
  '/openapi.json',
  '/docs',
  '/docs/',
  '/docs/json',
  '/docs/yaml',
  '/docs/static/',
  '/docs/static/index.html',
  '/docs/static/swagger-ui.css',
  '/docs/static/swagger-initializer.js',
  '/docs/static/nothing',
];

const endings = [
  '',
  '/',
  '//',
  '%00',
  '/%00',
  'a%00b',
  '/x/../../y',
  '/%5c..%5c',
  '/..%2fx',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/..;/x',
  '%',
  '%zz',
  '%c3%28',
  '/%E0%A4%A',
  '/C:%5cx',
  '/NUL',
  '/.git/config',
  ';x=1',
  '?',
  '?%',
  '?a&a&a&a',
  '?__proto__=1&constructor=2',
  '?limit=%00&cursor=%ff',
  `?${'a=&'.repeat(2_000)}`,
  `/${'x'.repeat(3_000)}`,
  '/../'.repeat(200),
];

const values: Record<string, string[]> = {
  'if-match': ['"x"', '*', 'W/"x"', '"', '"1", "2"', ' '],
  'if-none-match': ['"x"', '*', 'W/"', ','],
  'if-unmodified-since': ['Thu, 01 Jan 1970 00:00:00 GMT', 'never', '-1'],
  'if-modified-since': ['Thu, 01 Jan 2099 00:00:00 GMT', 'never', '99999999999999999999'],
  'if-range': ['"x"', 'never', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  range: ['bytes=abc', 'bytes=99999999-', 'bytes=5-1', 'bytes=0-0,2-3', 'bytes=-0', 'bytes=', 'items=0-1', '=', '-'],
  accept: ['*/*;q=', ',,,', 'text/csv;q=0', 'text/csv', ';', 'x'],
  'accept-encoding': ['gzip;q=', 'br, *;q=0', ',', '\u00ff'],
  'content-type': ['', ';', 'x', '/', 'application/json; charset=utf-16', 'multipart/form-data', 'text/csv; charset='],
  'content-encoding': ['gzip', ',', 'identity'],
  'content-length': ['-1', 'x', '1e3', '99999999999999999999'],
  origin: ['null', 'https://evil.example', 'https://shop.example', ' ', ','],
  'access-control-request-method': ['X', '', 'DELETE'],
  'access-control-request-headers': [',,,', '\u00ff', 'x'.repeat(2_000)],
  authorization: ['', 'Bearer', 'Bearer ', 'Basic eDp5', 'Bearer qk_x', 'Bearer a.b.c', 'Bearer ..', 'Bearer e30.e30.'],
  host: ['', ':', 'a b', '[::1', 'x'.repeat(2_000)],
  expect: ['100-continue', 'x'],
  upgrade: ['h2c', 'websocket'],
  cookie: ['=;=;', '\u00ff'],
  'idempotency-key': ['', ' ', '\u00ff', 'x'.repeat(2_000)],
  'x-request-id': ['', '{{7*7}}', 'x'.repeat(2_000)],
  'x-forwarded-for': [',', 'x', '1.2.3.4, ::1, [', '\u00ff'],
  'x-forwarded-host': [',', '\u00ff'],
  'x-forwarded-proto': [',', 'x'],
  'x-http-method-override': ['DELETE', ','],
};

/**
 * In a short run each route gets a third of all, and the next route the next third: the same code reads paths and
 * headers for all routes, and no third is sent to less than twenty of them.
 */
const turnOf = (route: number) => (_one: unknown, at: number) => isLong || (at + route) % 3 === 0;

describe('whoever writes the request', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi('hostile requests', { CORS_ORIGINS: 'https://shop.example', TRUSTED_PROXIES: '1' });
  });
  afterAll(() => api.close());

  /** Every route with its methods, and whether it looks at the token; ids are such as name nothing. */
  function routes(): [string, string[], boolean][] {
    const documented = Object.entries(api.document.paths).map(([path, operations]): [string, string[], boolean] => [
      path.replaceAll(/\{[A-Za-z]*Id\}/g, '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11').replaceAll(/\{\w+\}/g, 'x-1'),
      Object.keys(operations).map((method) => method.toUpperCase()),
      true,
    ]);
    return [
      ...documented,
      // Preflight requests are one route's for all paths.
      ['/v1/books', ['OPTIONS'], true],
      ...pluginRoutes.map((path): [string, string[], boolean] => [path, ['GET', 'HEAD', 'OPTIONS', 'POST'], false]),
    ];
  }

  test.each([
    ['nobody', () => null],
    ['an administrator', () => rootKey],
  ])(
    'no path and no header of any route makes an answer of 500, or a line at level error: %s',
    async (_who, tokenOfCaller) => {
      const token = tokenOfCaller();
      const wrong: string[] = [];
      let sent = 0;
      const send = async (method: string, url: string, more: Record<string, string> = {}) => {
        const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...more };
        const answer = await api.app.inject({ method: method as 'GET', url, headers });
        sent += 1;
        if (answer.statusCode >= 500) wrong.push(`${method} ${url} ${JSON.stringify(more)}: ${answer.statusCode}`);
        const isProblem = String(answer.headers['content-type']).startsWith('application/problem+json');
        if (answer.statusCode >= 400 && !isProblem) wrong.push(`${method} ${url}: ${answer.statusCode} is no problem`);
      };
      for (const [number, [path, methods, looksAtToken]] of routes().entries()) {
        for (const method of methods) {
          for (const ending of endings.filter(turnOf(number))) await send(method, path + ending);
          // Each header would get from it what it gets without a token, and its answers are of up to a megabyte.
          if (token !== null && !looksAtToken) continue;
          for (const [name, texts] of Object.entries(values).filter(turnOf(number))) {
            // Of each header's texts one, and the next time the next one.
            const chosen = isLong ? texts : [texts[Math.floor(number / 3) % texts.length]!];
            for (const text of chosen) await send(method, path, { [name]: text });
          }
        }
      }
      expect(wrong.slice(0, 20)).toEqual([]);
      expect(sent).toBeGreaterThan(isLong ? 5_000 : 1_000);
      expect(api.logged.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    },
  );

  test.each([
    [{ 'if-match': '"x"' }, '', 412, 'revision-mismatch'],
    [{ 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }, '', 412, 'revision-mismatch'],
    [{ range: 'bytes=abc' }, '', 400, 'invalid-input'],
    [{ range: 'bytes=99999999-' }, '', 400, 'invalid-input'],
    [{}, '/%00', 404, 'not-found'],
    [{}, '/x/../../y', 404, 'not-found'],
    [{}, '/..%2fx', 404, 'not-found'],
    [{}, '/nothing', 404, 'not-found'],
  ])('a file that is asked for by %j%s is refused as %d %s', async (headers, ending, status, kind) => {
    const path = ending === '' ? '/docs/static/swagger-ui.css' : `/docs/static${ending}`;
    const answer = await api.app.inject({ method: 'GET', url: path, headers });
    expect([answer.statusCode, answer.json()]).toEqual([status, expect.objectContaining({ kind, status })]);
    expect(JSON.stringify(answer.json())).not.toContain('is not among');
  });
});
