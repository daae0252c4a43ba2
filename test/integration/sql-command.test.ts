import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { bareEnvironment } from '../support/bare-environment.ts';
import { commandProgram } from '../support/bundle-api.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase('sql_command');
});
afterAll(() => database.drop());

/** Runs the command, and returns its exit code and everything that it printed. */
async function sql(...args: string[]): Promise<{ code: number | null; printed: string }> {
  const env = { ...bareEnvironment(), DATABASE_URL: database.url };
  const program = await commandProgram('core/db/sql-command.ts');
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (printed += data.toString()));
  return new Promise((done) => child.once('close', (code) => done({ code, printed })));
}

describe('an operator’s statements', () => {
  test('print a line of JSON a row, and how many there were', async () => {
    expect(await sql('select 1 as one; select 2 as two')).toEqual({
      code: 0,
      printed: '{"one":1}\n{"two":2}\nSELECT, SELECT; rows: 2\n',
    });
  });

  test('change nothing unless --write is said, not even where they end the transaction themselves', async () => {
    const change = 'create table of_an_operator (id int)';
    for (const statements of [change, `commit; ${change}`, `rollback; ${change}`]) {
      expect(await sql(statements)).toMatchObject({
        code: 1,
        printed: expect.stringContaining('cannot execute CREATE TABLE in a read-only transaction'),
      });
    }
    expect(await sql('--write', change)).toMatchObject({ code: 0, printed: 'CREATE; rows: 0\n' });
    expect(await sql('select from of_an_operator')).toMatchObject({ code: 0 });
  });

  test('leave nothing where one of them fails', async () => {
    expect(await sql('--write', 'create table half_done (id int); select 1 / 0')).toMatchObject({
      code: 1,
      printed: expect.stringContaining('sql: division by zero'),
    });
    expect(await sql('select from half_done')).toMatchObject({ code: 1 });
  });

  test('show a thousand rows, however many there are', async () => {
    const { code, printed } = await sql('select n from generate_series(1, 1200) n');
    expect([code, printed.trim().split('\n').length]).toEqual([0, 1001]);
    expect(printed).toContain('rows: 1200, of which 1000 are shown');
  });

  test('are broken off after their time, and refused with what is wrong', async () => {
    expect(await sql('--timeout', '1', 'select pg_sleep(3600)')).toMatchObject({
      code: 1,
      printed: expect.stringContaining('canceling statement due to statement timeout'),
    });
    expect(await sql('--timeout', 'x', 'select 1')).toMatchObject({
      code: 1,
      printed: 'sql: --timeout must be 1 to 3600 seconds\n',
    });
    expect(await sql()).toMatchObject({ code: 1, printed: expect.stringContaining('say the statements') });
    expect(await sql('--help')).toMatchObject({ code: 0, printed: expect.stringContaining('codes and user ids') });
  });
});
