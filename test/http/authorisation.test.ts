import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Body, type CallOptions, rootKey, signJwt, startTestApi, type TestApi, tokenOf } from './support.ts';

type RoleName = 'root' | 'admin' | 'operator' | 'redeemer' | 'customer';
const everyRole: RoleName[] = ['root', 'admin', 'operator', 'redeemer', 'customer'];
const admins: RoleName[] = ['root', 'admin'];
const operators: RoleName[] = [...admins, 'operator'];

/** Something to call: a path and a body, both good, with things of their own in the first tenant. */
interface Target {
  path: string;
  body?: object;
}

/** A route with who may call it. */
interface Row {
  roles: RoleName[];
  /** Makes what the route needs, held by the customer `customer-1`. */
  target(world: World): Promise<Target> | Target;
  /** What a caller of another tenant is told, where the route names something of the first one. */
  elsewhere?: string;
  /** What a customer with another `sub` is told, where customers may call it at all. */
  otherUser?: string;
}

/** The first tenant, with a book that everyone may claim from. */
interface World {
  bookId: string;
  deckId: string;
  assign(): Promise<Body>;
}

/**
 * The customer whom the things belong to. A test that fails to find codes takes one of its own: failures are counted.
 */
let userId = 'customer-1';
let customers = 1;
const couponUsers: RoleName[] = everyRole;

const table: Record<string, Row> = {
  'POST /v1/books': { roles: admins, target: () => ({ path: '/v1/books', body: { name: 'Another' } }) },
  'GET /v1/books': { roles: operators, target: () => ({ path: '/v1/books' }) },
  'GET /v1/books/:bookId': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}` }),
    elsewhere: 'book-not-found',
  },
  'PATCH /v1/books/:bookId': {
    roles: admins,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}`, body: { description: 'Changed' } }),
    elsewhere: 'book-not-found',
  },
  'DELETE /v1/books/:bookId': {
    roles: admins,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}` }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/books/:bookId/counts': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/counts` }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/books/:bookId/report': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/report?step=day` }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/books/:bookId/revisions': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/revisions` }),
    elsewhere: 'book-not-found',
  },
  'POST /v1/books/:bookId/codes/generate': {
    roles: operators,
    target: ({ bookId }) => ({
      path: `/v1/books/${bookId}/codes/generate`,
      body: { count: 1, pattern: 'MORE-########' },
    }),
    elsewhere: 'book-not-found',
  },
  'POST /v1/books/:bookId/codes': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/codes`, body: { codes: ['UPLOADED-1'] } }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/books/:bookId/codes': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/codes` }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/codes/:code': {
    roles: [...operators, 'redeemer'],
    target: async ({ assign }) => ({ path: `/v1/codes/${(await assign()).code}` }),
    elsewhere: 'coupon-not-found',
  },
  'GET /v1/codes/:code/alike': {
    roles: [...operators, 'redeemer'],
    target: async ({ assign }) => ({ path: `/v1/codes/${(await assign()).code}/alike` }),
    elsewhere: 'coupon-not-found',
  },
  'GET /v1/books/:bookId/decks': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/books/${bookId}/decks` }),
    elsewhere: 'book-not-found',
  },
  'POST /v1/books/:bookId/decks/:deckId/void': {
    roles: operators,
    target: ({ bookId, deckId }) => ({
      path: `/v1/books/${bookId}/decks/${deckId}/void`,
      body: { reason: 'leaked' },
    }),
    elsewhere: 'book-not-found',
  },
  'POST /v1/coupons/assign': {
    roles: [...operators, 'customer'],
    target: ({ bookId }) => ({ path: '/v1/coupons/assign', body: { bookId, userId } }),
    elsewhere: 'book-not-found',
    otherUser: 'forbidden',
  },
  'POST /v1/coupons/assign-batch': {
    roles: operators,
    target: ({ bookId }) => ({ path: '/v1/coupons/assign-batch', body: { bookId, userIds: [userId] } }),
    elsewhere: 'book-not-found',
  },
  'POST /v1/coupons/:code/assign': {
    roles: operators,
    target: couponTarget('/assign', () => ({ userId })),
    elsewhere: 'coupon-not-found',
  },
  'POST /v1/coupons/:code/validate': {
    roles: couponUsers,
    target: couponTarget('/validate', () => ({ userId })),
    elsewhere: 'coupon-not-found',
    otherUser: 'forbidden',
  },
  'POST /v1/coupons/:code/lock': {
    roles: couponUsers,
    target: couponTarget('/lock', () => ({ userId })),
    elsewhere: 'coupon-not-found',
    otherUser: 'forbidden',
  },
  'POST /v1/coupons/:code/unlock': {
    roles: couponUsers,
    target: couponTarget('/unlock', () => ({ userId, lockToken: '1' })),
    elsewhere: 'coupon-not-found',
    otherUser: 'forbidden',
  },
  'POST /v1/coupons/:code/redeem': {
    roles: couponUsers,
    target: couponTarget('/redeem', () => ({ userId })),
    elsewhere: 'coupon-not-found',
    otherUser: 'forbidden',
  },
  'POST /v1/coupons/:code/transfer': {
    roles: operators,
    target: couponTarget('/transfer', () => ({ userId: 'another-1' })),
    elsewhere: 'coupon-not-found',
  },
  'POST /v1/coupons/:code/void': {
    roles: operators,
    target: couponTarget('/void', () => ({})),
    elsewhere: 'coupon-not-found',
  },
  'GET /v1/coupons/:code': {
    roles: couponUsers,
    target: couponTarget(''),
    elsewhere: 'coupon-not-found',
    otherUser: 'coupon-not-found',
  },
  'GET /v1/coupons/:code/events': {
    roles: operators,
    target: couponTarget('/events'),
    elsewhere: 'coupon-not-found',
  },
  'GET /v1/redemptions': { roles: operators, target: () => ({ path: '/v1/redemptions' }) },
  'POST /v1/redemptions/:redemptionId/reverse': {
    roles: operators,
    target: async (world) => {
      const { code } = await world.assign();
      const { body } = await api.call('POST', `/v1/coupons/${code}/redeem`, { body: { userId } });
      return { path: `/v1/redemptions/${body.redemption.id}/reverse` };
    },
    elsewhere: 'redemption-not-found',
  },
  'POST /v1/jobs': {
    roles: operators,
    target: ({ bookId }) => ({ path: `/v1/jobs?kind=export-codes&bookId=${bookId}` }),
    elsewhere: 'book-not-found',
  },
  'GET /v1/jobs': { roles: operators, target: () => ({ path: '/v1/jobs' }) },
  'GET /v1/jobs/:jobId': { roles: operators, target: jobTarget(''), elsewhere: 'not-found' },
  'POST /v1/jobs/:jobId/cancel': { roles: operators, target: jobTarget('/cancel'), elsewhere: 'not-found' },
  'GET /v1/jobs/:jobId/result': { roles: operators, target: jobTarget('/result'), elsewhere: 'not-found' },
  'GET /v1/users/:userId/coupons': {
    roles: [...operators, 'customer'],
    target: () => ({ path: `/v1/users/${userId}/coupons` }),
    otherUser: 'forbidden',
  },
  'DELETE /v1/users/:userId': { roles: admins, target: () => ({ path: '/v1/users/somebody-else' }) },
  'POST /v1/webhooks': {
    roles: operators,
    target: () => ({ path: '/v1/webhooks', body: { url: 'https://shop.example/hook', events: ['coupon.redeemed'] } }),
  },
  'GET /v1/webhooks': { roles: operators, target: () => ({ path: '/v1/webhooks' }) },
  'GET /v1/webhooks/:id': webhookRow(''),
  'PATCH /v1/webhooks/:id': webhookRow('', { description: 'Changed' }),
  'DELETE /v1/webhooks/:id': webhookRow(''),
  'POST /v1/webhooks/:id/rotate': webhookRow('/rotate'),
  'POST /v1/webhooks/:id/test': webhookRow('/test'),
  'POST /v1/webhooks/:id/replay': webhookRow('/replay', { from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' }),
  'GET /v1/webhooks/:id/deliveries': webhookRow('/deliveries'),
  'POST /v1/api-keys': {
    roles: admins,
    target: () => ({ path: '/v1/api-keys', body: { name: 'A key', role: 'redeemer' } }),
  },
  'GET /v1/api-keys': { roles: admins, target: () => ({ path: '/v1/api-keys' }) },
  'DELETE /v1/api-keys/:id': {
    roles: admins,
    target: async () => {
      const { body } = await api.call('POST', '/v1/api-keys', { body: { name: 'To be revoked', role: 'redeemer' } });
      return { path: `/v1/api-keys/${body.id}` };
    },
    elsewhere: 'not-found',
  },
  'POST /v1/tenants': {
    roles: ['root'],
    target: () => {
      slugs += 1;
      return { path: '/v1/tenants', body: { slug: `tenant-${slugs}`, name: 'A tenant' } };
    },
  },
  'GET /metrics': { roles: admins, target: () => ({ path: '/metrics' }) },
};

let slugs = 0;
let api: TestApi;
let world: World;

/** A job that has ended. */
function jobTarget(suffix: string): Row['target'] {
  return async ({ bookId }) => {
    const { body } = await api.call('POST', `/v1/jobs?kind=export-codes&bookId=${bookId}`);
    await api.call('POST', `/v1/jobs/${body.id}/cancel`);
    return { path: `/v1/jobs/${body.id}${suffix}` };
  };
}

function couponTarget(suffix: string, body?: () => object): Row['target'] {
  return async ({ assign }) => {
    const { code } = await assign();
    return { path: `/v1/coupons/${code}${suffix}`, ...(body === undefined ? {} : { body: body() }) };
  };
}

/** A webhook of its own, deleted before the next one is made: a tenant has a limited number. */
function webhookRow(suffix: string, body?: object): Row {
  return {
    roles: operators,
    target: async () => {
      const { body: list } = await api.call('GET', '/v1/webhooks?limit=1000');
      for (const { id } of list.data) await api.call('DELETE', `/v1/webhooks/${id}`);
      const webhook = { url: 'https://shop.example/hook', events: ['coupon.redeemed'] };
      const made = await api.call('POST', '/v1/webhooks', { body: webhook });
      return { path: `/v1/webhooks/${made.body.id}${suffix}`, ...(body === undefined ? {} : { body }) };
    },
    elsewhere: 'not-found',
  };
}

async function send(name: string, target: Target, options: CallOptions) {
  return api.call(name.split(' ')[0]!, target.path, { ...options, ...(target.body && { body: target.body }) });
}

beforeAll(async () => {
  api = await startTestApi('authorisation');
  const book = await api.call('POST', '/v1/books', { body: { name: 'Open', status: 'active', selfService: true } });
  const path = `/v1/books/${book.body.id}/codes/generate`;
  const deck = await api.call('POST', path, { body: { count: 100_000, pattern: 'OPEN-########' } });
  const spare = await api.call('POST', path, { body: { count: 10, pattern: 'SPARE-########' } });
  expect(deck.status).toBe(201);
  world = {
    bookId: book.body.id,
    deckId: spare.body.deckId,
    assign: async () => {
      const { body } = await api.call('POST', '/v1/coupons/assign', { body: { bookId: book.body.id, userId } });
      return body;
    },
  };
  expect((await api.call('POST', '/v1/tenants', { body: { slug: 'other', name: 'Other' } })).status).toBe(201);
});
afterAll(() => api.close());

const rows = Object.entries(table);

test('the table has every route, and the routes have the table’s roles', () => {
  const served = Object.entries(api.document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const roles = (operation as { 'x-roles'?: string[] })['x-roles'];
      const name = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
      return roles === undefined ? [] : [[name, roles.toSorted()] as const];
    }),
  );
  const wanted = rows.map(([name, { roles }]) => [name, roles.toSorted()] as const);
  expect(Object.fromEntries(served)).toEqual(Object.fromEntries(wanted));
});

describe('who may', () => {
  test.each(rows)('%s: the roles of the table may, and every other is forbidden', async (name, row) => {
    for (const role of everyRole) {
      const as = role === 'root' ? rootKey : tokenOf(role, role === 'customer' ? userId : `${role}-1`);
      const { status, body } = await send(name, await row.target(world), { as });
      if (row.roles.includes(role))
        expect([role, [401, 403, 404].includes(status), status < 500]).toEqual([role, false, true]);
      else expect([role, status, body.kind]).toEqual([role, 403, 'forbidden']);
    }
  });

  test.each(rows)('%s: without a good token it is unauthenticated', async (name, row) => {
    const target = await row.target(world);
    const expired = signJwt({ sub: 'x', role: 'admin', tenant: 'default', exp: 1 });
    for (const as of [null, 'nonsense', 'qk_1_nonsense', expired, tokenOf('root'), tokenOf('admin', 'x', 'no-such')]) {
      const { status, body } = await send(name, target, { as });
      expect([status, body.kind]).toEqual([401, 'unauthenticated']);
    }
  });

  test.each(rows.filter(([, { elsewhere }]) => elsewhere !== undefined))(
    '%s: for every role of another tenant the thing does not exist',
    async (name, row) => {
      customers += 1;
      userId = `customer-${customers}`;
      const target = await row.target(world);
      for (const role of row.roles.filter((other) => other !== 'root')) {
        const { status, body } = await send(name, target, { as: tokenOf(role, userId, 'other') });
        expect([role, status, body.kind]).toEqual([role, 404, row.elsewhere]);
      }
    },
  );

  test.each(rows.filter(([, { roles }]) => roles.includes('customer')))(
    '%s: a customer reaches its own things only',
    async (name, row) => {
      expect(row.otherUser).toBeDefined();
      const { status, body } = await send(name, await row.target(world), { as: tokenOf('customer', `not-${userId}`) });
      expect([status, body.kind]).toEqual([row.otherUser === 'forbidden' ? 403 : 404, row.otherUser]);
    },
  );

  test('lists of another tenant are empty', async () => {
    const as = tokenOf('admin', 'admin-1', 'other');
    await world.assign();
    for (const path of ['/v1/books', '/v1/redemptions', '/v1/jobs', '/v1/webhooks', `/v1/users/${userId}/coupons`]) {
      expect((await api.call('GET', path, { as })).body).toEqual({ data: [], nextCursor: null });
    }
    const keys = await api.call('GET', '/v1/api-keys', { as });
    expect(keys.body.data.map((key) => key.name)).toEqual(['First admin key']);
  });
});

describe('which refusal comes first', () => {
  const good = { name: 'Good' };
  test('unauthenticated before forbidden, body errors, content type and size', async () => {
    for (const body of [good, '{', { name: 7 }, 'x'.repeat(100_000)]) {
      expect((await api.call('POST', '/v1/books', { as: null, body })).body.kind).toBe('unauthenticated');
    }
    const headers = { 'content-type': 'text/plain' };
    expect((await api.call('POST', '/v1/books', { as: null, body: 'x', headers })).body.kind).toBe('unauthenticated');
  });

  test('forbidden before invalid-input and everything else', async () => {
    const as = tokenOf('redeemer');
    for (const body of [good, '{', { name: 7 }]) {
      expect((await api.call('POST', '/v1/books', { as, body })).body.kind).toBe('forbidden');
    }
    expect((await api.call('POST', '/v1/books', { as, body: good, key: 'a b' })).body.kind).toBe('forbidden');
  });

  test('a customer who names another user is forbidden, even with other fields wrong', async () => {
    const as = tokenOf('customer', `not-${userId}`);
    const { code } = await world.assign();
    for (const body of [{ userId }, { userId, unknown: 1 }, { userId, lockToken: 7 }]) {
      expect((await api.call('POST', `/v1/coupons/${code}/redeem`, { as, body })).body.kind).toBe('forbidden');
    }
    const nobody = await api.call('POST', `/v1/coupons/${code}/redeem`, { as, body: { userId: 7 } });
    expect(nobody.body.kind).toBe('invalid-input');
  });
});
