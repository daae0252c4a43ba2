import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Transaction } from '../../core/db/transaction.ts';
import { refuse } from '../../core/errors.ts';
import { keyedRequest } from '../../core/idempotency/key-hash.ts';
import { runOnce } from '../../core/idempotency/run-once.ts';
import { limits } from '../../core/limits.ts';
import { admin, type ColdCore, openColdCore } from '../support/open-cold-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';
import { waitForLockWait } from '../support/wait-for-lock.ts';

let database: TestDatabase;
let one: ColdCore;
let other: ColdCore;

beforeAll(async () => {
  database = await createTestDatabase('run-once');
  one = openColdCore(database.url);
  other = openColdCore(database.url);
  await one.pool.query('create table effects (name text)');
});

beforeEach(async () => {
  await one.pool.query('truncate effects, idempotency');
});

afterAll(async () => {
  await one.close();
  await other.close();
  await database.drop();
});

const keyed = (key: string, body: unknown = {}) => keyedRequest(admin, key, 'POST /v1/things', body);

const effect = (name: string) => async (tx: Transaction) => {
  await tx.query('insert into effects values ($1)', [name]);
  return { name };
};

async function effects(): Promise<string[]> {
  return (await one.pool.query<{ name: string }>('select name from effects order by name')).rows.map((row) => row.name);
}

const refused = (kind: string) => expect.objectContaining({ kind });

test('an equal key replays the first body, from another process too, and has no second effect', async () => {
  expect(await runOnce(one, 1, keyed('k'), 201, effect('a'))).toEqual({ body: { name: 'a' }, replayed: false });
  expect(await runOnce(one, 1, keyed('k'), 201, effect('b'))).toEqual({ body: { name: 'a' }, replayed: true });
  expect(await runOnce(other, 1, keyed('k'), 201, effect('c'))).toEqual({ body: { name: 'a' }, replayed: true });
  expect(await effects()).toEqual(['a']);
});

test('of 16 equal requests in flight from two processes, one has an effect and all get its body', async () => {
  const slowly = async (tx: Transaction) => {
    await sleep(20);
    return effect('a')(tx);
  };
  const calls = Array.from({ length: 16 }, (_, index) => runOnce(index % 2 ? one : other, 1, keyed('k'), 201, slowly));
  const outcomes = await Promise.all(calls);
  expect(outcomes.map((outcome) => outcome.body)).toEqual(Array(16).fill({ name: 'a' }));
  expect(outcomes.filter((outcome) => !outcome.replayed)).toHaveLength(1);
  expect(await effects()).toEqual(['a']);
});

test('another body or route under the same key is idempotency-key-reused and has no effect', async () => {
  await runOnce(one, 1, keyed('k', { n: 1 }), 201, effect('a'));
  await expect(runOnce(one, 1, keyed('k', { n: 2 }), 201, effect('b'))).rejects.toEqual(
    refused('idempotency-key-reused'),
  );
  const elsewhere = keyedRequest(admin, 'k', 'POST /v1/others', { n: 1 });
  await expect(runOnce(one, 1, elsewhere, 201, effect('c'))).rejects.toEqual(refused('idempotency-key-reused'));
  expect(await effects()).toEqual(['a']);
});

test('a key that a coupon’s change has used is idempotency-key-reused, even with an equal fingerprint', async () => {
  const request = keyed('k');
  await one.pool.query(
    'insert into idempotency (tenant_id, key_hash, fingerprint, deck_id, pos, rev) values (1, $1, $2, 1, 0, 1)',
    [request.keyHash, request.fingerprint],
  );
  await expect(runOnce(one, 1, request, 201, effect('a'))).rejects.toEqual(refused('idempotency-key-reused'));
  expect(await effects()).toEqual([]);
});

test('a key belongs to its tenant, and a customer’s to its sub', async () => {
  await one.pool.query(`insert into tenants (id, slug, name, created_at) values (gen_random_uuid(), 'b', 'B', now())
    on conflict do nothing`);
  const customer = (sub: string) =>
    keyedRequest({ ...admin, role: 'customer', customerId: sub }, 'k', 'POST /v1/things', {});
  for (const [tenantId, request] of [
    [1, keyed('k')],
    [2, keyed('k')],
    [1, customer('u')],
    [1, customer('v')],
  ] as const) {
    expect((await runOnce(one, tenantId, request, 201, effect('a'))).replayed).toBe(false);
  }
});

test('a refusal rolls back what was done and is not remembered', async () => {
  const refusing = async (tx: Transaction) => {
    await effect('a')(tx);
    throw refuse('conflict', 'no');
  };
  await expect(runOnce(one, 1, keyed('k'), 201, refusing)).rejects.toEqual(refused('conflict'));
  expect(await effects()).toEqual([]);
  expect(await runOnce(one, 1, keyed('k'), 201, effect('b'))).toEqual({ body: { name: 'b' }, replayed: false });
});

test('a request that waits for an equal one which is then refused is done itself', async () => {
  const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const failing = runOnce(one, 1, keyed('k'), 201, async () => {
    begun.resolve();
    await end.promise;
    throw refuse('conflict', 'no');
  });
  await begun.promise;
  const waiting = runOnce(other, 1, keyed('k'), 201, effect('b'));
  await waitForLockWait(one.pool, 1, waiting);
  end.resolve();
  await expect(failing).rejects.toEqual(refused('conflict'));
  expect(await waiting).toEqual({ body: { name: 'b' }, replayed: false });
});

test('a replay shows what was stored of the body, and the first answer all of it', async () => {
  const make = async () => ({ id: 1, secret: 's' as string | undefined });
  const stored = ({ id }: { id: number }) => ({ id });
  expect((await runOnce(one, 1, keyed('k'), 201, make, stored)).body).toEqual({ id: 1, secret: 's' });
  expect((await runOnce(one, 1, keyed('k'), 201, make, stored)).body).toEqual({ id: 1 });
  const { rows } = await one.pool.query('select reply::text from idempotency');
  expect(rows).toEqual([{ reply: '{"id": 1}' }]);
});

test('without a key the work is done each time, and nothing is stored', async () => {
  await runOnce(one, 1, null, 201, effect('a'));
  await runOnce(one, 1, null, 201, effect('a'));
  expect(await effects()).toEqual(['a', 'a']);
  expect((await one.pool.query('select from idempotency')).rowCount).toBe(0);
});

test('a reply is kept for 48 hours, which is more than the 24 that are promised', async () => {
  await runOnce(one, 1, keyed('k'), 201, effect('a'));
  const { rows } = await one.pool.query(
    `select status, extract(epoch from kept_until - clock_timestamp()) / 3600 as hours from idempotency`,
  );
  expect(rows[0].status).toBe(201);
  expect(Number(rows[0].hours)).toBeGreaterThan(limits.idempotencyKeptHours - 0.1);
});

test('two that deadlock are both done in the end, since the one that was given up is done again', async () => {
  await one.pool.query(`insert into effects values ('x'), ('y')`);
  let met = 0;
  const crossing = (firstName: string, second: string) => async (tx: Transaction) => {
    await tx.query('select from effects where name = $1 for update', [firstName]);
    met += 1;
    if (met <= 2) while (met < 2) await sleep(5);
    await tx.query('update effects set name = name where name = $1', [second]);
    return { done: `${firstName}${second}` };
  };
  const outcomes = await Promise.all([
    runOnce(one, 1, keyed('k1'), 200, crossing('x', 'y')),
    runOnce(other, 1, keyed('k2'), 200, crossing('y', 'x')),
  ]);
  expect(outcomes.map((outcome) => outcome.body.done)).toEqual(['xy', 'yx']);
  // Once more, or oftener where the machine is so slow that the other one gives up too.
  expect(met).toBeGreaterThanOrEqual(3);
});

test('the answer is given only after the COMMIT, so that a lost connection before it leaves no effect and no key', async () => {
  const cut = async (tx: Transaction) => {
    await effect('a')(tx);
    const { rows } = await tx.query('select pg_backend_pid() as pid');
    await other.pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
    return { name: 'a' };
  };
  await expect(runOnce(one, 1, keyed('k'), 201, cut)).rejects.toThrow();
  expect(await effects()).toEqual([]);
  expect((await runOnce(one, 1, keyed('k'), 201, effect('b'))).replayed).toBe(false);
});
