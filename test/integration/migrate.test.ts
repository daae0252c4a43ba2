import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { migrateToLatest, neededSchemaVersion, schemaVersion } from '../../core/db/migrate.ts';
import { silentLog } from '../../core/log.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { commandProgram } from '../support/bundle-api.ts';
import { dumpSchema } from '../support/dump-schema.ts';
import { createTestDatabase, type TestDatabase, templateName, testPostgresUrl } from '../support/start-postgres.ts';

const ownMigrations = new URL('../../migrations/', import.meta.url);
const own = readdirSync(ownMigrations)
  .sort()
  .map((file) => file.replace('.sql', ''));
const directories: string[] = [];
let name: string;
let url: string;
let opened: pg.Client | undefined;
let count = 0;

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client(testPostgresUrl());
  await client.connect();
  await client.query(statement).finally(() => client.end());
}

/** A directory with the product's own migrations and those given. */
async function migrationsWith(more: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'qurable-migrations-'));
  directories.push(directory);
  await cp(ownMigrations, directory, { recursive: true });
  for (const [file, text] of Object.entries(more)) await writeFile(join(directory, file), text);
  return directory;
}

/** Makes a database for a test, and returns a connection to it. */
async function openDatabase(template: string): Promise<pg.Client> {
  count += 1;
  name = `migrate_${process.pid}_${count}`;
  await onServer(`create database ${name} template ${template}`);
  const address = new URL(testPostgresUrl());
  address.pathname = `/${name}`;
  url = address.href;
  opened = new pg.Client(url);
  await opened.connect();
  return opened;
}
const openEmpty = () => openDatabase('template0');
/** A copy of one that was empty when it was migrated: the same, for much less work. */
const openMigrated = () => openDatabase(templateName);

afterEach(async () => {
  if (opened === undefined) return;
  await opened.end();
  opened = undefined;
  await onServer(`drop database ${name} with (force)`);
});

afterAll(async () => {
  for (const directory of directories) await rm(directory, { recursive: true });
});

const migrate = (directory?: string | URL) => migrateToLatest({ connectionString: url }, silentLog, directory);

describe('migrating', () => {
  test('from four places at once on an empty database: all succeed, and each migration is applied by one of them', async () => {
    const db = await openEmpty();
    const results = await Promise.all([migrate(), migrate(), migrate(), migrate()]);
    expect(results.flatMap((result) => result.applied)).toEqual(own);
    expect(await schemaVersion(db)).toBeGreaterThanOrEqual(neededSchemaVersion);
  });

  test('a second time applies nothing and changes nothing', async () => {
    const db = await openMigrated();
    const before = await dumpSchema(db);
    expect(await migrate()).toEqual({ applied: [] });
    expect(await dumpSchema(db)).toBe(before);
  });

  test('an empty database is at version 0, and a migrated one at its newest migration', async () => {
    const db = await openEmpty();
    expect(await schemaVersion(db)).toBe(0);
    const newer = await migrationsWith({ '0902_more.sql': 'create table more (id int);' });
    await migrate(newer);
    expect(await schemaVersion(db)).toBe(902);
  });

  test('by an older version on a newer schema succeeds and changes nothing', async () => {
    const db = await openMigrated();
    const newer = await migrationsWith({
      '0902_more.sql': 'create table more (id int); drop function create_event_partitions;',
      '0910_much_more.sql': 'alter table more add column name text;',
    });
    expect(await migrate(newer)).toEqual({ applied: ['0902_more', '0910_much_more'] });
    const before = await dumpSchema(db);
    const executed = await db.query('select * from kysely_migration order by name');
    expect(await migrate()).toEqual({ applied: [] });
    expect(await dumpSchema(db)).toBe(before);
    expect((await db.query('select * from kysely_migration order by name')).rows).toEqual(executed.rows);
    expect(await migrate(newer)).toEqual({ applied: [] });
  });

  test('by an older version that waits for a newer one’s run succeeds and changes nothing', async () => {
    await openMigrated();
    const newer = await migrationsWith({ '0902_more.sql': 'select pg_sleep(0.5); create table more (id int);' });
    const growing = migrate(newer);
    await sleep(250);
    expect(await migrate()).toEqual({ applied: [] });
    expect(await growing).toEqual({ applied: ['0902_more'] });
  });

  test('a schema that grew is brought up to date by the files that are new, from a path or a URL', async () => {
    await openMigrated();
    const newer = await migrationsWith({ '0902_more.sql': 'create table more (id int);' });
    expect(await migrate(pathToFileURL(`${newer}/`))).toEqual({ applied: ['0902_more'] });
    expect(await migrate(newer)).toEqual({ applied: [] });
  });

  test('a migration that fails is named, and neither it nor the ones before it in the same run leave anything', async () => {
    const db = await openEmpty();
    const broken = await migrationsWith({
      '0902_more.sql': 'create table more (id int);',
      '0903_broken.sql': 'create table halfway (id int); select 1 / 0;',
    });
    await expect(migrate(broken)).rejects.toThrow('migration 0903_broken failed: division by zero');
    expect(await schemaVersion(db)).toBe(0);
    const { rows } = await db.query(`select to_regclass('tenants') as a, to_regclass('more') as b`);
    expect(rows).toEqual([{ a: null, b: null }]);
    expect(await migrate()).toEqual({ applied: own });
  });

  test('a file with a lower number than one that was executed is refused: it was written for another schema', async () => {
    await openMigrated();
    await migrate(await migrationsWith({ '0903_third.sql': 'select 1;' }));
    const late = await migrationsWith({
      '0902_late.sql': 'create table late (id int);',
      '0903_third.sql': 'select 1;',
    });
    await expect(migrate(late)).rejects.toThrow('corrupted migrations');
  });

  test('a file that is not named like a migration is refused before the database is touched', async () => {
    const db = await openEmpty();
    const odd = await migrationsWith({ '2_odd.sql': 'select 1;' });
    await expect(migrate(odd)).rejects.toThrow('migrations/2_odd.sql is not named like');
    expect(await schemaVersion(db)).toBe(0);
  });

  test('makes the partitions of events for the current month and three more, each time it runs', async () => {
    const db = await openMigrated();
    const partitions = async () =>
      (await db.query(`select relname from pg_class where relname ~ '^events_[0-9]{4}_[0-9]{2}$' order by 1`)).rows;
    const made = await partitions();
    expect(made).toHaveLength(4);
    await db.query(`drop table ${made[3].relname}`);
    await migrate();
    // One more where a month ends meanwhile.
    expect(await partitions()).toEqual(expect.arrayContaining(made));
  });

  test('gives partitions that are older than the index on times theirs, also after a run that was cut off', async () => {
    const db = await openMigrated();
    const standing = async () =>
      (
        await db.query<{ name: string; whole: boolean }>(
          `select c.relname as name, indisvalid as whole from pg_index join pg_class c on c.oid = indexrelid
            where c.relname like 'events%at_idx' order by 1`,
        )
      ).rows;
    const wanted = await standing();
    expect(wanted).toHaveLength(6);
    expect(wanted.every(({ whole }) => whole)).toBe(true);
    await db.query('drop index events_at_idx');
    await db.query('create index events_at_idx on only events using brin (at)');
    await db.query('create index events_default_at_idx on events_default using brin (at)');
    await db.query(`update pg_index set indisvalid = false where indexrelid = 'events_default_at_idx'::regclass`);
    await migrate();
    // More of them where a month ends meanwhile.
    expect(await standing()).toEqual(expect.arrayContaining(wanted));
  });

  test('succeeds where a month’s partition can’t be made, and says so in the log', async () => {
    const db = await openMigrated();
    const [last] = (
      await db.query(`select max(relname) as name from pg_class where relname ~ '^events_\\d{4}_\\d{2}$'`)
    ).rows;
    await db.query(`drop table ${last.name}`);
    const at = `${last.name.slice(7, 11)}-${last.name.slice(12)}-15`;
    await db.query(
      `insert into events (pos, at, tenant_id, deck_id, rev, redemptions, fence, kind, actor) values (0, $1, 1, 1, 1, 0, 0, 1, 'a')`,
      [at],
    );
    const errors: string[] = [];
    const log = { ...silentLog, error: (_fields: object, message: string) => errors.push(message) };
    expect(await migrateToLatest({ connectionString: url }, log)).toEqual({ applied: [] });
    expect(errors).toEqual(['could not make the partitions of events for the months ahead']);
  });
});

describe('npm run migrate', () => {
  async function run(variables: NodeJS.ProcessEnv): Promise<{ code: number | null; out: string; err: string }> {
    const program = await commandProgram('core/db/migrate-command.ts');
    const env = { ...bareEnvironment(), ...variables };
    return new Promise((resolve) => {
      const child = execFile(process.execPath, [program], { env }, (_error, out, err) =>
        resolve({ code: child.exitCode, out, err }),
      );
    });
  }

  test('prints one line a migration, or that there is nothing to do, and exits with 0', async () => {
    await openEmpty();
    expect(await run({ DATABASE_URL: url })).toEqual({
      code: 0,
      out: own.map((name) => `applied ${name}\n`).join(''),
      err: '',
    });
    const again = await run({ DATABASE_URL: url });
    expect(again).toEqual({ code: 0, out: 'nothing to apply: the schema is up to date\n', err: '' });
  });

  test.each([
    ['no address', {}, /^DATABASE_URL or DB_HOST must be set.*\n$/],
    ['a malformed address', { DATABASE_URL: 'mysql://x' }, /^DATABASE_URL must begin with .*\n$/],
    [
      'a database that is away',
      { DATABASE_URL: 'postgres://x@127.0.0.1:1/x' },
      /^migrate: The database can’t be used: nothing listens there; .*\n$/,
    ],
  ])('with %s prints one line and exits with 1', async (_what, env, line) => {
    const { code, out, err } = await run(env);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(line);
  });
});

describe('a test database', () => {
  test('has the newest schema', async () => {
    const database: TestDatabase = await createTestDatabase('newest');
    const client = new pg.Client(database.url);
    await client.connect();
    expect(await schemaVersion(client)).toBeGreaterThanOrEqual(neededSchemaVersion);
    await client.end();
    await database.drop();
  });
});
