import { afterAll, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { Value } from 'typebox/value';
import { type Caller, HealthView, openHealth } from '../../core/index.ts';
import { openBrowser } from './console-support.ts';
import { type Body, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
/** A member of the tenant default, and one of another. */
const operatorOf = (tenantId: number): Caller => ({ tenantId, role: 'operator', actor: 'key:1', customerId: null });
const [home, guest] = [operatorOf(1), operatorOf(2)] as const;
const sources = {
  droppedLogLines: () => 7,
  background: { states: () => [{ name: 'maintenance', failuresInARow: 2, lastFailedAt: 1_800_000_000_000 }] },
};

const readAs = (token: string) =>
  openBrowser(api.app).call('GET', '/console/health', { headers: { authorization: `Bearer ${token}` } });

beforeAll(async () => {
  api = await startTestApi('console-health');
  await api.call('POST', '/v1/tenants', { body: { slug: 'acme', name: 'Acme' } });
});
afterAll(() => api.close());

test('GET /console/health: what the process knows of itself, to operators and admins by key, JWT or session', async () => {
  const browser = openBrowser(api.app);
  await browser.signIn();
  const { status, body } = await browser.call('GET', '/console/health');
  expect(status).toBe(200);
  const { version, uptimeSeconds, ...view } = body as Body & Record<string, unknown>;
  expect([version, Number.isInteger(uptimeSeconds)]).toEqual([expect.stringMatching(/^\d+\.\d+\.\d+/), true]);
  expect(Value.Check(HealthView, view)).toBe(true);
  expect(view).toMatchObject({
    database: { reachable: true, millis: expect.any(Number) },
    replica: null,
    redis: null,
    process: { droppedLogLines: 0, tasks: [] },
  });
  for (const [role, wanted] of Object.entries({ admin: 200, operator: 200, redeemer: 403, customer: 403 })) {
    expect([role, (await readAs(tokenOf(role))).status]).toEqual([role, wanted]);
  }
  expect((await openBrowser(api.app).call('GET', '/console/health')).status).toBe(401);
});

test('pools, tasks and failures are of all tenants together, so another tenant’s operator is not told of them', async () => {
  const read = openHealth(api.core, sources);
  expect((await read(home)).process).toMatchObject({
    droppedLogLines: 7,
    pools: [
      { name: 'hot path', max: 10, waiting: 0 },
      { name: 'other writes', max: 2, waiting: 0 },
      { name: 'lists', max: 2, waiting: 0 },
      { name: 'background', max: 2, waiting: 0 },
    ],
    tasks: [{ name: 'maintenance', failuresInARow: 2, lastFailedAt: '2027-01-15T08:00:00.000Z' }],
  });
  expect((await read(guest)).process).toBeNull();
  expect((await readAs(tokenOf('admin', 'x', 'acme'))).body.process).toBeNull();
});

test('a database or replica that is away is said to be, without a word of where it is', async () => {
  const nowhere = new pg.Pool({ host: '127.0.0.1', port: 1, password: 'hidden', connectionTimeoutMillis: 500 });
  const replica = { host: 'replica.example' };
  const core = { ...api.core, readyPool: nowhere, readPool: nowhere, config: { ...api.core.config, replica } };
  const view = await openHealth(core, sources)(home);
  expect([view.database, view.replica]).toEqual([
    { reachable: false, millis: null, schemaVersion: null, neededSchemaVersion: expect.any(Number) },
    { reachable: false, millis: null, behindMillis: null },
  ]);
  expect(JSON.stringify(view)).not.toMatch(/replica\.example|127\.0\.0\.1|hidden|ECONN/);
  await nowhere.end();
});

test('of a replica it says how far it is behind', async () => {
  const core = { ...api.core, config: { ...api.core.config, replica: { host: 'replica.example' } } };
  expect((await openHealth(core, sources)(home)).replica).toMatchObject({ reachable: true, behindMillis: 0 });
});
