import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type pg from 'pg';
import { openPool } from '../../core/db/pool.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { commandProgram } from '../support/bundle-api.ts';
import { makeArchive, makePastEvents } from '../support/event-archive.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

/** As many as several files hold, in the long run. */
const many = isLong ? 1_000_000 : 10_000;
const names = ['export-events', 'verify-events', 'import-events', 'reconcile'] as const;
type Name = (typeof names)[number];
const archive = makeArchive();
let database: TestDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await createTestDatabase('event_commands');
  pool = openPool(
    { connectionString: database.url },
    { max: 2, applicationName: 'test', statementTimeoutMillis: 300_000, onError: () => {} },
  );
});
afterAll(async () => {
  archive.remove();
  await pool.end();
  await database.drop();
});

interface Ran {
  code: number | null;
  out: string;
  err: string;
  seconds: number;
}

/** Starts a command. @param flags Node's own, in front of the program */
async function start(name: Name, args: string[], env: Record<string, string> = {}, flags: string[] = []) {
  const program = await commandProgram(`operations/events/${name}-command.ts`);
  const child = spawn(process.execPath, [...flags, program, ...args], {
    env: { ...bareEnvironment(), ...testSecrets, DATABASE_URL: database.url, EVENTS_ARCHIVE: archive.folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran: Ran = { code: null, out: '', err: '', seconds: 0 };
  const started = performance.now();
  child.stdout.on('data', (data: Buffer) => (ran.out += data.toString()));
  child.stderr.on('data', (data: Buffer) => (ran.err += data.toString()));
  const ended = new Promise<Ran>((done) =>
    child.once('close', (code) => done({ ...ran, code, seconds: (performance.now() - started) / 1_000 })),
  );
  return { child, ended };
}

const run = async (...given: Parameters<typeof start>) => (await start(...given)).ended;

/** One line on the standard error, and nothing done. */
function refused(words: RegExp) {
  return { code: 1, out: '', err: expect.stringMatching(new RegExp(`^.*${words.source}.*\n$`)) };
}

describe('the commands on events', () => {
  test('tell how they are used, and refuse what they do not know in a line', async () => {
    const helps = await Promise.all(names.map((name) => run(name, ['--help'])));
    expect(helps.map(({ code, out }) => [code, out.slice(0, out.indexOf(':'))])).toEqual(
      names.map((name) => [0, name]),
    );
    const refusals: [Name, string[], Record<string, string>, RegExp][] = [
      ['export-events', ['--nonsense'], {}, /Unknown option '--nonsense'/],
      ['verify-events', [], { EVENTS_ARCHIVE: '' }, /EVENTS_ARCHIVE must be set/],
      ['verify-events', [], { DATABASE_URL: 'postgres://nobody:x@127.0.0.1:1/none' }, /nothing listens there/],
      ['export-events', ['--drop'], {}, /--drop needs EVENTS_KEEP_MONTHS/],
      ['export-events', ['--drop'], { EVENTS_KEEP_MONTHS: '2' }, /must be a whole number from 3/],
      ['import-events', [], {}, /say which month: --month 2026-01/],
      ['import-events', ['--month', '2026-13'], {}, /2026-13 is no month/],
      ['import-events', ['--month', '2001-01'], {}, /has no manifest/],
      ['verify-events', [], {}, /nothing was exported to/],
      ['reconcile', ['--since', 'yesterday'], {}, /--since yesterday is no moment/],
    ];
    const ran = await Promise.all(refusals.map(([name, args, env]) => run(name, args, env)));
    expect(ran).toMatchObject(refusals.map(([, , , words]) => refused(words)));
  }, 900_000);

  test('say what to do where the place can’t be used', async () => {
    const file = join(archive.folder, 'a-file');
    writeFileSync(file, '');
    expect(await run('verify-events', [], { EVENTS_ARCHIVE: join(file, 'below') })).toMatchObject(
      refused(/a part of its path is a file: choose another folder by EVENTS_ARCHIVE/),
    );
    expect(await run('verify-events', [], { EVENTS_ARCHIVE: 'https://somewhere' })).toMatchObject(
      refused(/EVENTS_ARCHIVE must be a folder, or a bucket/),
    );
    if (process.getuid?.() !== 0) {
      chmodSync(archive.folder, 0o500);
      await makePastEvents(pool, 20, 1);
      expect(await run('export-events', [])).toMatchObject(refused(/this account may not use it/));
      chmodSync(archive.folder, 0o700);
    }
  });

  test(
    `${many} events are exported, though it is killed on the way, verified, removed and brought back, in 128 MB, and not with a flipped bit`,
    async () => {
      const month = await makePastEvents(pool, 6, many);
      // Less than the events have uncompressed: whoever keeps them all in memory fails.
      const flat = ['--max-old-space-size=128'];
      const killed = await start('export-events', []);
      await untilThere(() => hasManifest(month.month), killed.ended);
      killed.child.kill('SIGKILL');
      const before = await killed.ended;
      await untilItsSessionsEnd();
      const exported = await run('export-events', [], {}, flat);
      expect(exported).toMatchObject({ code: 0, err: '' });
      if (isLong) expect(exported.out).toMatch(/goes on after \d+,000 events/);
      // So few events of the short run may be through before it is killed.
      expect(before.out + exported.out).toContain(
        `${month.month}: ${new Intl.NumberFormat('en').format(many)} events in`,
      );
      const verified = await run('verify-events', [], {}, flat);
      expect(verified).toMatchObject({ code: 0, out: expect.stringContaining('and as the database has them') });
      const dropped = await run('export-events', ['--drop'], { EVENTS_KEEP_MONTHS: '5' }, flat);
      expect(dropped).toMatchObject({ code: 0, out: expect.stringContaining('removed from the database') });
      expect((await pool.query('select count(*) from events')).rows).toEqual([{ count: 0 }]);
      const file = join(
        archive.folder,
        (await archive.store.list())
          .filter((path) => path.endsWith('.gz'))
          .sort()
          .at(-1)!,
      );
      const good = readFileSync(file);
      const bad = Buffer.from(good);
      bad[good.length >> 1]! ^= 1;
      writeFileSync(file, bad);
      const isNotIt = refused(/\.ndjson\.gz is not what was exported: its checksum does not fit the manifest/);
      expect(await run('verify-events', [], {}, flat)).toMatchObject(isNotIt);
      expect(await run('import-events', ['--month', month.month], {}, flat)).toMatchObject(isNotIt);
      expect((await pool.query('select count(*) from events')).rows).toEqual([{ count: 0 }]);
      writeFileSync(file, good);
      const imported = await run('import-events', ['--month', month.month], {}, flat);
      expect(imported).toMatchObject({
        code: 0,
        out: `${month.month}: ${many} events are back, and compared with the archive\n`,
      });
      expect((await pool.query('select count(*) from events')).rows).toEqual([{ count: many }]);
      if (isLong)
        console.log(
          `${many} events: export ${exported.seconds.toFixed(1)} s, verification ${verified.seconds.toFixed(1)} s, removal ${dropped.seconds.toFixed(1)} s, import ${imported.seconds.toFixed(1)} s; ${exported.out.trim()}`,
        );
    },
    isLong ? 1_800_000 : 900_000,
  );

  /** The server notices late that nobody listens: until then the export that was killed is one that runs. */
  async function untilItsSessionsEnd(): Promise<void> {
    const others = `select from pg_stat_activity where datname = current_database()
      and backend_type = 'client backend' and application_name <> 'test'`;
    while ((await pool.query(others)).rowCount !== 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Once its first file is written down. */
  async function hasManifest(month: string): Promise<boolean> {
    return (await archive.store.get(`${month}/manifest.json`)) !== null;
  }
});

/** Or until the program has ended, where it was faster. */
async function untilThere(isThere: () => Promise<boolean>, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  while (!isOver && !(await isThere())) await new Promise((resolve) => setTimeout(resolve, 5));
}
