import { describe, expect, test } from '@jest/globals';
import Fastify, { type RouteOptions } from 'fastify';
import { guard } from '../../containers/api/auth/guard.ts';
import { jsonBodies } from '../../containers/api/body/json-body.ts';
import { routes } from '../../containers/api/routes/api.ts';
import { guessThrottle } from '../../containers/api/rules/guess-throttle.ts';
import { idempotencyKeys } from '../../containers/api/rules/idempotency-keys.ts';
import { type Caller, type Core, CouponError, refuse } from '../../core/index.ts';

const caller: Caller = { tenantId: 1, role: 'operator', actor: 'key:1', customerId: null };

/** What the throttle was told: for whom each code was looked up, and what came of it. */
let told: string[] = [];
const end = (what: string) => async () => void told.push(what);
const core = {
  throttle: {
    beginLookup: (_caller: Caller, _address: string, userId: string | null, code: string) => {
      told.push(`${code} for ${userId}`);
      return { onlyIfHeld: null, found: end('found'), notFound: end('not found'), unknown: end('unknown') };
    },
  },
} as unknown as Core;

async function build(route: Partial<RouteOptions> & Pick<RouteOptions, 'method' | 'url'>) {
  told = [];
  const app = Fastify();
  await app.register(guard, {
    authenticate: () => caller,
    checkRate: null,
    queueAgeMillis: () => 0,
    publicPrefixes: [],
  });
  await app.register(guessThrottle, { core });
  await app.register(idempotencyKeys);
  app.setErrorHandler((error, _request, reply) => {
    reply.code(error instanceof CouponError ? 400 : 500).send({ error: String(error) });
  });
  app.route({ handler: async () => ({}), ...route, config: { roles: ['operator'], ...route.config } });
  await app.ready();
  return app;
}

describe('a key', () => {
  test('a POST that does not say whether it takes one stops the start', async () => {
    await expect(build({ method: 'POST', url: '/v1/things' })).rejects.toThrow(
      'POST /v1/things does not say whether it is idempotent',
    );
    await build({ method: 'POST', url: '/v1/things', config: { idempotent: false } });
  });

  test('a route that takes one and has a parameter without one spelling stops the start', async () => {
    const config = { idempotent: true };
    await expect(build({ method: 'POST', url: '/v1/things/:thing', config })).rejects.toThrow(
      'POST /v1/things/:thing has :thing, which has no one spelling',
    );
  });

  test('names the request: by its path in one spelling, whatever the API’s base, and by its body', async () => {
    const named: unknown[] = [];
    const app = await build({
      method: 'POST',
      url: '/v1/coupons/:code/books/:bookId/users/:userId',
      config: { idempotent: true, looksUpCode: 'for-nobody' },
      handler: async ({ keyed }) => {
        named.push(keyed?.fingerprint ?? null);
        return { body: {}, replayed: false };
      },
    });
    const send = (path: string, body: object, key: string | null = 'k') =>
      app.inject({
        method: 'POST',
        url: `/v1/coupons/${path}`,
        headers: key === null ? {} : { 'idempotency-key': key },
        payload: body,
      });
    await send('ABC-1234/books/ab-1/users/Ann', { a: 1, b: 2 });
    await send('%20abc%E2%80%931234/books/AB-1/users/Ann', { b: 2, a: 1 });
    await send('ABC-1234/books/ab-1/users/ann', { a: 1, b: 2 });
    await send('ABC-1234/books/ab-1/users/Ann', { a: 1, b: 3 });
    await send('ABC-1234/books/ab-1/users/Ann', { a: 1, b: 2 }, null);
    const [first] = named;
    expect(named).toEqual([first, first, expect.any(Number), expect.any(Number), null]);
    expect(new Set(named.slice(1, 4)).size).toBe(3);
  });

  test('its route answers with the outcome’s body, the one success that its schema names, and whether it is a replay', async () => {
    let replayed = false;
    const app = await build({
      method: 'POST',
      url: '/v1/things',
      config: { idempotent: true },
      schema: { response: { 201: { type: 'object', properties: { id: { type: 'integer' } } } } },
      handler: async () => ({ body: { id: 1 }, replayed }),
    });
    const first = await app.inject({ method: 'POST', url: '/v1/things' });
    expect([first.statusCode, first.json(), first.headers['idempotency-replayed']]).toEqual([
      201,
      { id: 1 },
      undefined,
    ]);
    replayed = true;
    const again = await app.inject({ method: 'POST', url: '/v1/things' });
    expect([again.statusCode, again.json(), again.headers['idempotency-replayed']]).toEqual([201, { id: 1 }, 'true']);
  });

  test('a route that takes one and gives no outcome answers nothing', async () => {
    const app = await build({ method: 'POST', url: '/v1/things', config: { idempotent: true } });
    const answer = await app.inject({ method: 'POST', url: '/v1/things' });
    expect(answer.statusCode).toBe(500);
    expect(answer.json().error).toContain('POST /v1/things is idempotent, and its handler returned no Outcome');
  });
});

describe('a code in a path', () => {
  test('a route that does not say for whom it looks it up stops the start', async () => {
    for (const url of ['/v1/coupons/:code', '/v1/coupons/:code/things']) {
      await expect(build({ method: 'GET', url })).rejects.toThrow(
        `GET ${url} does not say for whom it looks up its :code`,
      );
    }
    await build({ method: 'GET', url: '/v1/coupons/codes/:codeword' });
  });

  test('a route without one that says it looks one up stops the start', async () => {
    const config = { looksUpCode: 'for-nobody' } as const;
    await expect(build({ method: 'GET', url: '/v1/things', config })).rejects.toThrow('looks up a code without :code');
  });

  test.each([
    ['a coupon', async () => ({}), 'found'],
    ['nothing', async () => Promise.reject(refuse('coupon-not-found', 'None.')), 'not found'],
    ['a refusal about a coupon', async () => Promise.reject(refuse('coupon-void', 'Void.', { rev: 2 })), 'found'],
    ['another refusal', async () => Promise.reject(refuse('book-not-active', 'Paused.')), 'unknown'],
    ['a fault', async () => Promise.reject(new Error('broken')), 'unknown'],
  ])('its look-up is counted once, by HEAD as by GET, where it comes to %s', async (_what, handler, outcome) => {
    const config = { looksUpCode: 'for-nobody' } as const;
    const app = await build({ method: 'GET', url: '/v1/coupons/:code', config, handler });
    for (const method of ['GET', 'HEAD'] as const) await app.inject({ method, url: '/v1/coupons/ABC-1' });
    expect(told).toEqual(['ABC-1 for null', outcome, 'ABC-1 for null', outcome]);
  });

  test('it is looked up for the user whom the body names, where the route says so', async () => {
    const config = { idempotent: false, looksUpCode: 'for-user' } as const;
    const app = await build({ method: 'POST', url: '/v1/coupons/:code/try', config });
    await app.inject({ method: 'POST', url: '/v1/coupons/ABC-1/try', payload: { userId: 'u-1' } });
    expect(told).toEqual(['ABC-1 for u-1', 'found']);
  });
});

test('a route with a smaller limit of its body than everyone’s, which would not be kept, stops the start', async () => {
  const app = Fastify();
  await app.register(jsonBodies);
  const add = (bodyLimit: number) => () => app.post('/v1/things', { bodyLimit }, async () => ({}));
  expect(add(100)).toThrow('POST /v1/things has a bodyLimit below everyone');
  expect(add(10_000_000)).not.toThrow();
});

test('routes that load before what enforces their rules stop the start', async () => {
  const app = Fastify();
  app
    .decorate('core', core)
    .decorate('metrics', {} as never)
    .decorate('health', {} as never)
    .decorate('drain', {} as never);
  const late = routes('late-routes', (api) => {
    api.get('/v1/late', { config: { roles: 'public' } }, async () => ({}) as never);
  });
  await expect(app.register(late)).rejects.toThrow(/dependency '[a-z-]+' of plugin 'late-routes' is not registered/);
});
