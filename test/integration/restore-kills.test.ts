import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { ApiClient } from '../support/api-client.ts';
import { bareEnvironment } from '../support/bare-environment.ts';
import { commandProgram } from '../support/bundle-api.ts';
import { findBrokenInvariants } from '../support/check-invariants.ts';
import { type FaultProxy, openFaultProxy } from '../support/fault-proxy.ts';
import { isLong } from '../support/long-run.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase } from '../support/start-postgres.ts';
import { backUp, restore } from '../support/turn-back-time.ts';

/** Seconds for which the database stalls before it dies. */
const stalls = isLong ? Array.from({ length: 20 }, (_, at) => [0, 3, 20][at % 3]!) : [3];
const clients = 6;
/** More than are given before the kill; all that are left are drawn afterwards. */
const codesOfDeck = isLong ? 12_000 : 4_000;
const roundMillis = 240_000;
jest.setTimeout(stalls.length * roundMillis);

const tally = new Map<number, Record<string, number>>();
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qurable-restore-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
  if (isLong) console.log(Object.fromEntries(tally));
});

/** A code that somebody was told is theirs, or void. */
interface Acknowledged {
  code: string;
  how: 'drawn' | 'by name';
}

test.each(stalls.map((stallSeconds, at) => ({ stallSeconds, at })))(
  'no code that was given to somebody goes to a second user after the database lost what was last written and the task died with it (kill $at, after a stall of $stallSeconds s)',
  async ({ stallSeconds, at }) => {
    const database = await createTestDatabase('restore kills');
    const pool = new pg.Pool({ connectionString: database.url, max: 2 });
    pool.on('error', () => {});
    const proxy = await openFaultProxy(database.url);
    try {
      const marks = join(folder, `marks-${at}.log`);
      const { bookId, given } = await serveUntilKilled({ proxy, pool, marks, stallSeconds, at });
      const lost = await loseWhatCameLast(pool, given);
      for (const how of ['drawn', 'by name'] as const) {
        expect({ how, lost: lost.filter((one) => one.how === how).length > 0 }).toEqual({ how, lost: true });
      }
      await settle(database.url, bookId, marks);
      const twice = await giveAgain(database.url, bookId, given);
      note(stallSeconds, given, lost, twice);
      expect(twice).toEqual([]);
      expect(await findBrokenInvariants(database.url)).toEqual([]);
    } finally {
      await proxy.close();
      await pool.end();
      await database.drop();
    }
  },
);

interface Service {
  proxy: FaultProxy;
  pool: pg.Pool;
  marks: string;
  stallSeconds: number;
  at: number;
}

/** Serves draws and codes by name from one task; keeps its log as far as it got out of the process. */
async function serveUntilKilled({ proxy, pool, marks, stallSeconds, at }: Service) {
  const api = await startApiProcess(proxy.url, { LOG_LEVEL: 'info' });
  const log: Buffer[] = [];
  api.process.stdout!.on('data', (data: Buffer) => log.push(data));
  const logEnds = once(api.process.stdout!, 'close');
  const client = new ApiClient([api.address]);
  const { bookId, names } = await makeBook(new ApiClient([api.address], true));
  const given: Acknowledged[] = [];
  const load = startLoad(client, bookId, names, given);
  await untilGiven(given, 200);
  await backUp(pool);
  await untilGiven(given, given.length + 200);
  if (stallSeconds > 0) {
    const resume = proxy.stallAll();
    await sleep(stallSeconds * 1_000);
    resume();
  }
  await untilGiven(given, given.length + 400);
  // At another moment of a second each time.
  await sleep((at * 137) % 1_000);
  await api.stop('SIGKILL');
  load.stop();
  await logEnds;
  await load.ended;
  writeFileSync(marks, Buffer.concat(log));
  return { bookId, given };
}

async function makeBook(client: ApiClient): Promise<{ bookId: string; names: string[] }> {
  const { body } = await client.post('/v1/books', { name: 'Killed', status: 'active' });
  const names = Array.from({ length: codesOfDeck }, (_, index) => `KILL-${index}`);
  const upload = await client.call('POST', `/v1/books/${body.id}/codes`, names.join('\n'), {
    'content-type': 'text/csv',
  });
  expect(upload.body.accepted).toBe(codesOfDeck);
  const pattern = { count: codesOfDeck, pattern: 'GEN-####-####' };
  expect((await client.post(`/v1/books/${body.id}/codes/generate`, pattern)).status).toBe(201);
  return { bookId: body.id, names };
}

/** Clients that draw, and clients that take codes by name or void them, each one request after the other. */
function startLoad(client: ApiClient, bookId: string, names: string[], given: Acknowledged[]) {
  let isStopped = false;
  let number = 0;
  const work = async (act: () => Promise<Acknowledged | null>) => {
    while (!isStopped) {
      // The task may die under it, or be too busy; then nobody was told anything.
      const one = await act().catch(() => null);
      if (one !== null) given.push(one);
      await sleep(5);
    }
  };
  const draw = async (): Promise<Acknowledged | null> => {
    number += 1;
    const { status, body } = await client.post('/v1/coupons/assign', { bookId, userId: `drawer-${number}` });
    return status === 201 ? { code: body.code, how: 'drawn' } : null;
  };
  const byName = async (): Promise<Acknowledged | null> => {
    number += 1;
    const code = names.pop()!;
    const { status } =
      number % 8 === 0
        ? await client.post(`/v1/coupons/${code}/void`, {})
        : await client.post(`/v1/coupons/${code}/assign`, { userId: `namer-${number}` });
    return status === 200 || status === 201 ? { code, how: 'by name' } : null;
  };
  const all = Array.from({ length: clients }, () => [work(draw), work(byName)]).flat();
  return {
    stop: () => {
      isStopped = true;
    },
    ended: Promise.all(all),
  };
}

async function untilGiven(given: Acknowledged[], count: number): Promise<void> {
  while (given.length < count) await sleep(10);
}

/** Takes the database back, and returns what it has forgotten of what was given. */
async function loseWhatCameLast(pool: pg.Pool, given: Acknowledged[]): Promise<Acknowledged[]> {
  const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name like 'qurable%'`;
  while ((await pool.query(`select pg_terminate_backend(pid) ${others}`)).rowCount! > 0) await sleep(20);
  await restore(pool);
  const { rows } = await pool.query<{ code: string }>('select code from coupons');
  const known = new Set(rows.map(({ code }) => code));
  return given.filter(({ code }) => !known.has(code));
}

/** What an operator does. */
async function settle(databaseUrl: string, bookId: string, marks: string): Promise<void> {
  const dryRun = await afterRestore(databaseUrl, '--marks', marks);
  expect(dryRun).toContain('Nothing was changed');
  const said = await afterRestore(databaseUrl, '--marks', marks, '--apply');
  expect(said).toContain(`book ${bookId}: active, is paused now`);
  expect(said).toContain(' 0 of them by the margin alone');
  expect(said).not.toContain('GAP');
  expect(await afterRestore(databaseUrl, '--resume')).toContain(`active again: book ${bookId}`);
}

async function afterRestore(databaseUrl: string, ...args: string[]): Promise<string> {
  const command = await commandProgram('core/restore/after-restore-command.ts');
  const env = { ...bareEnvironment(), DATABASE_URL: databaseUrl, ...testSecrets };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [command, ...args], { env }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${stdout}${stderr}`));
    });
  });
}

/** Asks for every code by its name, then draws all that is left; returns what was given a second time. */
async function giveAgain(databaseUrl: string, bookId: string, given: Acknowledged[]): Promise<Acknowledged[]> {
  const api = await startApiProcess(databaseUrl);
  try {
    const client = new ApiClient([api.address], true);
    const again = new Set<string>();
    const asked = [...given];
    const ask = async () => {
      for (let one = asked.pop(); one !== undefined; one = asked.pop()) {
        const { status } = await client.post(`/v1/coupons/${one.code}/assign`, { userId: 'second' });
        if (status === 201) again.add(one.code);
      }
    };
    await Promise.all(Array.from({ length: 20 }, ask));
    for (let drawn = 1, from = 0; drawn > 0; from += 5_000) {
      const userIds = Array.from({ length: 5_000 }, (_, index) => `third-${from + index}`);
      const { status, body } = await client.post('/v1/coupons/assign-batch', { bookId, userIds }, `batch-${from}`);
      expect(status).toBe(200);
      const codes = (body.results as { code?: string }[]).flatMap(({ code }) => code ?? []);
      for (const code of codes) again.add(code);
      drawn = codes.length;
    }
    // What is left is drawn to the end, so a code that could be drawn twice was.
    expect(again.size).toBeGreaterThan(codesOfDeck);
    return given.filter(({ code }) => again.has(code));
  } finally {
    await api.stop();
  }
}

function note(stallSeconds: number, given: Acknowledged[], lost: Acknowledged[], twice: Acknowledged[]): void {
  const sums = tally.get(stallSeconds) ?? {
    kills: 0,
    given: 0,
    lostDrawn: 0,
    lostByName: 0,
    twiceDrawn: 0,
    twiceByName: 0,
  };
  const count = (list: Acknowledged[], how: Acknowledged['how']) => list.filter((one) => one.how === how).length;
  sums.kills! += 1;
  sums.given! += given.length;
  sums.lostDrawn! += count(lost, 'drawn');
  sums.lostByName! += count(lost, 'by name');
  sums.twiceDrawn! += count(twice, 'drawn');
  sums.twiceByName! += count(twice, 'by name');
  tally.set(stallSeconds, sums);
}
