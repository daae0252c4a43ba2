import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { actorNames } from '../../core/access/actor-names.ts';
import { ApiKeyInput } from '../../core/access/api-key-input.ts';
import { authenticateKey } from '../../core/access/authenticate-key.ts';
import { createApiKey } from '../../core/access/create-api-key.ts';
import { createTenant } from '../../core/access/create-tenant.ts';
import { listApiKeys } from '../../core/access/list-api-keys.ts';
import { revokeApiKey } from '../../core/access/revoke-api-key.ts';
import type { Caller } from '../../core/caller.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import type { CouponError } from '../../core/errors.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { limits } from '../../core/limits.ts';
import { admin, type ColdCore, openColdCore, rootKey } from '../support/open-cold-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

let database: TestDatabase;
let core: ColdCore;
/** A second process, whose clock the tests move: by itself it stands still. */
let other: ColdCore;
let passedMillis = 0;
let stranger: Caller;

const movedClock: Clock = { now: () => systemClock.now(), monotonic: () => passedMillis };

beforeAll(async () => {
  database = await createTestDatabase('api-keys');
  core = openColdCore(database.url);
  other = openColdCore(database.url, movedClock);
  const made = await createTenant(core, { ...admin, role: 'root' }, { slug: 'stranger', name: 's' }, null);
  stranger = (await authenticateKey(core, made.body.adminKey.secret!))!;
});

beforeEach(async () => {
  await core.pool.query('truncate api_keys, idempotency');
});

afterAll(async () => {
  await core.close();
  await other.close();
  await database.drop();
});

const refused = (kind: string) => expect.objectContaining({ kind });

async function makeKey(caller: Caller = admin, input: ApiKeyInput = { name: 'shop', role: 'redeemer' }) {
  const { body } = await createApiKey(core, caller, input, null);
  return { ...body, secret: body.secret! };
}

describe('a new key', () => {
  test('is shown whole once, has the role it was asked for, and acts in its tenant', async () => {
    const key = await makeKey(stranger, { name: 'shop', role: 'operator', expiresAt: '2100-01-01T00:00:00+01:00' });
    expect(key).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      name: 'shop',
      role: 'operator',
      expiresAt: '2099-12-31T23:00:00.000Z',
      createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      secret: expect.stringMatching(new RegExp(`^qk_${stranger.tenantId.toString(36)}_[A-Za-z0-9_-]{43}$`)),
    });
    expect(await authenticateKey(core, key.secret)).toEqual({
      tenantId: stranger.tenantId,
      role: 'operator',
      actor: expect.stringMatching(/^key:\d+$/),
      customerId: null,
    });
  });

  test('is stored as a hash only, and a replay of its making does not show it again', async () => {
    const input: ApiKeyInput = { name: 'shop', role: 'redeemer' };
    const request = keyedRequest(admin, 'k', 'POST /v1/api-keys', input);
    const first = await createApiKey(core, admin, input, request);
    const again = await createApiKey(core, admin, input, request);
    const { secret, ...rest } = first.body;
    expect(again).toEqual({ body: rest, replayed: true });
    const { rows } = await core.pool.query('select k::text, i::text from api_keys k, idempotency i');
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(secret!.slice(6));
  });

  test.each([
    ['name', ['', ' ', 'x'.repeat(101), null, 7, 'a\0']],
    ['role', ['root', 'customer', 'ADMIN', '', null, ['admin']]],
    ['expiresAt', ['tomorrow', '2100-01-01T00:00:00', '2100-01-01', '2000-01-01T00:00:00Z', 4_102_444_800, false]],
  ])('with a %s that can’t be is invalid-input naming it', async (field, values) => {
    for (const value of values) {
      const body = { name: 'shop', role: 'redeemer', [field]: value };
      const make = async () => createApiKey(core, admin, checkInput(ApiKeyInput, body), null);
      const refusal = await make().catch((error: CouponError) => error.refusal);
      expect(refusal).toMatchObject({ kind: 'invalid-input', errors: [{ path: `/${field}` }] });
    }
  });
});

describe('the list', () => {
  test('shows the tenant’s keys newest first and in pages, without secrets, revoked ones or other tenants’', async () => {
    const keys = [];
    for (let index = 0; index < 5; index += 1) {
      keys.push(await makeKey(admin, { name: `k${index}`, role: 'admin' }));
      // Keys of one millisecond have no order.
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await makeKey(stranger);
    await revokeApiKey(core, admin, keys[2]!.id);
    const seen = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listApiKeys>> = await listApiKeys(core, admin, { limit: 2, cursor });
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data);
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen.map((key) => key.name)).toEqual(['k4', 'k3', 'k1', 'k0']);
    const { secret: _shownOnce, ...shown } = keys[4]!;
    expect(seen[0]).toEqual(shown);
  });

  test('takes no cursor of another tenant’s', async () => {
    await makeKey(stranger);
    await makeKey(stranger);
    const { nextCursor } = await listApiKeys(core, stranger, { limit: 1 });
    await expect(listApiKeys(core, admin, { cursor: nextCursor })).rejects.toEqual(refused('invalid-input'));
  });
});

describe('authentication', () => {
  test('the bootstrap key is root in the tenant default', async () => {
    expect(await authenticateKey(core, rootKey)).toEqual({
      tenantId: 1,
      role: 'root',
      actor: 'root',
      customerId: null,
    });
    expect(await authenticateKey(core, `${rootKey}x`)).toBeNull();
    const without = { ...core, config: { ...core.config, adminKey: null } };
    expect(await authenticateKey(without, rootKey)).toBeNull();
  });

  test('a text that is not exactly a key is nobody’s, and most are refused without a query', async () => {
    const { secret } = await makeKey();
    const query = jest.spyOn(core.pool, 'query');
    const shapeless = [
      '',
      'qk_',
      ` ${secret}`,
      `${secret} `,
      secret.slice(0, -1),
      `${secret}A`,
      secret.toUpperCase(),
      'x'.repeat(1_000_000),
    ];
    for (const text of [...shapeless, `qk_zzzzzz_${'A'.repeat(43)}`])
      expect(await authenticateKey(core, text)).toBeNull();
    expect(query).not.toHaveBeenCalled();
    query.mockRestore();
    const changed = `${secret.slice(0, -2)}${secret.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(await authenticateKey(core, changed)).toBeNull();
    expect(await authenticateKey(core, secret.replace('qk_1_', 'qk_01_'))).toBeNull();
  });

  test('a key of one tenant under another tenant’s number is nobody’s', async () => {
    const { secret } = await makeKey();
    expect(await authenticateKey(core, secret.replace('qk_1_', `qk_${stranger.tenantId.toString(36)}_`))).toBeNull();
  });

  test('a hundred look-ups of one key at the same time are one query, and later ones none until 3 s have passed', async () => {
    const { secret } = await makeKey();
    const query = jest.spyOn(other.pool, 'query');
    const callers = await Promise.all(Array.from({ length: 100 }, () => authenticateKey(other, secret)));
    expect(callers.every((caller) => caller?.role === 'redeemer')).toBe(true);
    await authenticateKey(other, secret);
    expect(query).toHaveBeenCalledTimes(1);
    passedMillis += limits.apiKeyCacheMillis;
    await authenticateKey(other, secret);
    expect(query).toHaveBeenCalledTimes(2);
    query.mockRestore();
  });

  test('a wrong key is asked for once in 3 s', async () => {
    const wrong = `qk_1_${'w'.repeat(43)}`;
    const query = jest.spyOn(other.pool, 'query');
    for (let index = 0; index < 5; index += 1) expect(await authenticateKey(other, wrong)).toBeNull();
    expect(query).toHaveBeenCalledTimes(1);
    query.mockRestore();
  });

  test('a revoked key is refused at once where it was revoked, and elsewhere after 3 s at most', async () => {
    const { id, secret } = await makeKey();
    expect(await authenticateKey(core, secret)).not.toBeNull();
    expect(await authenticateKey(other, secret)).not.toBeNull();
    await revokeApiKey(core, admin, id);
    expect(await authenticateKey(core, secret)).toBeNull();
    passedMillis += limits.apiKeyCacheMillis;
    expect(await authenticateKey(other, secret)).toBeNull();
  });

  test('a look-up that was under way when its key was revoked is not remembered', async () => {
    const { id, secret } = await makeKey();
    const revoked = Promise.withResolvers<void>();
    const query = core.pool.query.bind(core.pool) as (config: object) => Promise<unknown>;
    const queryThatTakesLong = async (config: object) => {
      const seenBefore = await query(config);
      await revoked.promise;
      return seenBefore;
    };
    // The method has an overload for every way of calling it, and a mock is typed by the last one.
    const slow = jest.spyOn(core.pool, 'query').mockImplementationOnce(queryThatTakesLong as never);
    const under = authenticateKey(core, secret);
    await revokeApiKey(core, admin, id);
    expect(await authenticateKey(core, secret)).toBeNull();
    revoked.resolve();
    expect(await under).not.toBeNull();
    expect(await authenticateKey(core, secret)).toBeNull();
    slow.mockRestore();
  });

  test('a key is refused from its expiry on, also where it was remembered before', async () => {
    const { id, secret } = await makeKey();
    // Sooner than it would be looked up again. Where the machine stalls until it is over, it gets another second.
    let caller: Caller | null = null;
    while (caller === null) {
      passedMillis += limits.apiKeyCacheMillis;
      await core.pool.query(`update api_keys set expires_at = clock_timestamp() + interval '1 second' where id = $1`, [
        id,
      ]);
      caller = await authenticateKey(other, secret);
    }
    await core.pool.query('select pg_sleep(1.1)');
    passedMillis += 1_000;
    expect(await authenticateKey(other, secret)).toBeNull();
  });
});

describe('revoking', () => {
  test('a key that the tenant does not have is not-found, be it another tenant’s or no id at all', async () => {
    const theirs = await makeKey(stranger);
    for (const id of [theirs.id, '00000000-0000-7000-8000-000000000000', 'x', '', `${theirs.id} `]) {
      await expect(revokeApiKey(core, admin, id)).rejects.toEqual(refused('not-found'));
    }
    expect(await authenticateKey(core, theirs.secret)).not.toBeNull();
  });

  test('a revoked key again is a success and keeps the time of the first', async () => {
    const { id } = await makeKey();
    await revokeApiKey(core, admin, id);
    const first = await core.pool.query('select revoked_at from api_keys');
    await revokeApiKey(core, admin, id.toUpperCase());
    expect((await core.pool.query('select revoked_at from api_keys')).rows).toEqual(first.rows);
  });
});

test('actors are shown with a key’s public id, never its internal one, and others as they are', async () => {
  const key = await makeKey();
  const { actor } = (await authenticateKey(core, key.secret))!;
  const theirs = (await authenticateKey(core, (await makeKey(stranger)).secret))!.actor;
  const names = await actorNames(core.pool, 1, [actor, actor, 'root', 'customer', 'jwt:key:1', theirs]);
  expect(Object.fromEntries(names)).toEqual({
    [actor]: `key:${key.id}`,
    root: 'root',
    customer: 'customer',
    'jwt:key:1': 'jwt:key:1',
    [theirs]: theirs,
  });
  expect(await actorNames(core.pool, 1, [])).toEqual(new Map());
});
