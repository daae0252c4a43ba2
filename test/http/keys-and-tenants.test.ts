import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Answer, type Body, type CallOptions, rootKey, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('keys');
});
afterAll(() => api.close());

const create = (body: unknown, options: CallOptions = {}) => api.call('POST', '/v1/api-keys', { body, ...options });
const makeTenant = (body: unknown, options: CallOptions = {}) => api.call('POST', '/v1/tenants', { body, ...options });
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);

describe('POST /v1/api-keys', () => {
  test('201: a key whose secret is shown once and works at once', async () => {
    const { status, body } = await create({ name: 'Till', role: 'operator' });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      name: 'Till',
      role: 'operator',
      expiresAt: null,
      createdAt: expect.any(String),
      secret: expect.stringMatching(/^qk_/),
    });
    expect((await api.call('GET', '/v1/books', { as: body.secret })).status).toBe(200);
    expect((await api.call('GET', '/v1/api-keys', { as: body.secret })).body.kind).toBe('forbidden');
  });

  test('201: a replay does not show the secret again', async () => {
    const first = await create({ name: 'Once', role: 'redeemer' }, { key: 'key-1' });
    const again = await create({ name: 'Once', role: 'redeemer' }, { key: 'key-1' });
    const { secret, ...rest } = first.body;
    expect(secret).toMatch(/^qk_/);
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([201, 'true', rest]);
  });

  test('401: a key that has expired is unauthenticated', async () => {
    const expiresAt = new Date(api.core.clock.now() + 3_600_000).toISOString();
    const [long, short] = [
      (await create({ name: 'Long', role: 'operator', expiresAt })).body,
      (await create({ name: 'Short', role: 'operator', expiresAt })).body,
    ];
    expect([long.expiresAt, short.expiresAt]).toEqual([expiresAt, expiresAt]);
    const ask = async ({ secret }: Body) => (await api.call('GET', '/v1/books', { as: secret })).status;
    await api.core.pool.query(
      `update api_keys set expires_at = clock_timestamp() + interval '1.5 seconds' where id = $1`,
      [short.id],
    );
    // Remembers the key, which is good for some time yet unless this machine was stalled.
    await ask(short);
    await sleep(1_700);
    expect([await ask(long), await ask(short)]).toEqual([200, 401]);
  });

  test.each([
    ['no name', { role: 'admin' }, ['/name']],
    ['no role', { name: 'x' }, ['/role']],
    ['the role root', { name: 'x', role: 'root' }, ['/role']],
    ['the role customer', { name: 'x', role: 'customer' }, ['/role']],
    ['a time in the past', { name: 'x', role: 'admin', expiresAt: '2020-01-01T00:00:00Z' }, ['/expiresAt']],
    ['a time that is none', { name: 'x', role: 'admin', expiresAt: 'tomorrow' }, ['/expiresAt']],
    ['a secret of one’s own', { name: 'x', role: 'admin', secret: 'qk_mine' }, ['/secret']],
  ])('400: %s is invalid-input that names the field', async (_what, body, paths) => {
    const answer = await create(body);
    expect([answer.status, answer.body.kind, pathsOf(answer)]).toEqual([400, 'invalid-input', paths]);
  });
});

describe('GET /v1/api-keys and DELETE /v1/api-keys/{id}', () => {
  test('200: keys are listed without secrets', async () => {
    const { body } = await create({ name: 'Listed', role: 'admin' });
    const list = await api.call('GET', '/v1/api-keys?limit=1000');
    expect(list.body.data.map(({ id }) => id)).toContain(body.id);
    expect(list.text).not.toContain('qk_');
    expect(list.text).not.toContain('secret');
  });

  test('204: a revoked key stops working within 5 seconds, here at once, and a repeat is no error', async () => {
    const { body } = await create({ name: 'Revoked', role: 'operator' });
    expect((await api.call('GET', '/v1/books', { as: body.secret })).status).toBe(200);
    for (let round = 0; round < 2; round += 1) {
      const { status, text } = await api.call('DELETE', `/v1/api-keys/${body.id}`);
      expect([status, text]).toEqual([204, '']);
    }
    expect((await api.call('GET', '/v1/books', { as: body.secret })).status).toBe(401);
  });

  test('404: a key that does not exist is not-found', async () => {
    for (const id of ['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'nonsense']) {
      const { status, body } = await api.call('DELETE', `/v1/api-keys/${id}`);
      expect([status, body.kind]).toEqual([404, 'not-found']);
    }
  });
});

describe('POST /v1/tenants', () => {
  test('201: a tenant with its first admin key, which acts in it alone', async () => {
    const { status, body } = await makeTenant({ slug: 'acme', name: 'Acme' }, { key: 'tenant-1' });
    expect(status).toBe(201);
    expect(body).toMatchObject({ id: expect.any(String), slug: 'acme', name: 'Acme', adminKey: { role: 'admin' } });
    const as = body.adminKey.secret;
    expect((await api.call('POST', '/v1/books', { body: { name: 'Acme’s' }, as })).status).toBe(201);
    expect((await api.call('GET', '/v1/books', { as })).body.data).toHaveLength(1);
    expect((await api.call('GET', '/v1/books', { as: rootKey })).body.data).toEqual([]);
    expect((await makeTenant({ slug: 'second', name: 'x' }, { as })).body.kind).toBe('forbidden');
    const replay = await makeTenant({ slug: 'acme', name: 'Acme' }, { key: 'tenant-1' });
    expect(replay.headers['idempotency-replayed']).toBe('true');
    expect(replay.text).not.toContain('qk_');
    expect((await api.call('GET', '/v1/books', { as: tokenOf('admin', 'a', 'acme') })).body.data).toHaveLength(1);
  });

  test('409: a slug that is taken is a conflict', async () => {
    await makeTenant({ slug: 'taken', name: 'x' });
    for (const slug of ['taken', 'default']) {
      const { status, body } = await makeTenant({ slug, name: 'y' });
      expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'slug-taken']);
    }
  });

  test.each(['', 'Acme', 'a b', 'ä', 'x'.repeat(64), 'a/b'])('400: the slug %j is invalid-input', async (slug) => {
    expect(pathsOf(await makeTenant({ slug, name: 'x' }))).toEqual(['/slug']);
  });
});
