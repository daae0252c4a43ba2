import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { errorKinds, limits } from '../../core/index.ts';
import { startTestApi, type TestApi } from './support.ts';

describe('what comes before any route', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi('routing');
  });
  afterAll(() => api.close());

  test('404: a path that no route has is not-found, with or without a token', async () => {
    for (const as of [null, 'nonsense']) {
      const { status, body } = await api.call('GET', '/v1/nothing?code=SECRET', { as });
      expect([status, body.kind, body.instance]).toEqual([404, 'not-found', '/v1/nothing']);
    }
  });

  test.each([
    ['DELETE', '/v1/books', 'GET, HEAD, POST'],
    ['PUT', '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'DELETE, GET, HEAD, PATCH'],
    ['GET', '/v1/coupons/BF26/redeem', 'POST'],
    ['POST', '/v1/users/u-1', 'DELETE'],
    ['PATCH', '/health', 'GET, HEAD'],
    ['OPTIONS', '/v1/books', 'GET, HEAD, POST'],
  ])('405: %s %s is method-not-allowed and says what is: %s', async (method, path, allow) => {
    const { status, body, headers } = await api.call(method, path, { as: null });
    expect([status, body.kind, headers.allow]).toEqual([405, 'method-not-allowed', allow]);
  });

  test.each([
    ['QUERY', '/v1/books', undefined, '', 405],
    ['QUERY', '/v1/nothing', undefined, '', 404],
    ['PUT', '/v1/books', 'application/json', '{', 405],
    ['PUT', '/v1/books', 'text/plain', 'x', 405],
    ['POST', '/v1/nothing', 'application/json', '{', 404],
    ['POST', '/v1/nothing', 'application/json', JSON.stringify('x'.repeat(limits.bodyMaxBytes)), 404],
  ])(
    '%s %s is answered for its method and path, whatever its body is (%s %#)',
    async (method, path, type, body, expected) => {
      const headers = type === undefined ? {} : { 'content-type': type };
      const { status } = await api.call(method, path, { as: null, headers, ...(body === '' ? {} : { body }) });
      expect(status).toBe(expected);
    },
  );

  test('415: a body in another charset than UTF-8 is unsupported-media-type, which names it', async () => {
    const upload = '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11/codes';
    for (const [path, type] of [
      ['/v1/books', 'application/json'],
      [upload, 'text/csv'],
      [upload, 'application/x-ndjson'],
    ] as const) {
      const send = (parameters: string) =>
        api.call('POST', path, { body: '{}', headers: { 'content-type': `${type}${parameters}` } });
      for (const wrong of ['; charset=utf-16', ';Charset="ISO-8859-1"', '; header=present; charset=windows-1252']) {
        const { status, body } = await send(wrong);
        expect([path, wrong, status, body.kind]).toEqual([path, wrong, 415, 'unsupported-media-type']);
        expect(body.detail).toMatch(/utf-16|iso-8859-1|windows-1252/);
      }
      for (const right of ['', '; charset=UTF-8', ';charset="utf-8"', '; charset=us-ascii', '; header=present']) {
        expect([path, right, (await send(right)).status]).not.toEqual([path, right, 415]);
      }
    }
  });

  test('415: a body with a Content-Encoding is unsupported-media-type, and identity is none', async () => {
    const upload = '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11/codes';
    for (const [path, type] of [
      ['/v1/books', 'application/json'],
      [upload, 'text/csv'],
      [upload, 'application/json'],
    ] as const) {
      const send = (encoding: string) =>
        api.call('POST', path, { body: '{}', headers: { 'content-type': type, 'content-encoding': encoding } });
      const { status, body } = await send('gzip');
      expect([path, status, body.kind]).toEqual([path, 415, 'unsupported-media-type']);
      expect((await send('identity')).status).not.toBe(415);
    }
  });

  test.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/jsonx', 'nonsense'])(
    '415: a body of %s is unsupported-media-type',
    async (type) => {
      const { status, body } = await api.call('POST', '/v1/books', { body: '{}', headers: { 'content-type': type } });
      expect([status, body.kind]).toEqual([415, 'unsupported-media-type']);
    },
  );

  test('415: an upload that is neither JSON, CSV nor NDJSON is unsupported-media-type', async () => {
    const path = '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11/codes';
    for (const type of ['text/plain', 'application/octet-stream']) {
      const { status, body } = await api.call('POST', path, { body: 'A', headers: { 'content-type': type } });
      expect([status, body.kind]).toEqual([415, 'unsupported-media-type']);
    }
    expect((await api.call('POST', path)).status).toBe(415);
  });

  test('413: a body over the limit is body-too-large, whether it says its length or not', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(limits.bodyMaxBytes) });
    const { status, body: problem } = await api.call('POST', '/v1/books', { body });
    expect([status, problem.kind]).toEqual([413, 'body-too-large']);
    const chunked = await api.call('POST', '/v1/books', { body, headers: { 'content-length': '' } });
    expect(chunked.status).toBe(413);
  });

  test('a body at the limit is read, and assign-batch takes one that others refuse', async () => {
    const frame = JSON.stringify({ name: '' }).length;
    const full = await api.call('POST', '/v1/books', { body: { name: 'x'.repeat(limits.bodyMaxBytes - frame) } });
    expect(full.body.errors).toEqual([
      { path: '/name', message: `must have at most ${limits.bookNameMaxChars} characters` },
    ]);
    const userIds = Array.from({ length: limits.assignBatchMaxUsers }, (_, index) => `user-${index}`);
    const batch = await api.call('POST', '/v1/coupons/assign-batch', {
      body: { bookId: '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', userIds },
    });
    expect([batch.status, batch.body.kind]).toEqual([404, 'book-not-found']);
  });

  test('400: a path that is not percent-encoded UTF-8, or has NUL in it, is invalid-input', async () => {
    for (const path of ['/v1/coupons/%zz', '/v1/coupons/%ff', '/v1/coupons/a%00b', '/v1/users/%00/coupons']) {
      const { status, body } = await api.call('GET', path);
      expect([path, status, body.kind]).toEqual([path, 400, 'invalid-input']);
    }
  });

  test.each([
    ['POST', '/v1/books?status=active', { name: 'Asked' }],
    ['PATCH', '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11?status=paused', {}],
    ['DELETE', '/v1/books/0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11?force=true', undefined],
    ['POST', '/v1/coupons/BF26-0000/unlock?force=true', { userId: 'u-1', lockToken: '1' }],
    ['POST', '/v1/coupons/BF26-0000/void?reason=leaked', undefined],
    ['GET', '/v1/coupons/BF26-0000?userId=u-1', undefined],
  ])('400: a parameter that %s %s does not know is invalid-input', async (method, path, body) => {
    const answer = await api.call(method, path, { body });
    const name = path.split('?')[1]!.split('=')[0];
    expect([answer.status, answer.body.kind, answer.body.errors]).toEqual([
      400,
      'invalid-input',
      [{ path: name, message: 'is not a known parameter; remove it' }],
    ]);
  });

  test('a request id that is sane is kept, any other is replaced', async () => {
    const kept = await api.call('GET', '/health', { as: null, headers: { 'x-request-id': 'abc-123' } });
    expect(kept.headers['x-request-id']).toBe('abc-123');
    for (const id of ['a b', '{"x":1}', 'x'.repeat(200), '']) {
      const made = await api.call('GET', '/health', { as: null, headers: { 'x-request-id': id } });
      expect(made.headers['x-request-id']).toMatch(/^[A-Za-z0-9_-]{12}-\w+$/);
    }
  });

  test('every answer keeps browsers from storing, sniffing and framing it', async () => {
    for (const path of ['/health', '/v1/nothing', '/v1/books']) {
      expect((await api.call('GET', path)).headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
    }
  });

  test('every kind of problem has a page at its type', async () => {
    for (const kind of Object.keys(errorKinds)) {
      const { status, text } = await api.call('GET', `/problems/${kind}`, { as: null });
      expect([kind, status, text.includes(`<h1>${kind}</h1>`)]).toEqual([kind, 200, true]);
    }
    expect((await api.call('GET', '/problems/none-such', { as: null })).body.kind).toBe('not-found');
    expect((await api.call('GET', '/problems', { as: null })).text).toContain('/problems/code-locked');
  });

  test('no answer allows other origins where none is configured', async () => {
    const { headers } = await api.call('GET', '/v1/books', { headers: { origin: 'https://shop.example' } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });
});
