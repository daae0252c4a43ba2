import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { listTables } from '../../operations/distribute/list-tables.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const project = resolve(import.meta.dirname, '../..');
const program = join(project, 'operations/distribute/distribute-command.ts');
const run = promisify(execFile);
let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase('distribute');
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

test('the dry run of a distribution names every table with its place and keys, and what Citus would refuse', async () => {
  const env = { ...process.env, DATABASE_URL: database.url };
  const { stdout } = await run(process.execPath, [program, '--dry-run'], { env });
  expect(stdout.trim().split('\n').length).toBeGreaterThan(25);
  for (const line of [
    /^coupons +distributed by tenant_id +\(tenant_id, deck_id, pos\)$/m,
    /^events +distributed by tenant_id/m,
    /^webhook_secrets +distributed by tenant_id +\(tenant_id, webhook_id, secret_id\) \[tenant_id, webhook_id → webhooks\]$/m,
    /^books +.* \[tenant_id → tenants\]; to be changed: book_id: an identity below bigint/m,
    /^tenants +reference .*; a row a tenant/m,
    /^failed_lookups +local .*; unlogged/m,
    /^\d+ distributed|\. \d+ distributed, \d+ reference, \d+ local; to be changed: /m,
  ]) {
    expect(stdout).toMatch(line);
  }
  expect(stdout).not.toMatch(/^events_\d/m);
  await expect(run(process.execPath, [program], { env })).rejects.toMatchObject({ code: 2 });
});

test('every key of a distributed table holds its tenant, but for those that are known, and no table is without a place', async () => {
  const layouts = await listTables(client);
  const unlike = layouts.flatMap(({ table, obstacles }) =>
    obstacles.filter((obstacle) => !/identity below bigint/.test(obstacle)).map((obstacle) => `${table}: ${obstacle}`),
  );
  expect(unlike).toEqual(['webhook_deliveries: unique (webhook_id, subject, part, pos, rev) must hold tenant_id']);
  expect(layouts.filter(({ kind, reason }) => kind !== 'distributed' && reason === '')).toEqual([]);
  expect(layouts.filter(({ reason }) => reason === 'it has no column tenant_id')).toEqual([]);
});

test('a foreign key or a unique key without the tenant is told', async () => {
  await client.query('begin');
  try {
    await client.query(`
      create table apart (tenant_id int, id int unique, primary key (tenant_id, id));
      create table beside (tenant_id int, other int references apart (id));
      alter table tenants add other int references apart (id)`);
    const layouts = new Map((await listTables(client)).map((layout) => [layout.table, layout]));
    expect(layouts.get('apart')!.obstacles).toEqual(['unique (id) must hold tenant_id']);
    expect(layouts.get('beside')!.obstacles).toEqual(['the foreign key to apart must hold tenant_id on both sides']);
    expect(layouts.get('tenants')!.obstacles).toEqual(["it can't refer to apart, which is distributed"]);
  } finally {
    await client.query('rollback');
  }
});
