/**
 * Shows what a newcomer gets: `git clone`, `npm ci`, `npm start`, on real clones, as root and as an ordinary user made
 * for it, each in a home of mode 0700 of its own. Prints one line a step and exits with 1 at the first thing that is
 * not so.
 *
 *   node test/package/fresh-clone-start.ts [--packages-are-there] [--wait]
 *
 * With --packages-are-there root's clone gets a copy of what `npm ci` has put into this checkout, as `.ci/run` has seen
 * root do it a moment ago: the same again takes a minute of a processor. With --wait the starts, which are timed, come
 * once there is a line on standard input; where that ends without one, nobody wants them any more.
 *
 * What is not committed is not in a clone. Needs the npm registry and git; without root only the present user is shown.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, lstatSync, mkdtempSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { callLocalApi } from '../support/call-local-api.ts';
import { makeUser, type TestUser } from '../support/make-user.ts';
import {
  cleanEnvironment,
  killAll,
  type NpmStart,
  runNpmStart,
  type StartedProcess,
  waitUntilGone,
} from '../support/run-npm-start.ts';

const project = resolve(import.meta.dirname, '../..');
/** Six seconds for two at once. Much more would mean that a start does what belongs into the install. */
const readyWithinSeconds = 100;
const arePackagesThere = process.argv.includes('--packages-are-there');
const waits = process.argv.includes('--wait');

const isRoot = process.getuid?.() === 0;
if (!isRoot && process.env.CI === 'true')
  throw new Error('CI=true and this is not root, who could make an ordinary user.');
if (!isRoot) say('SKIPPED: without root there is no making another user.');
await showAll();

type Place = { who: string; home: string; directory: string; account: TestUser | undefined };
type Run = Place & { port: number };

async function showAll(): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'qurable-fresh-'));
  const user = isRoot ? makeUser() : undefined;
  try {
    const places = [placeIn(home, isRoot ? 'root' : 'the present user')];
    if (user !== undefined) places.push(placeIn(user.home, 'an ordinary user', user));
    const installs = places.map(install);
    // No home is removed under the feet of another one's npm.
    await Promise.allSettled(installs);
    await Promise.all(installs);
    if (waits && !(await isWanted())) return;
    const shown = places.map(async (place) => show({ ...place, port: await findFreePort() }));
    await Promise.allSettled(shown);
    await Promise.all(shown);
  } finally {
    user?.remove();
    rmSync(home, { recursive: true, force: true });
  }
}

async function isWanted(): Promise<boolean> {
  try {
    for await (const _ of createInterface({ input: process.stdin })) return true;
    return false;
  } finally {
    // Open, it would keep this process from ending.
    process.stdin.destroy();
  }
}

function placeIn(home: string, who: string, account?: TestUser): Place {
  return { who, home, directory: join(home, 'qurable'), account };
}

async function show(run: Run): Promise<void> {
  const seen: StartedProcess[] = [];
  try {
    await showStarts(run, seen);
    await showPortInUse(run);
  } finally {
    killAll(seen);
    await waitUntilGone(seen);
    deleteData(run.directory);
  }
}

async function install({ who, home, directory, account }: Place): Promise<void> {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', project, directory]);
  if (account !== undefined) execFileSync('chown', ['-R', `${account.uid}:${account.gid}`, directory]);
  if (arePackagesThere && account === undefined) return copyPackages(directory);
  const began = performance.now();
  const npm = spawn(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--fetch-retries=5'],
    {
      cwd: directory,
      env: cleanEnvironment(home),
      stdio: ['ignore', 'ignore', 'inherit'],
      ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
    },
  );
  const [code] = await once(npm, 'exit');
  if (code !== 0) throw new Error(`${who}: npm ci ended with exit code ${code}`);
  say(`${who}: npm ci in ${secondsSince(began)} s`);
}

/** Without what tests have kept among them. */
function copyPackages(directory: string): void {
  const from = join(project, 'node_modules');
  const filter = (source: string) => source !== join(from, '.cache');
  cpSync(from, join(directory, 'node_modules'), { recursive: true, verbatimSymlinks: true, filter });
}

/** The first start makes the data; after a kill the second one has them, and ends by Ctrl-C. */
async function showStarts(run: Run, seen: StartedProcess[]): Promise<void> {
  const api = { home: join(run.directory, '.qurable'), port: run.port };
  const first = await start(run, 'after the first start', seen);
  const book = await callLocalApi(api, 201, '/v1/books', {
    method: 'POST',
    body: JSON.stringify({ name: 'Verano 2026' }),
  });
  process.kill(first.node(), 'SIGKILL');
  await first.ended;
  const second = await start(run, 'with the data kept after kill -9', seen);
  await callLocalApi(api, 200, `/v1/books/${book.id}`);
  const processes = second.processes();
  second.pressCtrlC();
  await second.ended;
  await waitUntilGone(processes);
  say(`${run.who}: Ctrl-C left none of ${processes.length} processes`);
}

async function showPortInUse(run: Run): Promise<void> {
  const server = createServer().listen(run.port, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const refused = runNpmStart(run);
  const code = await refused.ended;
  server.close();
  const lines = refused
    .output()
    .split('\n')
    .filter((line) => line.startsWith('Port '));
  if (code !== 1 || lines.length !== 1)
    throw new Error(`a port in use gave exit code ${code} and:\n${refused.output()}`);
  say(`${run.who}: ${lines[0]}`);
}

async function start(run: Run, when: string, seen: StartedProcess[]): Promise<NpmStart> {
  const began = performance.now();
  const started = runNpmStart(run);
  await started.ready();
  seen.push(...started.processes());
  const seconds = secondsSince(began);
  say(`${run.who}: /ready in ${seconds} s ${when}`);
  if (seconds > readyWithinSeconds) throw new Error(`more than ${readyWithinSeconds} s`);
  return started;
}

/** Under root the data lies elsewhere, behind a link. */
function deleteData(directory: string): void {
  const data = join(directory, '.qurable/postgres');
  if (lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink())
    rmSync(dirname(readlinkSync(data)), { recursive: true });
}

function secondsSince(began: number): number {
  return Math.round((performance.now() - began) / 100) / 10;
}

function say(line: string): void {
  console.log(line);
}
