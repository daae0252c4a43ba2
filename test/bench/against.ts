import { existsSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { silentLog } from '../../core/log.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { uploadLines } from './database/make-book.ts';
import type { Figures } from './figures/figures.ts';
import { median } from './figures/median.ts';
import { hasProgram } from './load/run-program.ts';
import type { Item, Load } from './load/wrk-script.ts';
import { measure } from './measure.ts';
import type { BenchServer } from './servers/start-server.ts';
import { openStage, type Stage } from './stage.ts';

const usage = `npm run bench:against -- DIRECTORY [--starts 8] [--rounds 4] [--seconds 1]

Compares this checkout with another one in DIRECTORY, whose packages are installed: each has a process of its API and a
database of its own on one PostgreSQL, and they take turns of --seconds under full load, this one first in one round
and the other one in the next; the first three turns do not count. What slows the machine down for a while slows both,
so a ratio of two turns right after one another says what two runs a few minutes apart can't. Two processes of the same
code still differ by a tenth for as long as they live, so --starts pairs of them are started, one after the other, each
for --rounds. A figure is the median of the starts, and a start's figure is the median of its rounds. Above 1, this
checkout does more a second, or costs more.`;

/** One of the two that are compared, and its database. */
interface Side {
  checkout: string;
  databaseUrl: string;
}

/** A side's process, and the book that it works on while it lives. */
interface Running {
  server: BenchServer;
  bookId: string;
}

/** What is called of another checkout, which has had it for long. */
type Migrations = Pick<typeof import('../../core/db/migrate.ts'), 'migrateToLatest'>;

/** Ratios of this checkout's figure by the other's: one a round, or one a start. */
interface Ratios {
  rate: number[];
  serverCpu: number[];
  databaseCpu: number[];
}

const codesOfUpload = 100_000;
/** Turns that do not count: what is new to a process is compiled first, and a service lives for days. */
const warmingRounds = 3;
const root = resolve(import.meta.dirname, '../..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    starts: { type: 'string', default: '8' },
    rounds: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const missing = ['wrk', 'psql'].filter((name) => !hasProgram(name));

if (values.help || positionals.length !== 1) console.log(usage);
else if (missing.length > 0) {
  console.error(`bench:against needs ${missing.join(', ')} on the PATH (Debian: wrk, postgresql-client).`);
  process.exitCode = 1;
} else if (!existsSync(join(positionals[0]!, 'node_modules/pg'))) {
  console.error(`bench:against: ${positionals[0]} is no checkout whose packages are installed (npm ci).`);
  process.exitCode = 1;
} else await compare(realpathSync(positionals[0]!));

async function compare(other: string): Promise<void> {
  const stage = await openStage();
  try {
    const sides: [Side, Side] = [
      await openSide(stage, root, 'this_checkout'),
      await openSide(stage, other, 'other_checkout'),
    ];
    const figures = new Map<string, Ratios>();
    for (let start = 0; start < Number(values.starts); start += 1) {
      const running = await startBoth(stage, sides, start);
      for (const [operation, ratios] of await compareRunning(stage, running)) {
        const all = figures.get(operation) ?? { rate: [], serverCpu: [], databaseCpu: [] };
        figures.set(operation, all);
        for (const figure of ['rate', 'serverCpu', 'databaseCpu'] as const) {
          if (ratios[figure].length > 0) all[figure].push(median(ratios[figure]));
        }
      }
      for (const { server } of running) await server.stop();
    }
    console.log('| operation | rate | CPU of the API | CPU of PostgreSQL |\n| --- | --- | --- | --- |');
    for (const [operation, ratios] of figures) print(operation, ratios);
  } finally {
    await stage.close();
  }
}

/** Every operation with one pair of processes. */
async function compareRunning(stage: Stage, sides: [Running, Running]): Promise<Map<string, Ratios>> {
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  const turns = (loadOf: (side: Running, round: number) => Load) => takeTurns(stage, sides, rounds, seconds, loadOf);
  const assign = ({ bookId }: Running): Load => ({ kind: 'assign', bookIds: [bookId], perBook: 0 });
  const assigned = await turns(assign);
  const held = new Map<Running, Item[]>();
  for (const side of sides) {
    // More coupons than can be redeemed in as many turns, so that none of these ends early.
    await load(stage, side, assign(side), rounds * seconds);
    held.set(side, await readHeld(side));
  }
  const share = Math.floor(Math.min(...[...held.values()].map(({ length }) => length)) / (rounds + warmingRounds));
  const firstOf = (side: Running) => held.get(side)!.slice(0, share);
  return new Map([
    ['assign', assigned],
    ['validate', await turns((side) => ({ kind: 'validate', items: firstOf(side) }))],
    ['list a user’s coupons', await turns((side) => ({ kind: 'list', items: firstOf(side) }))],
    [
      'redeem',
      await turns((side, round) => ({
        kind: 'redeem',
        items: held.get(side)!.slice(share * (round + warmingRounds), share * (round + warmingRounds + 1)),
      })),
    ],
    ['upload', await uploadInTurns(sides, rounds)],
  ]);
}

/** A database that the checkout's own migrations made. */
async function openSide(stage: Stage, checkout: string, name: string): Promise<Side> {
  await stage.observer.query(`create database ${name}`);
  const url = new URL(stage.postgres.url);
  url.pathname = `/${name}`;
  const { migrateToLatest } = (await import(join(checkout, 'core/db/migrate.ts'))) as Migrations;
  await migrateToLatest({ connectionString: url.href }, silentLog);
  return { checkout, databaseUrl: url.href };
}

/** Starts each checkout's API as a container does, this one first at each second start. */
async function startBoth(stage: Stage, sides: [Side, Side], start: number): Promise<[Running, Running]> {
  const running = new Map<Side, Running>();
  for (const side of inTurn(sides, start)) {
    const environment = { DATABASE_URL: side.databaseUrl };
    const server = await stage.startServer({ kind: 'api', checkout: side.checkout, environment });
    const bookId = await makeBook(server);
    await post(server, `/v1/books/${bookId}/codes/generate`, {
      count: 100_000_000,
      pattern: `BENCH${start}-##########`,
    });
    running.set(side, { server, bookId });
  }
  return [running.get(sides[0])!, running.get(sides[1])!];
}

function inTurn<T>(both: [T, T], round: number): T[] {
  return round % 2 === 0 ? both : both.toReversed();
}

/** The rounds, those that warm up, below 0, first. */
async function takeTurns(
  stage: Stage,
  sides: [Running, Running],
  rounds: number,
  seconds: number,
  loadOf: (side: Running, round: number) => Load,
): Promise<Ratios> {
  const ratios: Ratios = { rate: [], serverCpu: [], databaseCpu: [] };
  for (let round = -warmingRounds; round < rounds; round += 1) {
    const figures = new Map<Running, Figures>();
    for (const side of inTurn(sides, round)) {
      figures.set(side, await load(stage, side, loadOf(side, round), seconds));
    }
    if (round < 0) continue;
    const [mine, others] = sides.map((side) => figures.get(side)!) as [Figures, Figures];
    ratios.rate.push(mine.perSecond / others.perSecond);
    ratios.serverCpu.push(mine.serverCpu! / others.serverCpu!);
    ratios.databaseCpu.push(mine.databaseCpu! / others.databaseCpu!);
  }
  return ratios;
}

function load(stage: Stage, { server }: Running, what: Load, seconds: number): Promise<Figures> {
  return measure(stage, { load: what, servers: [server], seconds, connections: 256, behind: 'postgres' });
}

async function uploadInTurns(sides: [Running, Running], rounds: number): Promise<Ratios> {
  const rate: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const millis = new Map<Running, number>();
    for (const side of inTurn(sides, round)) {
      const bookId = await makeBook(side.server);
      const began = performance.now();
      await post(side.server, `/v1/books/${bookId}/codes`, Readable.from(uploadLines(codesOfUpload, `UP${round}`)));
      millis.set(side, performance.now() - began);
    }
    rate.push(millis.get(sides[1])! / millis.get(sides[0])!);
  }
  return { rate, serverCpu: [], databaseCpu: [] };
}

/** The coupons that were given out, out of the export of a book's codes. */
async function readHeld({ server, bookId }: Running): Promise<Item[]> {
  const headers = { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`, accept: 'text/csv' };
  const answer = await fetch(`${server.address}/v1/books/${bookId}/codes?status=assigned`, { headers });
  const [heading = '', ...lines] = (await answer.text()).trim().split(/\r?\n/);
  const [code, userId] = ['code', 'userId'].map((column) => heading.split(',').indexOf(column)) as [number, number];
  return lines.map((line) => line.split(',')).map((cells) => ({ code: cells[code]!, userId: cells[userId]! }));
}

async function makeBook(server: BenchServer): Promise<string> {
  const book = { name: 'bench', status: 'active', maxCodesPerUser: 3, maxRedemptionsPerCode: 1 };
  return (await post(server, '/v1/books', book)).id!;
}

/** @param body JSON, or the lines of a file of codes */
async function post(server: BenchServer, path: string, body: object | Readable): Promise<{ id?: string }> {
  const isFile = body instanceof Readable;
  const answer = await fetch(`${server.address}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`,
      'content-type': isFile ? 'text/csv' : 'application/json',
    },
    body: isFile ? (Readable.toWeb(body) as ReadableStream) : JSON.stringify(body),
    ...(isFile ? { duplex: 'half' as const } : {}),
  });
  if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { id?: string };
}

/** The median of the starts, and between which two values their middle half lies. */
function print(operation: string, ratios: Ratios): void {
  const cell = (all: number[]) => {
    if (all.length === 0) return '';
    const sorted = all.toSorted((one, another) => one - another);
    const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(2);
    return `${median(all).toFixed(3)} (${at(0.25)} to ${at(0.75)})`;
  };
  console.log(`| ${operation} | ${cell(ratios.rate)} | ${cell(ratios.serverCpu)} | ${cell(ratios.databaseCpu)} |`);
}
