import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { eventKindNumber } from '../../core/coupons/rules/coupon-state.ts';
import { eventTypeNumbers, limits, subscribableTypes } from '../../core/index.ts';
import { type Answer, startTestApi, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('webhooks');
});
afterAll(() => api.close());

const good = { url: 'https://shop.example/hook', events: ['coupon.redeemed', 'book.low-stock'] };
const create = (body: object = good, key?: string) =>
  api.call('POST', '/v1/webhooks', { body, ...(key === undefined ? {} : { key }) });
const make = async () => `/v1/webhooks/${(await create()).body.id}`;
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);
const ago = (millis: number) => new Date(api.core.clock.now() - millis).toISOString();

describe('POST /v1/webhooks', () => {
  test('201: a webhook whose secret is shown once, and is nowhere in clear', async () => {
    const { status, body } = await create({ ...good, description: 'Till' });
    const { secret, ...rest } = body;
    expect([status, rest]).toEqual([
      201,
      {
        id: expect.any(String),
        ...good,
        description: 'Till',
        status: 'enabled',
        disabledReason: null,
        failingSince: null,
        replayMissed: null,
        createdAt: expect.any(String),
        updatedAt: expect.any(String),
      },
    ]);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect((await api.call('GET', `/v1/webhooks/${body.id}`)).body).toEqual(rest);
    expect((await api.call('GET', '/v1/webhooks')).text).not.toContain('whsec_');
    const hex = Buffer.from(secret.slice(6), 'base64').toString('hex');
    const { rows } = await api.core.pool.query('select s::text as text from webhook_secrets s');
    expect(JSON.stringify(rows)).not.toContain(hex);
  });

  test('201: a replay does not show the secret again, and the database does not keep it', async () => {
    const first = await create(good, 'hook-1');
    const again = await create(good, 'hook-1');
    const { secret, ...rest } = first.body;
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([201, 'true', rest]);
    const { rows } = await api.core.pool.query('select reply::text as text from idempotency');
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test.each([
    ['no url', { events: good.events }, ['/url']],
    ['plain http', { ...good, url: 'http://shop.example/' }, ['/url']],
    ['this machine', { ...good, url: 'https://127.0.0.1/' }, ['/url']],
    ['this machine as a number', { ...good, url: 'https://2130706433/' }, ['/url']],
    ['this machine in octal', { ...good, url: 'https://0177.0.0.1/' }, ['/url']],
    ['this machine, mapped', { ...good, url: 'https://[::ffff:127.0.0.1]/' }, ['/url']],
    ['this machine by NAT64', { ...good, url: 'https://[64:ff9b::7f00:1]/' }, ['/url']],
    ['the metadata of a cloud', { ...good, url: 'https://169.254.169.254/latest/' }, ['/url']],
    ['a password in it', { ...good, url: 'https://a:b@shop.example/' }, ['/url']],
    ['no events', { url: good.url, events: [] }, ['/events']],
    ['an unknown event', { url: good.url, events: ['coupon.exploded'] }, ['/events/0']],
    ['an event twice', { url: good.url, events: ['book.closed', 'book.closed'] }, ['/events']],
    ['the test, which nobody subscribes to', { url: good.url, events: ['webhook.test'] }, ['/events/0']],
    ['a secret of one’s own', { ...good, secret: 'whsec_mine' }, ['/secret']],
  ])('400: %s is invalid-input that names the field', async (_what, body, paths) => {
    const answer = await create(body);
    expect([answer.status, answer.body.kind, pathsOf(answer)]).toEqual([400, 'invalid-input', paths]);
  });
});

test('409: more webhooks than a tenant may have are a conflict, until one is deleted', async () => {
  const { body: list } = await api.call('GET', '/v1/webhooks?limit=1000');
  for (let count = list.data.length; count < limits.webhooksOfTenant; count += 1)
    expect((await create()).status).toBe(201);
  const { status, body } = await create();
  expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'too-many-webhooks']);
  const { body: full } = await api.call('GET', '/v1/webhooks?limit=1000');
  for (const { id } of full.data) await api.call('DELETE', `/v1/webhooks/${id}`);
  expect((await create()).status).toBe(201);
});

describe('PATCH and DELETE /v1/webhooks/{id}', () => {
  test('200: fields that are given change, others stay', async () => {
    const path = await make();
    const changed = await api.call('PATCH', path, { body: { events: ['job.finished'], status: 'disabled' } });
    expect(changed.body).toMatchObject({ url: good.url, events: ['job.finished'], status: 'disabled' });
    expect(changed.body.disabledReason).toBe('by-admin');
    const again = await api.call('PATCH', path, { body: { status: 'enabled', description: 'x' } });
    expect(again.body).toMatchObject({ status: 'enabled', disabledReason: null, description: 'x' });
    expect((await api.call('GET', path)).body).toEqual(again.body);
  });

  test('400: a new address is looked at like the first', async () => {
    const answer = await api.call('PATCH', await make(), { body: { url: 'https://10.0.0.1/' } });
    expect([answer.status, pathsOf(answer)]).toEqual([400, ['/url']]);
  });

  test('204: a deleted webhook is gone from everywhere', async () => {
    const path = await make();
    expect((await api.call('DELETE', path)).status).toBe(204);
    for (const [method, suffix] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/test'],
      ['POST', '/rotate'],
    ] as const) {
      expect([suffix, (await api.call(method, path + suffix)).body.kind]).toEqual([suffix, 'not-found']);
    }
    const list = await api.call('GET', '/v1/webhooks?limit=1000');
    expect(list.body.data.map(({ id }) => `/v1/webhooks/${id}`)).not.toContain(path);
  });

  test('404: an id that is none is not-found', async () => {
    for (const id of ['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'nonsense']) {
      for (const suffix of ['', '/deliveries']) {
        expect((await api.call('GET', `/v1/webhooks/${id}${suffix}`)).body.kind).toBe('not-found');
      }
    }
  });
});

describe('POST /v1/webhooks/{id}/rotate', () => {
  test('200: another secret, shown once; the webhook shows none', async () => {
    const path = await make();
    const first = await api.call('POST', `${path}/rotate`, { key: path });
    expect([first.status, first.body.secret]).toEqual([200, expect.stringMatching(/^whsec_/)]);
    expect((await api.call('POST', `${path}/rotate`, { key: path })).body.secret).toBeUndefined();
    expect((await api.call('GET', path)).text).not.toContain('whsec_');
  });

  test('409: more secrets than a header holds are a conflict', async () => {
    const path = await make();
    for (let round = 0; round < 4; round += 1) expect((await api.call('POST', `${path}/rotate`)).status).toBe(200);
    const { status, body } = await api.call('POST', `${path}/rotate`);
    expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'try-again']);
  });
});

describe('POST /v1/webhooks/{id}/test', () => {
  test('202: a delivery that waits, and is listed', async () => {
    const path = await make();
    const { status, body } = await api.call('POST', `${path}/test`);
    expect([status, body]).toEqual([
      202,
      expect.objectContaining({ type: 'webhook.test', status: 'pending', attempts: 0 }),
    ]);
    expect((await api.call('GET', `${path}/deliveries`)).body.data).toEqual([body]);
  });

  test('409: a disabled webhook is a conflict', async () => {
    const path = await make();
    await api.call('PATCH', path, { body: { status: 'disabled' } });
    const { status, body } = await api.call('POST', `${path}/test`);
    expect([status, body.reason]).toEqual([409, 'webhook-disabled']);
  });

  test('429: more tests than ten a minute are rate-limited', async () => {
    const path = await make();
    for (let round = 0; round < 10; round += 1) expect((await api.call('POST', `${path}/test`)).status).toBe(202);
    const { status, body } = await api.call('POST', `${path}/test`);
    expect([status, body.kind]).toEqual([429, 'rate-limited']);
  });
});

describe('POST /v1/webhooks/{id}/replay', () => {
  test('202: the span that is sent again', async () => {
    const span = { from: ago(60_000), to: ago(0) };
    const { status, body } = await api.call('POST', `${await make()}/replay`, { body: span });
    expect([status, body]).toEqual([202, span]);
  });

  test.each([
    ['no zone', { from: '2026-01-01T00:00:00', to: '2026-01-02T00:00:00Z' }, ['/from']],
    ['a day', { from: '2026-01-01T00:00:00Z', to: '2026-01-02' }, ['/to']],
    ['an empty span', { from: '2026-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' }, ['/to']],
    ['a span to come', { from: '2026-01-01T00:00:00Z', to: '2999-01-01T00:00:00Z' }, ['/to']],
    ['half a span', { from: '2026-01-01T00:00:00Z' }, ['/to']],
  ])('400: %s is invalid-input that names the field', async (_what, body, paths) => {
    const answer = await api.call('POST', `${await make()}/replay`, { body });
    expect([answer.status, pathsOf(answer)]).toEqual([400, paths]);
  });

  test('409: a month that is not in the database is a conflict that names it, and does not claim that it had events', async () => {
    const path = await make();
    await api.core.pool.query(`update tenants set created_at = '2025-01-15T00:00:00Z' where slug = 'default'`);
    const span = { from: '2025-01-01T00:00:00Z', to: '2025-03-01T00:00:00Z' };
    const { status, body } = await api.call('POST', `${path}/replay`, { body: span });
    expect([status, body.kind, body.reason]).toEqual([409, 'conflict', 'events-removed']);
    expect(body.detail).toMatch(/^No events of 2025-02 are in the database: if there were any, they have left it\./);
    const recent = { from: ago(1_000), to: ago(0) };
    expect((await api.call('POST', `${path}/replay`, { body: recent })).status).toBe(202);
    const before = { from: '2024-01-01T00:00:00Z', to: '2024-03-01T00:00:00Z' };
    expect((await api.call('POST', `${path}/replay`, { body: before })).status).toBe(202);
  });
});

describe('what a webhook may be told of', () => {
  test('is in the document with its headers and body, each type once', () => {
    const { webhooks } = api.document as unknown as { webhooks: Record<string, { post: { parameters: object[] } }> };
    expect(Object.keys(webhooks).toSorted()).toEqual([...subscribableTypes, 'webhook.test'].toSorted());
    for (const { post } of Object.values(webhooks)) expect(post.parameters).toHaveLength(3);
  });

  test('the numbers of coupons’ types are those of their events’ kinds', () => {
    for (const kind of ['assigned', 'locked', 'unlocked', 'redeemed', 'reversed', 'voided', 'transferred'] as const) {
      expect([kind, eventTypeNumbers[`coupon.${kind}`]]).toEqual([kind, eventKindNumber(kind)]);
    }
  });
});
