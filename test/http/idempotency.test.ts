import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Body, startTestApi, type TestApi } from './support.ts';

let api: TestApi;
let bookId: string;
let names = 0;

beforeAll(async () => {
  api = await startTestApi('idempotency_http');
  const { body } = await api.call('POST', '/v1/books', { body: { name: 'Keys', status: 'active' } });
  bookId = body.id;
  await generate(1_000, 'KEYS-########');
});
afterAll(() => api.close());

async function generate(count: number, pattern: string): Promise<string> {
  const { body } = await api.call('POST', `/v1/books/${bookId}/codes/generate`, { body: { count, pattern } });
  return body.deckId;
}

function uniqueName(): string {
  names += 1;
  return `n${names}`;
}

async function assigned(): Promise<Body> {
  return (await api.call('POST', '/v1/coupons/assign', { body: { bookId, userId: 'u-1' } })).body;
}

async function redeemed(): Promise<string> {
  const { code } = await assigned();
  const { body } = await api.call('POST', `/v1/coupons/${code}/redeem`, { body: { userId: 'u-1' } });
  return body.redemption.id;
}

async function freeCode(): Promise<string> {
  const code = `FREE-${uniqueName()}`;
  await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes: [code] } });
  return code.toUpperCase();
}

async function webhook(): Promise<string> {
  const made = { url: `https://shop.example/${uniqueName()}`, events: ['book.closed'] };
  return (await api.call('POST', '/v1/webhooks', { body: made })).body.id;
}

interface Request {
  path: string;
  body?: object;
}

/** Every route that takes a key, with a good request that has not been made yet. */
const requests: Record<string, () => Promise<Request>> = {
  'POST /v1/books': async () => ({ path: '/v1/books', body: { name: uniqueName() } }),
  'POST /v1/books/{bookId}/codes': async () => ({
    path: `/v1/books/${bookId}/codes`,
    body: { codes: [`UP-${uniqueName()}`] },
  }),
  'POST /v1/books/{bookId}/codes/generate': async () => ({
    path: `/v1/books/${bookId}/codes/generate`,
    body: { count: 3, pattern: 'MORE-########' },
  }),
  'POST /v1/books/{bookId}/decks/{deckId}/void': async () => ({
    path: `/v1/books/${bookId}/decks/${await generate(5, 'VOID-########')}/void`,
    body: { reason: 'leaked' },
  }),
  'POST /v1/coupons/assign': async () => ({ path: '/v1/coupons/assign', body: { bookId, userId: 'u-1' } }),
  'POST /v1/coupons/assign-batch': async () => ({
    path: '/v1/coupons/assign-batch',
    body: { bookId, userIds: ['u-1', 'u-2'] },
  }),
  'POST /v1/coupons/{code}/assign': async () => ({
    path: `/v1/coupons/${await freeCode()}/assign`,
    body: { userId: 'u-1' },
  }),
  'POST /v1/coupons/{code}/lock': async () => ({
    path: `/v1/coupons/${(await assigned()).code}/lock`,
    body: { userId: 'u-1' },
  }),
  'POST /v1/coupons/{code}/unlock': async () => {
    const { code } = await assigned();
    const { body } = await api.call('POST', `/v1/coupons/${code}/lock`, { body: { userId: 'u-1' } });
    return { path: `/v1/coupons/${code}/unlock`, body: { userId: 'u-1', lockToken: body.lockToken } };
  },
  'POST /v1/coupons/{code}/redeem': async () => ({
    path: `/v1/coupons/${(await assigned()).code}/redeem`,
    body: { userId: 'u-1' },
  }),
  'POST /v1/coupons/{code}/transfer': async () => ({
    path: `/v1/coupons/${(await assigned()).code}/transfer`,
    body: { userId: 'u-2', reason: 'a present' },
  }),
  'POST /v1/coupons/{code}/void': async () => ({ path: `/v1/coupons/${(await assigned()).code}/void` }),
  'POST /v1/redemptions/{redemptionId}/reverse': async () => ({ path: `/v1/redemptions/${await redeemed()}/reverse` }),
  'POST /v1/jobs': async () => {
    const { body } = await api.call('POST', '/v1/books', { body: { name: uniqueName() } });
    return { path: `/v1/jobs?kind=export-codes&bookId=${body.id}` };
  },
  'POST /v1/jobs/{jobId}/cancel': async () => {
    const { body } = await api.call('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
    return { path: `/v1/jobs/${body.id}/cancel` };
  },
  'POST /v1/webhooks': async () => ({
    path: '/v1/webhooks',
    body: { url: `https://shop.example/${uniqueName()}`, events: ['book.closed'] },
  }),
  'POST /v1/webhooks/{id}/rotate': async () => ({ path: `/v1/webhooks/${await webhook()}/rotate` }),
  'POST /v1/webhooks/{id}/test': async () => ({ path: `/v1/webhooks/${await webhook()}/test` }),
  'POST /v1/webhooks/{id}/replay': async () => {
    const to = new Date(api.core.clock.now());
    const from = new Date(to.getTime() - 1_000);
    return { path: `/v1/webhooks/${await webhook()}/replay`, body: { from: from.toISOString(), to: to.toISOString() } };
  },
  'POST /v1/api-keys': async () => ({ path: '/v1/api-keys', body: { name: uniqueName(), role: 'redeemer' } }),
  'POST /v1/tenants': async () => ({ path: '/v1/tenants', body: { slug: uniqueName(), name: 'A tenant' } }),
};

const replayedOf = (answer: { headers: Record<string, unknown> }) => answer.headers['idempotency-replayed'];

/** A secret is shown once. */
function withoutSecrets(body: object): unknown {
  return JSON.parse(JSON.stringify(body, (name, value: unknown) => (name === 'secret' ? undefined : value)));
}

test('the requests are those of every route that takes a key', () => {
  const taking = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const { parameters = [] } = operation as { parameters?: { name: string }[] };
      const isTaking = parameters.some(({ name }) => name === 'Idempotency-Key');
      return isTaking ? [`${method.toUpperCase()} ${path}`] : [];
    }),
  );
  expect(taking.toSorted()).toEqual(Object.keys(requests).toSorted());
});

describe.each(Object.entries(requests))('%s', (_name, makeReady) => {
  test('repeated with its key has one effect, and its first status and body', async () => {
    const { path, body } = await makeReady();
    const key = uniqueName();
    const first = await api.call('POST', path, { body, key });
    expect([first.status < 300, replayedOf(first)]).toEqual([true, undefined]);
    const again = await api.call('POST', path, { body, key });
    expect([again.status, again.body, replayedOf(again)]).toEqual([first.status, withoutSecrets(first.body), 'true']);
  });

  test('under a key that another route has used is refused', async () => {
    const key = uniqueName();
    await api.call('POST', '/v1/books', { body: { name: 'Before' }, key });
    const { path, body = {} } = await makeReady();
    const { status, body: problem } = await api.call('POST', path, { body, key });
    expect([status, problem.kind]).toEqual([422, 'idempotency-key-reused']);
  });

  test('keeps its key under the name that other versions look for', async () => {
    const { path, body = {} } = await makeReady();
    const key = uniqueName();
    await api.call('POST', path, { body, key });
    const { rows } = await api.core.pool.query<{ fingerprint: number }>(
      `select fingerprint from idempotency where replace(key_hash::text, '-', '') = $1`,
      [hash('sha256', `tenant\n${key}`).slice(0, 32)],
    );
    expect(rows).toEqual([{ fingerprint: storedFingerprint(path, body) }]);
  });
});

const addressed = Object.entries(requests).filter(([name]) =>
  ['/v1/books', '/v1/webhooks', '/v1/jobs', '/v1/coupons/assign', '/v1/coupons/{code}/assign'].includes(
    name.replace('POST ', ''),
  ),
);
test.each(addressed)('%s says in Location where what it made is, and says it again', async (_name, makeReady) => {
  const { path, body } = await makeReady();
  const key = uniqueName();
  const made = await api.call('POST', path, { body, key });
  const again = await api.call('POST', path, { body, key });
  const read = await api.call('GET', String(made.headers.location));
  expect([read.status, read.body]).toEqual([200, withoutSecrets(made.body)]);
  expect(again.headers.location).toBe(made.headers.location);
});

/** A hash of path and body, which two versions that run side by side compute alike, and so must never change. */
function storedFingerprint(path: string, body: object): number {
  if (path.startsWith('/v1/jobs?')) {
    const parameters = [...new URLSearchParams(path.split('?')[1])].toSorted(([a], [b]) => (a < b ? -1 : 1));
    return fingerprintOf(`/jobs ${JSON.stringify(parameters)}\n""`);
  }
  const isUpload = /\/books\/[^/]+\/codes$/.test(path);
  const sorted = Object.fromEntries(Object.entries(body).toSorted());
  const name = isUpload
    ? `${path.replace('/v1', '')}\n"json ${hash('sha256', JSON.stringify(body))}"`
    : `${path.replace('/v1/', '')}\n${JSON.stringify(sorted)}`;
  return fingerprintOf(name);
}

function fingerprintOf(name: string): number {
  return Number.parseInt(hash('sha256', name).slice(0, 12), 16);
}

test.each(['{code}', '{redemptionId}', '{bookId}', '{deckId}', '{jobId}'])(
  'a request is the same one however %s is written in its path',
  async (parameter) => {
    const known = Object.entries(requests).filter(([name]) => name.includes(parameter));
    expect(known.length).toBeGreaterThan(0);
    for (const [name, makeReady] of known) {
      const { path, body } = await makeReady();
      const at = name.split(' ')[1]!.split('/').indexOf(parameter);
      const spelled = path
        .split('/')
        .with(at, otherSpelling(parameter, path.split('/')[at]!))
        .join('/');
      const key = uniqueName();
      const first = await api.call('POST', path, { body, key });
      const again = await api.call('POST', spelled, { body, key });
      expect([name, again.body, replayedOf(again)]).toEqual([name, first.body, 'true']);
    }
  },
);

/** An id in the other case; a code as people copy it. */
function otherSpelling(parameter: string, text: string): string {
  return parameter === '{code}' ? encodeURIComponent(` ${text.toLowerCase()}\n`) : text.toUpperCase();
}
