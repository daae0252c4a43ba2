/**
 * Shows that the API's image serves and stops as production needs: built without a Docker engine, run by a user that is
 * not root, on a root that can't be written to, without a capability; stopped with requests in flight, none of which
 * fails. Prints one line a fact and exits with 1 at the first that is not so.
 *
 *   node test/package/image-run.ts [DIRECTORY]
 *
 * With a directory that build-image.sh has filled nothing is built, and the directory stays.
 *
 * Needs root, buildah and debootstrap. A machine without them is told so in one line; with CI=true that is a failure.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { limits } from '../../core/index.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { createTestDatabase, startTestPostgres } from '../support/start-postgres.ts';

/** What an image says of how it is started. */
interface ImageConfig {
  User: string;
  Env: string[];
  Cmd: string[];
  WorkingDir: string;
  Healthcheck?: { Test: string[] };
}

const workers = 24;
/** Two seconds on an idle machine: this only ends what hangs. */
const startWithinMillis = 180_000;
/**
 * limits.drainMaxMillis, the pause before it, and what a process takes to end: below the task's stop timeout of 40 s.
 */
const stopWithinMillis = limits.drainMaxMillis + 10_000;
/** For how long it takes new connections after SIGTERM, less what a request takes on its way. */
const acceptsForMillis = 4_000;
/** Where nothing ran for so long, the machine stood still: what it shows of some seconds is worth nothing then. */
const stillMillis = 750;
const attempts = 5;
const megabyte = 1_000_000;

let root = '';
let config: ImageConfig;

const missing = process.getuid?.() !== 0 ? 'root' : ['buildah', 'debootstrap'].find((name) => !isOnPath(name));
if (missing === undefined) await show();
else if (process.env.CI === 'true') throw new Error(`CI=true and this machine lacks ${missing}.`);
else console.error(`\nSKIPPED: the image is not built, because this machine lacks ${missing}.\n`);

async function show(): Promise<void> {
  const built = process.argv[2];
  const directory = built === undefined ? mkdtempSync(join(tmpdir(), 'qurable-image-')) : resolve(built);
  const postgres = await startTestPostgres();
  try {
    if (built === undefined) build(directory);
    openImage(directory);
    showFiles();
    const database = await createTestDatabase('image');
    await showMigration(database.url);
    let isShown = false;
    for (let attempt = 0; !isShown; attempt += 1) {
      if (attempt === attempts) throw new Error(`this machine stood still in each of ${attempts} drains`);
      isShown = await showServiceAndDrain(database.url);
    }
    console.log('image: 1 passed, 0 failed');
  } finally {
    await postgres.stop();
    if (built === undefined) rmSync(directory, { recursive: true, force: true });
  }
}

function build(directory: string): void {
  const started = performance.now();
  execFileSync(resolve(import.meta.dirname, 'build-image.sh'), [directory], { stdio: ['ignore', 'ignore', 'pipe'] });
  say(`built in ${Math.round((performance.now() - started) / 1000)} s`);
}

function openImage(directory: string): void {
  root = join(directory, 'rootfs');
  config = JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8'));
  const size = (path: string) => Number(execFileSync('du', ['-sb', path], { encoding: 'utf8' }).split('\t')[0]);
  const [app, all] = [size(join(root, 'app')) / megabyte, size(root) / megabyte];
  say(`${app.toFixed(1)} MB above its base, ${all.toFixed(0)} MB with this one`);
  check(app < 40, 'the application is below 40 MB');
}

function showFiles(): void {
  check(config.User === '1000:1000', 'it starts as 1000:1000');
  check(config.Healthcheck?.Test[1] === 'node', 'it checks its health with node');
  const files = execFileSync('find', [join(root, 'app'), '-type', 'f', '-printf', '%P\n'], { encoding: 'utf8' });
  const unwanted =
    /(^|\/)(\.env|\.git|test|tests|\.npmrc)(\/|$)|\.(test\.ts|map|d\.ts)$|^containers\/(local|console\/(?!dist\/))|Dockerfile/;
  const found = files.split('\n').filter((path) => unwanted.test(path));
  check(
    found.length === 0,
    `it holds no tests, secrets or sources of packages${found.length > 0 ? `: ${found[0]}` : ''}`,
  );
  const writable = execFileSync('find', [
    join(root, 'app'),
    '!',
    '-type',
    'l',
    '(',
    '-perm',
    '/022',
    '-o',
    '!',
    '-user',
    'root',
    ')',
  ]);
  check(writable.length === 0, 'nothing of the application can be changed by its user');
  const authorities =
    readFileSync(join(root, 'app/rds-ca.pem'), 'utf8').split('-----BEGIN CERTIFICATE-----').length - 1;
  check(authorities > 50, `it knows RDS's certificate authorities (${authorities})`);
}

async function showMigration(databaseUrl: string): Promise<void> {
  const child = start(['node', 'core/db/migrate-command.ts'], { DATABASE_URL: databaseUrl });
  const [code] = await once(child, 'exit');
  check(code === 0, 'its own migrate command runs');
}

/** Returns whether the machine ran on all the time. */
async function showServiceAndDrain(databaseUrl: string): Promise<boolean> {
  const port = await findFreePort();
  const child = start(config.Cmd, {
    DATABASE_URL: databaseUrl,
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'warn',
    NODE_EXTRA_CA_CERTS: '/app/rds-ca.pem',
    ...testSecrets,
  });
  try {
    await waitForReady(port, child);
    showConfinement(child);
    showHealthCheck(port);
    return await showDrain(port, child);
  } finally {
    child.kill('SIGKILL');
  }
}

function showConfinement(child: ChildProcess): void {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  check(/^Uid:\t1000\t1000\t1000\t1000$/m.test(status), 'it runs as user 1000');
  check(/^CapEff:\t0+$/m.test(status) && /^CapBnd:\t0+$/m.test(status), 'it has no capability');
  check(/^NoNewPrivs:\t1$/m.test(status), 'it can gain no privilege');
  const mounts = readFileSync(`/proc/${child.pid}/mountinfo`, 'utf8');
  check(/^\d+ \d+ \S+ \S+ \/ ro[, ]/m.test(mounts), 'its root is mounted read-only');
}

function showHealthCheck(port: number): void {
  const [, ...command] = config.Healthcheck!.Test;
  const run = spawnSync(command[0]!, command.slice(1), { env: { PATH: process.env.PATH, PORT: String(port) } });
  check(run.status === 0, 'its health check passes');
}

/**
 * As a deployment does it: load all the time, SIGTERM, and new requests until the load balancer has seen that the task
 * is not ready. One request is slow on purpose: half of its body comes long after the signal. It says nothing, and
 * returns false, where the machine stood still meanwhile.
 */
async function showDrain(port: number, child: ChildProcess): Promise<boolean> {
  const load = { answered: 0, failures: [] as string[], stop: false };
  const running = Array.from({ length: workers }, () => keepAsking(port, load));
  // However long that takes: each worker has had some answers.
  while (load.answered < 10 * workers && load.failures.length === 0 && child.exitCode === null) await sleep(20);
  const slow = openSlowRequest(port);
  await sleep(200);

  const still = watchForStandstill();
  const before = load.answered;
  const signalled = performance.now();
  const sinceSignal = () => performance.now() - signalled;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  // A task that can't be reached any more is not ready either.
  while ((await ask(port, '/ready').catch(() => 0)) === 200) await sleep(50);
  while (sinceSignal() < acceptsForMillis && load.answered - before < 10 * workers) await sleep(20);
  load.stop = true;
  await Promise.all(running);
  const during = load.answered - before;
  const longestStill = still.stop();
  // The server stops accepting after five seconds; this one is answered after that.
  await sleep(6_500 - sinceSignal());
  slow.finish();
  const slowStatus = await slow.status.catch((error) => String(error));
  const [code] = await ended;
  const millis = sinceSignal();
  if (longestStill > stillMillis) {
    say(`once more: the machine stood still for ${Math.round(longestStill)} ms`);
    return false;
  }

  check(during >= workers, `it served ${before} requests, and ${during} more after SIGTERM`);
  check(load.failures.length === 0, `none of them failed${load.failures.length > 0 ? `: ${load.failures[0]}` : ''}`);
  check(slowStatus === 201, 'a request whose body came late was answered');
  check(code === 0 && millis < stopWithinMillis, `it ended by itself after ${(millis / 1000).toFixed(1)} s`);
  return true;
}

/** Measures the longest time for which this process did not get to run. */
function watchForStandstill(): { stop(): number } {
  let [last, longest] = [performance.now(), 0];
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 20);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}

async function keepAsking(port: number, load: { answered: number; failures: string[]; stop: boolean }): Promise<void> {
  while (!load.stop) {
    try {
      const status = await ask(port, '/v1/books');
      if (status === 200) load.answered += 1;
      else load.failures.push(`status ${status}`);
    } catch (error) {
      load.failures.push(String(error));
    }
  }
}

function openSlowRequest(port: number): { finish: () => void; status: Promise<number> } {
  const body = JSON.stringify({ name: 'Slow', status: 'active', timeZone: 'UTC' });
  const opened = open(port, 'POST', '/v1/books', {
    'content-type': 'application/json',
    'content-length': String(body.length),
    'idempotency-key': 'slow',
  });
  opened.request.write(body.slice(0, 10));
  return { finish: () => opened.request.end(body.slice(10)), status: opened.status };
}

async function ask(port: number, path: string): Promise<number> {
  const opened = open(port, 'GET', path, {});
  opened.request.end();
  return opened.status;
}

function open(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
): { request: ClientRequest; status: Promise<number> } {
  const opened = request({
    host: '127.0.0.1',
    port,
    method,
    path,
    agent: false,
    headers: { authorization: `Bearer ${testSecrets.QURABLE_ADMIN_KEY}`, ...headers },
  });
  const status = new Promise<number>((answer, fail) => {
    opened.once('error', fail);
    opened.once('response', (response) => {
      response.resume().once('end', () => answer(response.statusCode ?? 0));
      response.once('error', fail);
    });
  });
  return { request: opened, status };
}

async function waitForReady(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + startWithinMillis;
  while (performance.now() < until && child.exitCode === null) {
    if ((await ask(port, '/ready').catch(() => 0)) === 200) return;
    await sleep(100);
  }
  throw new Error('the image did not start');
}

/**
 * Starts a command in the image as an orchestrator would: in its own view of the files, read-only, with nothing of this
 * process's environment. The process keeps its id on the way, so that a signal goes straight to it.
 */
function start(command: string[], environment: Record<string, string>): ChildProcess {
  const variables = [...config.Env, ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)];
  const script = `
    mount --bind "$ROOT" "$ROOT" && mount -t proc proc "$ROOT/proc" && mount --bind /dev "$ROOT/dev" &&
    mount -o remount,ro,bind "$ROOT" && exec chroot "$ROOT" /usr/bin/env -i "$@"`;
  const confine = ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', '--inh-caps=-all', '--no-new-privs'];
  const args = [
    ...['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'],
    ...['-C', config.WorkingDir, ...variables, ...confine, '--bounding-set=-all', ...command],
  ];
  return spawn('unshare', args, {
    env: { PATH: process.env.PATH, ROOT: root },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function isOnPath(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`], { env: { PATH: `${process.env.PATH}:/usr/sbin` } }).status === 0;
}

function check(holds: boolean, fact: string): void {
  if (!holds) throw new Error(`not so: ${fact}`);
  say(fact);
}

function say(line: string): void {
  console.log(`image: ${line}`);
}
