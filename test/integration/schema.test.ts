import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { dumpSchema } from '../support/dump-schema.ts';
import { type ColdCore, openColdCore } from '../support/open-cold-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

let database: TestDatabase;
let core: ColdCore;

beforeAll(async () => {
  database = await createTestDatabase('schema');
  core = openColdCore(database.url);
});

afterAll(async () => {
  await core.close();
  await database.drop();
});

// With QURABLE_TEST_WRITE_SCHEMA=1 it writes the file instead, for whoever adds a migration.
test('the migrations make the schema that test/support/schema.sql shows', async () => {
  const place = new URL('../support/schema.sql', import.meta.url);
  const actual = await dumpSchema(core.pool);
  if (process.env.QURABLE_TEST_WRITE_SCHEMA === '1') await writeFile(place, actual);
  expect(actual).toBe(await readFile(place, 'utf8'));
});
