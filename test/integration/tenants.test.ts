import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { authenticateKey } from '../../core/access/authenticate-key.ts';
import { createTenant } from '../../core/access/create-tenant.ts';
import { findTenantId } from '../../core/access/find-tenant-id.ts';
import { TenantInput } from '../../core/access/tenant-document.ts';
import type { Caller } from '../../core/caller.ts';
import { CouponError } from '../../core/errors.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { admin, type ColdCore, openColdCore } from '../support/open-cold-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const root: Caller = { ...admin, role: 'root', actor: 'root' };
let database: TestDatabase;
let core: ColdCore;

beforeAll(async () => {
  database = await createTestDatabase('tenants');
  core = openColdCore(database.url);
});

afterAll(async () => {
  await core.close();
  await database.drop();
});

/** Makes a tenant of a body that nobody has checked. */
const makeOf = async (body: object) => createTenant(core, root, checkInput(TenantInput, body), null);
const refused = (kind: string) => expect.objectContaining({ kind });

test('root makes a tenant with an admin key that opens this tenant and no other', async () => {
  const { body, replayed } = await createTenant(core, root, { slug: 'acme-2', name: 'Acme' }, null);
  expect(replayed).toBe(false);
  expect(body).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
    slug: 'acme-2',
    name: 'Acme',
    createdAt: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    adminKey: {
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      name: 'First admin key',
      role: 'admin',
      expiresAt: null,
      createdAt: expect.any(String),
      secret: expect.stringMatching(/^qk_[0-9a-z]+_[A-Za-z0-9_-]{43}$/),
    },
  });
  const caller = await authenticateKey(core, body.adminKey.secret!);
  expect(caller).toMatchObject({ role: 'admin', customerId: null });
  expect(caller?.tenantId).toBe(await findTenantId(core, 'acme-2'));
});

test.each(['admin', 'operator', 'redeemer', 'customer'] as const)('a caller of the role %s may not', async (role) => {
  await expect(createTenant(core, { ...admin, role }, { slug: 'theirs', name: 'n' }, null)).rejects.toEqual(
    refused('forbidden'),
  );
});

test.each([undefined, null, '', 'A', 'ä', 'a_b', 'a b', 'a\n', 'x'.repeat(64), 7])(
  'a slug of %p is invalid-input',
  async (slug) => {
    const refusal = await makeOf({ slug, name: 'n' }).catch((error: CouponError) => error.refusal);
    expect(refusal).toMatchObject({ kind: 'invalid-input', errors: [{ path: '/slug' }] });
  },
);

test.each(['a', '0', '-', 'x'.repeat(63)])('a slug of %p is taken', async (slug) => {
  expect((await createTenant(core, root, { slug, name: 'n' }, null)).body.slug).toBe(slug);
});

test('missing, blank and unknown fields are all named', async () => {
  const refusal = await makeOf({ name: ' ', color: 1 }).catch((error: CouponError) => error.refusal);
  expect(refusal).toMatchObject({ errors: [{ path: '/slug' }, { path: '/color' }, { path: '/name' }] });
});

test('of 8 requests for one slug at the same time, one gets it and 7 get conflict, and there is one tenant', async () => {
  const calls = Array.from({ length: 8 }, () =>
    createTenant(core, root, { slug: 'wanted', name: 'n' }, null).then(
      () => 'made',
      (error: unknown) => (error instanceof CouponError ? error.kind : 'bug'),
    ),
  );
  expect((await Promise.all(calls)).sort()).toEqual([...Array(7).fill('conflict'), 'made']);
  await expect(createTenant(core, root, { slug: 'wanted', name: 'n' }, null)).rejects.toEqual(refused('conflict'));
  const { rows } = await core.pool.query(`select (select count(*) from tenants where slug = 'wanted') as tenants,
    (select count(*) from api_keys k join tenants t using (tenant_id) where t.slug = 'wanted') as keys`);
  expect(rows).toEqual([{ tenants: 1, keys: 1 }]);
});

test('a replay has the same tenant and no secret, and the database holds the secret nowhere', async () => {
  const input = { slug: 'replayed', name: 'n' };
  const request = keyedRequest(root, 'k', 'POST /v1/tenants', input);
  const first = await createTenant(core, root, input, request);
  const again = await createTenant(core, root, input, request);
  const { secret, ...adminKey } = first.body.adminKey;
  expect(again).toEqual({ body: { ...first.body, adminKey }, replayed: true });
  const { rows } = await core.pool.query(
    'select reply::text, (select string_agg(k::text, $$ $$) from api_keys k) as keys from idempotency',
  );
  expect(JSON.stringify(rows)).not.toContain(secret);
});

test('a tenant is found by its slug as soon as it is made, also where it was asked for before', async () => {
  expect(await findTenantId(core, 'default')).toBe(1);
  expect(await findTenantId(core, 'later')).toBeNull();
  await createTenant(core, root, { slug: 'later', name: 'n' }, null);
  expect(await findTenantId(core, 'later')).toEqual(expect.any(Number));
  for (const slug of ['', 'LATER', 'later ', '\0', 'x'.repeat(1_000_000)])
    expect(await findTenantId(core, slug)).toBeNull();
});
