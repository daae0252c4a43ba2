import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { inspectProcess } from '../../containers/local/machine/inspect-process.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../containers/local/postgres/embedded-postgres.ts';
import { readPostmasterFile } from '../../containers/local/postgres/postmaster-file.ts';

const module = new URL('../../containers/local/postgres/embedded-postgres.ts', import.meta.url).href;

let root: string;
let dataDirectory: string;
let running: EmbeddedPostgres[];
let holders: ChildProcess[];

/** A cluster that each test begins with a copy of, because making one takes a second. */
let prepared: string;

beforeAll(async () => {
  running = [];
  prepared = makeRoot();
  dataDirectory = join(prepared, 'postgres');
  await (await start()).stop();
});

afterAll(() => rmSync(prepared, { recursive: true }));

beforeEach(() => {
  root = makeRoot();
  execFileSync('cp', ['-a', `${prepared}/.`, root]);
  dataDirectory = join(root, 'postgres');
  running = [];
  holders = [];
});

afterEach(async () => {
  for (const holder of holders) holder.kill('SIGKILL');
  for (const postgres of running) await postgres.stop();
  await waitUntil(() => {
    // Asked once: the file may go at any moment.
    const postmaster = readPostmasterFile(dataDirectory);
    return postmaster === null || !isRunning(postmaster.pid);
  });
  rmSync(root, { recursive: true, force: true });
});

describe('an embedded PostgreSQL', () => {
  test('keeps its data over a restart, and stopping leaves no process, not even where its supervisor is lost', async () => {
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(isRunning(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    process.kill(parentOf(second.pid), 'SIGKILL');
    await second.exited;
    await second.stop();
    expect(isRunning(second.pid)).toBe(false);
  });

  test('is closed to others, compares text by bytes and flushes every commit', async () => {
    const { url, port } = await start();
    const settings = ['listen_addresses', 'unix_socket_directories', 'fsync', 'synchronous_commit'];
    const shown: Record<string, unknown> = {};
    for (const name of settings) Object.assign(shown, (await query(url, `SHOW ${name}`))[0]);
    expect(Object.entries(shown)).toEqual([
      ['listen_addresses', '127.0.0.1'],
      ['unix_socket_directories', ''],
      ['fsync', 'on'],
      ['synchronous_commit', 'on'],
    ]);
    const guess = query(`postgres://qurable:guess@127.0.0.1:${port}/qurable`, 'SELECT 1');
    await expect(guess).rejects.toThrow('password authentication failed');
    expect(statSync(`${dataDirectory}.password`).mode & 0o777).toBe(0o600);
    const collation = `SELECT datcollate, pg_encoding_to_char(encoding) AS encoding FROM pg_database WHERE datname = 'qurable'`;
    expect(await query(url, collation)).toEqual([{ datcollate: 'C', encoding: 'UTF8' }]);
  });

  test('of two first starts at the same moment, one gets the data and the other one line', async () => {
    rmSync(dataDirectory, { recursive: true });
    rmSync(`${dataDirectory}.password`);
    const outcomes = await Promise.allSettled([hold(), hold()]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refusal = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refusal?.reason.message).toMatch(/^Qurable is already .*$/);
  });

  test('is refused with one line while another process uses the data; ends by itself after kill -9 of that one, and the next start has every commit', async () => {
    const holder = await hold('CREATE TABLE kept AS SELECT 42 AS answer');
    await expect(start()).rejects.toThrow(`Qurable is already running on ${dataDirectory} (process ${holder.pid})`);
    holder.process.kill('SIGKILL');
    await waitUntil(() => !isRunning(holder.server) && !isRunning(holder.supervisor));
    const next = await start();
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('that lost its supervisor and its starter is found and stopped by the next start, which has every commit', async () => {
    const holder = await hold('CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(holder.supervisor, 'SIGKILL');
    holder.process.kill('SIGKILL');
    const next = await start();
    expect(isRunning(holder.server)).toBe(false);
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('recovers every commit when all of its processes are killed', async () => {
    const holder = await hold('CREATE TABLE kept AS SELECT 42 AS answer');
    for (const pid of [holder.supervisor, holder.pid, holder.server]) process.kill(pid, 'SIGKILL');
    const next = await start();
    expect(await query(next.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  test('starts over a process file that names a stranger', async () => {
    const stranger = `${process.pid}\n${dataDirectory}\n1700000000\n5432\n\n127.0.0.1\n  1 2\nready\n`;
    writeFileSync(join(dataDirectory, 'postmaster.pid'), stranger);
    const next = await start();
    expect(await query(next.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('names a wanted port that is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    await expect(start({ port: port! })).rejects.toThrow(`Port ${port}, meant for PostgreSQL, is in use.`);
    server.close();
  });

  test('does not open data whose password file is gone, and says which file', async () => {
    rmSync(`${dataDirectory}.password`);
    await expect(start()).rejects.toThrow(`${dataDirectory}.password is missing`);
  });

  test('with an ephemeral root leaves no file, even after kill -9 of the process that started it', async () => {
    const holder = await hold('SELECT 1', root);
    holder.process.kill('SIGKILL');
    await waitUntil(() => !isRunning(holder.supervisor));
    expect(existsSync(root)).toBe(false);
  });
});

function makeRoot(): string {
  const made = mkdtempSync(join(quickDirectory(), 'qurable-embedded-'));
  // Under root the server is another user's, who must be let through to its data.
  chmodSync(made, 0o711);
  return made;
}

/** A disk in memory where there is room on one: most of the time of these tests would go into flushing new clusters. */
function quickDirectory(): string {
  if (!existsSync('/dev/shm')) return tmpdir();
  const { bavail, bsize } = statfsSync('/dev/shm');
  return bavail * bsize > 2 ** 30 ? '/dev/shm' : tmpdir();
}

async function start(options: { port?: number } = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({
    dataDirectory,
    settings: { shared_buffers: '16MB' },
    log: () => {},
    ...options,
  });
  running.push(postgres);
  return postgres;
}

type Holder = { process: ChildProcess; pid: number; supervisor: number; server: number };

/** Starts a process of its own that starts the server, runs a statement and then does nothing. */
async function hold(statement = 'SELECT 1', ephemeralRoot?: string): Promise<Holder> {
  const options = JSON.stringify({ dataDirectory, ephemeralRoot, settings: { shared_buffers: '16MB' } });
  const program = `
    import { startEmbeddedPostgres } from ${JSON.stringify(module)};
    import { Client } from 'pg';
    const postgres = await startEmbeddedPostgres({ ...${options}, log: () => {} }).catch((error) => {
      console.log(error.message);
      process.exit(1);
    });
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    await client.query(${JSON.stringify(statement)});
    console.log('ready');
  `;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  holders.push(holder);
  const said = await new Promise((resolve) => holder.stdout.once('data', (data) => resolve(String(data).trim())));
  if (said !== 'ready') throw new Error(String(said));
  const server = readPostmasterFile(dataDirectory)!.pid;
  return { process: holder, pid: holder.pid!, supervisor: parentOf(server), server };
}

function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function isRunning(pid: number): boolean {
  return inspectProcess(pid) !== null;
}

async function waitUntil(condition: () => boolean): Promise<void> {
  for (const began = performance.now(); !condition(); await delay(20)) {
    if (performance.now() - began > 120_000) throw new Error('it did not come true within 120 s');
  }
}

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
