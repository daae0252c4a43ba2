import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createBook } from '../../core/index.ts';
import { admin, openTestCore, type TestCore } from '../support/open-test-core.ts';
import { readServerLog } from '../support/start-postgres.ts';
import { uploadText } from '../support/upload-text.ts';

let testCore: TestCore;

beforeAll(async () => {
  testCore = await openTestCore('database log');
});
afterAll(() => testCore.close());

test('PostgreSQL’s own log names the index that refuses an upload’s codes, and none of the codes', async () => {
  const { core, database } = testCore;
  const book = await createBook(core, admin, { name: 'Twice' }, null);
  const codes = 'code\nTELLTALE-1\nTELLTALE-2\n';
  await uploadText(core, book.body.id, 'csv', codes);
  expect(await uploadText(core, book.body.id, 'csv', codes)).toMatchObject({ accepted: 0, duplicates: 2 });
  const log = await readServerLog(database.name);
  expect(log).toContainEqual(expect.stringContaining('ERROR:  duplicate key value violates unique constraint'));
  expect(log.filter((line) => /DETAIL|CONTEXT|TELLTALE/.test(line))).toEqual([]);
});

test('PostgreSQL’s own log has a failed statement without its parameters', async () => {
  const { core, database } = testCore;
  const divide = { text: 'select $1::text, 1 / $2::int', values: ['telltale-user', 0] };
  await expect(core.pool.query(divide)).rejects.toThrow('division by zero');
  const log = await readServerLog(database.name);
  expect(log).toContainEqual(expect.stringContaining('division by zero'));
  expect(log.filter((line) => line.includes('telltale-user'))).toEqual([]);
});
