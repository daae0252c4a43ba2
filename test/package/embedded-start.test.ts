import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { callLocalApi, readAdminKey } from '../support/call-local-api.ts';
import { isLong } from '../support/long-run.ts';
import { makeUser, type TestUser } from '../support/make-user.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import {
  cleanEnvironment,
  killAll,
  type NpmStart,
  runNpmStart,
  type StartedProcess,
  waitUntilGone,
} from '../support/run-npm-start.ts';
import { startReceiver } from '../support/webhook-receiver.ts';

const project = resolve(import.meta.dirname, '../..');
const { start: startScript } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).scripts as {
  start: string;
};
const seen: StartedProcess[] = [];
/** Each start is quick alone; on a machine that does much else at once, flushing a new database to disk is not. */
const patienceMillis = 600_000;
jest.setTimeout(patienceMillis);

/** A scratch directory, the home of secrets and data in it, and a port for the API. */
type Place = { scratch: string; home: string; port: number };

const isRoot = process.getuid?.() === 0;

/**
 * By an ordinary user, in a copy of the project, where root can make one; else by whoever runs the tests. That root can
 * run it shows dead-log.test.ts.
 */
describe('npm start', () => {
  let place: Place;
  let options: RunOptions;
  let user: TestUser | undefined;
  let running: NpmStart;

  beforeAll(async () => {
    place = await makePlace();
    options = {};
    if (isRoot) {
      user = makeUser();
      const directory = copyProject(user.home, packagesOfProduction());
      removeLinks(directory);
      execFileSync('chown', [`${user.uid}:${user.gid}`, directory]);
      place.home = join(directory, '.qurable');
      options = { directory, account: user };
    }
    running = await start(place, options);
  });

  afterAll(async () => {
    await clean(place);
    user?.remove();
  });

  requireOrSkip('root, who can run npm start as other users', isRoot)('by an ordinary user', () => {
    test('runs in a home of mode 0700, with packages that the user cannot change', () => {
      expect(statSync(user!.home).mode & 0o777).toBe(0o700);
      expect(statSync(`/proc/${running.node()}`).uid).toBe(user!.uid);
      expect(statSync(join(options.directory!, libraries)).uid).toBe(0);
    });
  });

  test('answers /ready and prints the address and the key that it keeps readable by its user only', () => {
    expect(running.output()).toContain(`Qurable is running at http://127.0.0.1:${place.port}`);
    expect(running.output()).toContain(readAdminKey(place.home));
    expect(statSync(place.home).mode & 0o777).toBe(0o700);
    expect(statSync(join(place.home, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  test('prints a link that signs one browser in to the console, once', async () => {
    const address = `http://127.0.0.1:${place.port}`;
    const link = new RegExp(`${address}/console/enter#(\\S+)`).exec(running.output())?.[1];
    const open = () =>
      fetch(`${address}/console/session`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', origin: address },
        body: JSON.stringify({ link }),
      });
    const first = await open();
    const cookie = first.headers.get('set-cookie')!.split(';')[0]!;
    expect((await fetch(`${address}/v1/books`, { headers: { cookie } })).status).toBe(200);
    expect((await open()).status).toBe(401);
  });

  test('tells a webhook on this machine of what happens', async () => {
    const receiver = await startReceiver();
    const body = JSON.stringify({ url: receiver.url, events: ['coupon.redeemed'] });
    const { id } = await callLocalApi(place, 201, '/v1/webhooks', { method: 'POST', body });
    await callLocalApi(place, 202, `/v1/webhooks/${id}/test`, { method: 'POST', body: '{}' });
    while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(receiver.received).toMatchObject([{ type: 'webhook.test', data: { webhookId: id } }]);
    await receiver.close();
  });

  test('says which migrations it applied, as lines that a program can read where nobody is at a terminal', () => {
    const line =
      /^{"level":"info","time":"[^"]+","service":"qurable-api","migration":"0001_\w+","msg":"applied a migration"}$/m;
    expect(running.output()).toMatch(line);
  });

  test('a second time in one checkout says so in one line, and the first goes on', async () => {
    const refused = run({ ...place, port: await findFreePort() }, options);
    expect(await refused.ended).toBe(1);
    const line = /^Qurable is already running on .* \(process \d+\); stop it first\.$/;
    expect(ownLines(refused.output())).toEqual([expect.stringMatching(line)]);
    expect((await fetch(`http://127.0.0.1:${place.port}/ready`)).status).toBe(200);
  });

  test('after kill -9 of Node recovers with every book, under the same key', async () => {
    running = await killAndStartAgain(place, running, options);
  });

  test('ends at a Ctrl-C and leaves no process', async () => {
    await stop(running);
    expect(running.output()).toContain('Stopping');
    // A warning of what a slow machine did, such as marks that came late, is no error.
    const lines = running.output().split('\n');
    expect(lines.filter((line) => /error/i.test(line) && !line.includes('"level":"warn"'))).toEqual([]);
  });
});

describe('npm start on what is not right', () => {
  let place: Place;

  beforeEach(async () => {
    place = await makePlace();
  });

  afterEach(() => clean(place));

  test('with its port in use says so in one line, and starts nothing', async () => {
    const server = createServer().listen(place.port, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const refused = run(place);
    expect(await refused.ended).toBe(1);
    server.close();
    expect(ownLines(refused.output())).toEqual([expect.stringMatching(new RegExp(`^Port ${place.port} is in use`))]);
    expect(readdirSync(place.home)).toEqual(['secrets.json']);
  });

  test('with a malformed variable names it in one line, and starts nothing', async () => {
    expect(await runWithoutNpm(place, { LOG_LEVEL: 'loud' })).toEqual([1, [expect.stringContaining('LOG_LEVEL')]]);
    expect(readdirSync(place.home)).toEqual(['secrets.json']);
  });

  test.each([
    [
      'a home where no directory can be made',
      { QURABLE_HOME: '/proc/qurable' },
      /^\/proc\/qurable\/secrets\.json cannot be used: .*; set QURABLE_HOME/,
    ],
    ['a replica of a database that is not named', { DB_REPLICA_HOST: 'replica' }, /^DB_REPLICA_HOST is set without/],
  ])('with %s says so in one line, and ends', async (_what, environment, line) => {
    expect(await runWithoutNpm(place, environment)).toEqual([1, [expect.stringMatching(line)]]);
  });

  test('with the port of its metrics in use says so in one line, and tells of a variable that looks misspelt', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as AddressInfo;
    const [status, lines] = await runWithoutNpm(place, { METRICS_PORT: String(port), RATE_LIMIT: '5' });
    server.close();
    expect(status).toBe(1);
    expect(lines).toEqual([
      expect.stringMatching(/^RATE_LIMIT is not a variable that Qurable knows, .* RATE_LIMIT_PER_SECOND meant\?$/),
      expect.stringMatching(new RegExp(`^Port ${port} is in use; .*METRICS_PORT=`)),
    ]);
    expect(readdirSync(place.home)).toEqual(['secrets.json']);
  });

  test('drains after the first Ctrl-C and ends at once at the second', async () => {
    const module = new URL('../../containers/local/listen-for-stop.ts', import.meta.url).href;
    const program = `
      import { listenForStop } from ${JSON.stringify(module)};
      setInterval(() => {}, 1_000);
      listenForStop().requested.then(() => console.log('draining'));
      console.log('listening');
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program]);
    for (const expected of ['listening', 'draining']) {
      expect(String(await new Promise((said) => child.stdout.once('data', said)))).toBe(`${expected}\n`);
      child.kill('SIGINT');
    }
    expect(await new Promise((ended) => child.once('exit', ended))).toBe(130);
  });

  test('under another Node than 24 says so in one line', () => {
    const other = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { node: '22.1.0' } })`;
    const imports = ['--import', other, '--import', './containers/local/require-node-24.js'];
    const { status, stderr } = spawnSync(process.execPath, [...imports, '-e', '0'], { cwd: project, encoding: 'utf8' });
    expect(stderr).toMatch(/^Qurable runs on Node 24, and this is Node 22\.1\.0; .*\n$/);
    expect(status).toBe(1);
  });

  test('makes the links between libraries that an install without scripts leaves out', () => {
    chmodSync(place.scratch, 0o711);
    const copy = copyProject(place.scratch, [`node_modules/${postgresPackage}`]);
    const links = removeLinks(copy);
    const module = join(copy, 'containers/local/postgres/prepare-binaries.ts');
    const program = `import { prepareBinaries } from ${JSON.stringify(module)}; prepareBinaries(undefined, '/nowhere/data');`;
    execFileSync(process.execPath, ['--input-type=module', '-e', program]);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((name) => !existsSync(join(copy, libraries, name)))).toEqual([]);
  });
});

// Each half is shown in every run: a start by root in dead-log.test.ts, data that survive kill -9 under root in
// embedded-postgres.test.ts. And `.ci/run` does this in a clone.
(isLong && isRoot ? describe : describe.skip)('npm start by root', () => {
  test('in a home of mode 0700 recovers after kill -9', async () => {
    const place = await makePlace();
    try {
      const directory = copyProject(place.scratch, packagesOfProduction());
      place.home = join(directory, '.qurable');
      expect(statSync(place.scratch).mode & 0o777).toBe(0o700);
      const first = await start(place, { directory });
      await stop(await killAndStartAgain(place, first, { directory }));
    } finally {
      await clean(place);
    }
  });
});

async function makePlace(): Promise<Place> {
  const scratch = mkdtempSync(join(tmpdir(), 'qurable-start-'));
  return { scratch, home: join(scratch, 'home'), port: await findFreePort() };
}

async function clean({ scratch, home }: Place): Promise<void> {
  killAll(seen);
  await waitUntilGone(seen.splice(0));
  // Under root the data lies elsewhere, behind a link.
  const data = join(home, 'postgres');
  if (lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink())
    rmSync(dirname(readlinkSync(data)), { recursive: true });
  rmSync(scratch, { recursive: true, force: true });
}

type RunOptions = { directory?: string; account?: TestUser };

/** A copy of the project keeps its home where it is by default; the project itself is given one for the test. */
function run({ home, port }: Place, { directory, account }: RunOptions = {}): NpmStart {
  const environment: Record<string, string> = directory === undefined ? { QURABLE_HOME: home } : {};
  return runNpmStart({ directory: directory ?? project, port, environment, account });
}

async function start(place: Place, options?: RunOptions): Promise<NpmStart> {
  const started = run(place, options);
  await started.ready();
  seen.push(...started.processes());
  return started;
}

async function killAndStartAgain(place: Place, first: NpmStart, options?: RunOptions): Promise<NpmStart> {
  const book = await callLocalApi(place, 201, '/v1/books', {
    method: 'POST',
    body: JSON.stringify({ name: 'Verano 2026' }),
  });
  process.kill(first.node(), 'SIGKILL');
  await first.ended;
  const second = await start(place, options);
  expect(await callLocalApi(place, 200, `/v1/books/${book.id}`)).toEqual(book);
  return second;
}

async function stop(started: NpmStart): Promise<void> {
  const processes = started.processes();
  // npm, Node, PostgreSQL's supervisor, PostgreSQL and its five helpers: an empty list would prove nothing.
  expect(processes.length).toBeGreaterThanOrEqual(9);
  started.pressCtrlC();
  // npm passes the signal on as its own end once the program has ended.
  expect([0, null]).toContain(await started.ended);
  await waitUntilGone(processes);
}

/** What `npm start` runs, on what ends it soon: npm takes as long again. Gives its exit status and what it said. */
async function runWithoutNpm({ home, port }: Place, environment: Record<string, string>): Promise<[unknown, string[]]> {
  const [, ...args] = startScript.split(' ');
  const env = { ...cleanEnvironment(), PORT: String(port), QURABLE_HOME: home, ...environment };
  const child = spawn(process.execPath, args, { cwd: project, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += String(data)));
  const [status] = await once(child, 'close');
  return [status, ownLines(output)];
}

/** What the program itself printed: all but npm's header. */
function ownLines(output: string): string[] {
  const lines = output.split('\n');
  return lines.filter((line) => line !== '' && !line.startsWith('> ') && !line.startsWith('npm '));
}

/**
 * Copies what `npm start` runs. The packages have very many files, so they become hard links where the disk allows it.
 * What was built of the console stays newer than its sources, so it is not built again.
 */
function copyProject(into: string, packages: string[]): string {
  const copy = join(into, 'project');
  mkdirSync(copy);
  for (const name of ['package.json', 'core', 'containers', 'migrations'])
    cpSync(join(project, name), join(copy, name), { recursive: true, preserveTimestamps: true });
  try {
    execFileSync('cp', ['-al', '--parents', ...packages, copy], { cwd: project, stdio: 'ignore' });
  } catch {
    for (const path of packages)
      cpSync(join(project, path), join(copy, path), { recursive: true, verbatimSymlinks: true });
  }
  return copy;
}

/** The folders of all packages but those for development, as `npm ci --omit=dev` installs them. */
function packagesOfProduction(): string[] {
  const { packages } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>;
  };
  const folders = Object.keys(packages).filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
  const wanted = folders.filter((path) => !packages[path]!.dev && existsSync(join(project, path)));
  return ['node_modules/.bin', ...wanted];
}

const postgresPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
const libraries = `node_modules/${postgresPackage}/native/lib`;

/** Brings a copy into the state that `npm ci --ignore-scripts` leaves, and returns the names of the links. */
function removeLinks(copy: string): string[] {
  const directory = join(copy, libraries);
  const links = readdirSync(directory).filter((name) => lstatSync(join(directory, name)).isSymbolicLink());
  for (const name of links) rmSync(join(directory, name));
  return links;
}
