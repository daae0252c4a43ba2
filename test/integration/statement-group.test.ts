import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { groupStatements } from '../../core/db/group-statements.ts';
import type { Connection, Queryable } from '../../core/db/pool.ts';
import { openPool } from '../../core/db/pool.ts';
import { openTestCore, type TestCore } from '../support/open-test-core.ts';

let testCore: TestCore;
let pool: pg.Pool;
let connection: Connection;
let statements: Queryable;

beforeAll(async () => {
  testCore = await openTestCore('statement group');
  await testCore.core.pool.query('create table things (id int primary key, name text)');
});
afterAll(() => testCore.close());

// Without pipelining, as cold transactions have it, and with it, as the hot path has it.
const plans = ['by-cost', 'by-key'] as const;

async function connect(how: (typeof plans)[number]): Promise<void> {
  const address = { connectionString: testCore.database.url };
  pool = openPool(address, {
    max: 1,
    applicationName: 'test',
    onError: () => {},
    plans: how,
    answerTimeoutMillis: 60_000,
  });
  connection = await pool.connect();
  statements = groupStatements(connection);
  await connection.query('truncate things');
}
afterEach(async () => {
  connection.release();
  await pool.end();
});

const insert = (id: unknown) => ({ name: 'insert-thing', text: 'insert into things (id) values ($1)', values: [id] });
const list = { name: 'list-things', text: 'select id, id::bigint * 2 as double, name from things order by id' };

async function ids(): Promise<number[]> {
  return (await connection.query<{ id: number }>('select id from things order by id')).rows.map(({ id }) => id);
}

/** What became of each: its number of rows, or its error's SQLSTATE. */
async function outcomes(answers: Promise<pg.QueryResult>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(answers);
  return settled.map((one) =>
    one.status === 'fulfilled' ? one.value.rowCount : (one.reason as pg.DatabaseError).code,
  );
}

for (const how of plans) {
  test(`each statement of a turn sees what those before it did, and gets its own answer (${how})`, async () => {
    await connect(how);
    for (const round of [1, 2, 3]) {
      const [before, , after, unnamed] = await Promise.all([
        statements.query(list),
        statements.query(insert(round)),
        statements.query(list),
        statements.query('select $1::text as said, count(*) from things', [`round ${round}`]),
      ]);
      expect(before.rows).toHaveLength(round - 1);
      expect(after.rows.at(-1)).toEqual({ id: round, double: round * 2, name: null });
      expect(after.fields.map(({ name }) => name)).toEqual(['id', 'double', 'name']);
      expect(unnamed.rows).toEqual([{ said: `round ${round}`, count: round }]);
    }
  });

  test(`those behind a failed statement are not carried out and throw its error (${how})`, async () => {
    await connect(how);
    const late = { name: 'late', text: 'select 1 as one' };
    const answers = [
      statements.query({ name: 'begin', text: 'begin' }),
      statements.query(insert(1)),
      statements.query(insert(1)),
      statements.query(late),
      statements.query({ name: 'commit', text: 'commit' }),
    ];
    expect(await outcomes(answers)).toEqual([null, 1, '23505', '23505', '23505']);
    await statements.query('rollback');
    expect(await ids()).toEqual([]);
    // The server has never read `late`, and knows `insert-thing`.
    expect(await outcomes([statements.query(late), statements.query(insert(5)), statements.query(late)])).toEqual([
      1, 1, 1,
    ]);
    expect(await ids()).toEqual([5]);
  });

  test(`a statement that does not parse fails at every try, and never the connection (${how})`, async () => {
    await connect(how);
    const wrong = { name: 'wrong', text: 'select no_such_column from things' };
    for (let round = 1; round <= 3; round += 1) {
      expect(
        await outcomes([statements.query(insert(round)), statements.query(wrong), statements.query(list)]),
      ).toEqual([1, '42703', '42703']);
      // Without BEGIN, a turn's statements are one transaction.
      expect(await ids()).toEqual([]);
    }
  });

  test(`of a turn with a value that can't be written, nothing is sent (${how})`, async () => {
    await connect(how);
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const answers = [statements.query(insert(1)), statements.query(insert(cyclic)), statements.query(insert(3))];
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await ids()).toEqual([]);
    expect(await outcomes([statements.query(insert(4))])).toEqual([1]);
    expect(await ids()).toEqual([4]);
  });

  test(`a connection that is lost fails every statement of the turn (${how})`, async () => {
    await connect(how);
    connection.on('error', () => {});
    const answers = [statements.query('select pg_terminate_backend(pg_backend_pid())'), statements.query(list)];
    const settled = await Promise.allSettled(answers);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect((await Promise.allSettled([statements.query(list)]))[0]!.status).toBe('rejected');
  });
}

test('one name for two texts is refused before anything is sent', async () => {
  await connect('by-key');
  await statements.query({ name: 'twice', text: `select 'first' as said` });
  const answers = [statements.query(insert(1)), statements.query({ name: 'twice', text: `select 'second' as said` })];
  for (const answer of await Promise.allSettled(answers)) {
    expect(answer).toMatchObject({ status: 'rejected', reason: { message: 'two statements are named twice' } });
  }
  expect(await ids()).toEqual([]);
});

test('a turn that can’t be written forgets nothing that a turn under way has made known', async () => {
  await connect('by-key');
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const first = statements.query(insert(1));
  await new Promise((resolve) => process.nextTick(resolve));
  await expect(statements.query(insert(cyclic))).rejects.toThrow();
  const third = statements.query(insert(3));
  expect(await outcomes([first, third])).toEqual([1, 1]);
});

test('a statement may take longer than the pool allows others, if it says so', async () => {
  // The others here say so too: how long they take is the machine's business.
  const address = { connectionString: testCore.database.url };
  const impatient = { max: 1, applicationName: 'test', onError: () => {}, answerTimeoutMillis: 200 };
  pool = openPool(address, { ...impatient, plans: 'by-key' });
  connection = await pool.connect();
  statements = groupStatements(connection);
  const longer = (text: string): pg.QueryConfig & { query_timeout: number } => ({ text, query_timeout: 60_000 });
  const answers = [statements.query(longer('select 1')), statements.query(longer('select pg_sleep(0.6)'))];
  expect(await outcomes(answers)).toEqual([1, 1]);
  await expect(statements.query('select pg_sleep(0.6)')).rejects.toThrow('Query read timeout');
});

test('an empty statement has an answer, and so have those behind it', async () => {
  await connect('by-key');
  expect(await outcomes([statements.query(''), statements.query(insert(1))])).toEqual([null, 1]);
});

test('a COPY goes out behind the statements sent before it, and before those after it', async () => {
  await connect('by-cost');
  const made = statements.query('create temporary table copied (n int)');
  const copy = statements.query(copyFrom('copy copied from stdin'));
  copy.end('1\n2\n');
  const counted = statements.query('select count(*) from copied');
  await made;
  expect((await counted).rows).toEqual([{ count: 2 }]);
});
