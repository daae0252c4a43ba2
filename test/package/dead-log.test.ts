import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  constants,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { inspectProcess } from '../../containers/local/machine/inspect-process.ts';
import { apiProgram } from '../support/bundle-api.ts';
import { callLocalApi } from '../support/call-local-api.ts';
import { allIfLong, isLong } from '../support/long-run.ts';
import { hasTerminals, openTerminal, type Terminal } from '../support/open-terminal.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import {
  cleanEnvironment,
  killAll,
  processesUnder,
  type StartedProcess,
  waitUntilGone,
} from '../support/run-npm-start.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const project = resolve(import.meta.dirname, '../..');
/**
 * More lines than any log keeps in memory while it can’t write: with the request’s id below each has 330 characters, or
 * 200 where people look.
 */
const manyRequests = 12_000;
/** More than a pipe or a terminal takes before it is full, and less than a log keeps. */
const someRequests = 1_000;
const requestId = 'x'.repeat(128);
/** Seconds each; a machine that is slow or stands still for a while must not decide. */
jest.setTimeout(600_000);

let scratch: string;
/** Of `npm start`, one after the other: making a database is not what is asked here. */
let home: string;
let port: number;
let seen: StartedProcess[];
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'qurable-log-'));
  port = await findFreePort();
  seen = [];
});
afterEach(async () => {
  killAll(seen);
  await waitUntilGone(seen);
  // Lazily: threads of a process that has ended may be a moment later than it.
  spawnSync('umount', ['-l', join(scratch, 'disk')], { stdio: 'ignore' });
  rmSync(scratch, { recursive: true, force: true });
});

/**
 * What runs the product: the container’s program on a database that is there, or `npm start` with all that it starts.
 */
const programs = {
  container: { command: [process.execPath, await apiProgram()], processes: 1 },
  'npm start': { command: ['npm', 'start'], processes: 9 },
};
type Program = keyof typeof programs;

/**
 * Both log through the same code. So `npm start` is shown by terminals, which are what people start it on, and each
 * other way to lose a log by the container's program, which starts ten times as fast; the long run has all of them.
 * Where a log is full before anybody stops the program does not matter to how it ends, so one that is stopped gets a
 * few lines only, and one process is shown a log that is lost, comes back and is lost again.
 */
const ofEveryRun = ([program]: readonly [Program, NodeJS.Signals]) => program === 'container';

const inLongRun = isLong ? test : test.skip;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase('dead_log');
  home = mkdtempSync(join(tmpdir(), 'qurable-log-home-'));
  writeFileSync(join(home, 'secrets.json'), JSON.stringify(testSecrets), { mode: 0o600 });
});
afterAll(async () => {
  await database.drop();
  // Under root the data lies elsewhere, behind a link.
  const data = join(home, 'postgres');
  if (lstatSync(data, { throwIfNoEntry: false })?.isSymbolicLink())
    rmSync(dirname(readlinkSync(data)), { recursive: true });
  rmSync(home, { recursive: true });
});

function environmentOf(program: Program): NodeJS.ProcessEnv {
  const own: NodeJS.ProcessEnv =
    program === 'npm start' ? { QURABLE_HOME: home } : { DATABASE_URL: database.url, ...testSecrets };
  return { ...cleanEnvironment(), HOST: '127.0.0.1', PORT: String(port), ...own };
}

/** Waits until the program answers, and notes its processes. */
async function ready(program: Program, pid: number): Promise<void> {
  const began = performance.now();
  while ((await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null))?.status !== 200) {
    if (performance.now() - began > 240_000) throw new Error('not ready within 240 s');
    await delay(150);
  }
  seen.push(...processesUnder(pid));
  expect(seen.length).toBeGreaterThanOrEqual(programs[program].processes);
}

async function onTerminal(kind: 'controlling' | 'plain', program: Program): Promise<Terminal> {
  const terminal = await openTerminal(kind, programs[program].command, { cwd: project, env: environmentOf(program) });
  await ready(program, terminal.pid);
  return terminal;
}

/** Runs a program whose standard output and standard error are one open file. */
async function onFile(program: Program, file: number): Promise<ChildProcess> {
  const [command, ...args] = programs[program].command;
  const options = { cwd: project, env: environmentOf(program), stdio: ['ignore', file, file] };
  const child = spawn(command!, args, options as Parameters<typeof spawn>[2]);
  await ready(program, child.pid!);
  return child;
}

/** Checks that the product is alive: that it answers what asks no database, and what changes it. */
async function expectAnswers(): Promise<void> {
  // A log that is waited for holds an answer up for good: the test's own time finds that.
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  const init = { method: 'POST', body: JSON.stringify({ name: 'Verano' }) };
  await callLocalApi({ home, port }, 201, '/v1/books', init);
}

/** Sends requests, each of which is a line of the log, and waits for every answer. */
async function makeLines(requests: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  const request = `GET /health HTTP/1.1\r\nhost: x\r\nx-request-id: ${requestId}\r\n\r\n`;
  let answers = 0;
  let rest = '';
  const all = new Promise<void>((done, fail) => {
    socket.on('error', fail);
    socket.on('data', (data) => {
      const text = rest + data.toString('latin1');
      answers += text.split('HTTP/1.1 200').length - 1;
      rest = text.slice(text.lastIndexOf('\n') + 1);
      if (answers === requests) done();
    });
  });
  const perWrite = 100;
  for (let sent = 0; sent < requests; sent += perWrite) socket.write(request.repeat(perWrite));
  await all;
  socket.destroy();
}

/**
 * Checks that each request was written or counted, and those that expectAnswers asks. Of what was counted a few may
 * be lines of the background, which come by the clock: the more, the slower the machine is.
 */
function expectAllCounted(lines: number): void {
  expect(lines).toBeGreaterThanOrEqual(manyRequests + 1);
  expect(lines).toBeLessThan(manyRequests + 100);
}

/** Checks that nothing of the program is left: no process of those seen, and no listener. */
async function expectGone(processes = seen): Promise<void> {
  await waitUntilGone(processes);
  const server = createServer().listen(port, '127.0.0.1');
  await new Promise((listening, fail) => server.once('listening', listening).once('error', fail));
  await new Promise((closed) => server.close(closed));
}

function stop(signal: NodeJS.Signals = 'SIGTERM'): void {
  const pid = seen.find(({ pid: each }) => isProgram(each))!.pid;
  process.kill(pid, signal);
}

const isNpm = (pid: number) => inspectProcess(pid)?.commandLine.startsWith('npm ') ?? false;

/** Whether it is the Node that serves, not npm, a shell or a supervisor. */
function isProgram(pid: number): boolean {
  const commandLine = inspectProcess(pid)?.commandLine ?? '';
  return /node\b.* \S*(\/main\.mjs|containers\/local\/start\.ts)$/.test(commandLine) && !/^(npm|sh) /.test(commandLine);
}

requireOrSkip('python3 with its module pty', hasTerminals)('a terminal', () => {
  let terminal: Terminal;
  afterEach(() => terminal.end());

  // Below `npm start` ends so, and the container's program by the same signal, with nobody who reads.
  inLongRun('that is closed ends the container’s program', async () => {
    terminal = await onTerminal('controlling', 'container');
    terminal.close();
    await expectGone();
  });

  test('shows lines for people, and once it is closed ends npm start with all that it started', async () => {
    terminal = await onTerminal('controlling', 'npm start');
    await expectAnswers();
    const began = performance.now();
    while (!terminal.output().includes('route=/v1/books') && performance.now() - began < 120_000) await delay(20);
    const line = /^\d\d:\d\d:\d\d info {2}request requestId=\S+ method=POST route=\/v1\/books status=201 /m;
    expect(terminal.output()).toMatch(line);
    expect(terminal.output()).not.toContain('{"level"');
    terminal.close();
    await expectGone();
  });

  // Below `npm start` does so, and the container's program where writing fails since the disk is full.
  inLongRun('that is gone without a word lets the container’s program answer on, until SIGTERM ends it', async () => {
    terminal = await onTerminal('plain', 'container');
    terminal.close();
    await makeLines(someRequests);
    await expectAnswers();
    stop();
    await expectGone();
  });

  test('that is held by Ctrl-S, and then gone, lets npm start answer on, until SIGTERM ends it', async () => {
    terminal = await onTerminal('plain', 'npm start');
    terminal.hold();
    await makeLines(manyRequests);
    await expectAnswers();
    terminal.close();
    await makeLines(someRequests);
    await expectAnswers();
    stop();
    await expectGone();
  });

  const endsOfHeld = [
    ['container', 'SIGTERM'],
    ['npm start', 'SIGHUP'],
  ] as const;
  test.each(allIfLong(endsOfHeld, ofEveryRun))(
    'that is held by Ctrl-S lets %s answer on, until %s ends it',
    async (program, signal) => {
      terminal = await onTerminal('plain', program);
      terminal.hold();
      await makeLines(someRequests);
      await expectAnswers();
      stop(signal);
      // npm itself, which is not ours to mend, waits for the terminal.
      await expectGone(seen.filter(({ pid }) => !isNpm(pid)));
    },
  );
});

describe('a reader that has stopped reading', () => {
  let pipe: number;
  beforeEach(() => {
    execFileSync('mkfifo', [join(scratch, 'pipe')]);
    pipe = openSync(join(scratch, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
  });
  afterEach(() => closeSync(pipe));

  /** Reads what is in the pipe until a text comes. */
  async function readUntil(text: string): Promise<string> {
    const buffer = Buffer.alloc(1 << 20);
    let read = '';
    for (const began = performance.now(); performance.now() - began < 120_000; await delay(1)) {
      try {
        read += buffer.toString('latin1', 0, readSync(pipe, buffer));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      }
      if (read.includes(text)) return read;
    }
    throw new Error(`${JSON.stringify(text)} was not written; the end is ${read.slice(-500)}`);
  }

  inLongRun('lets npm start answer on, until SIGTERM ends it', async () => {
    await onFile('npm start', pipe);
    await makeLines(manyRequests);
    await expectAnswers();
    stop();
    await expectGone();
  });

  test('and reads again gets the lines that were kept, how many were not, and those that follow; SIGHUP ends it all the same', async () => {
    await onFile('container', pipe);
    await makeLines(manyRequests);
    await expectAnswers();
    const kept = await readUntil(' log lines were dropped"');
    await expectAnswers();
    const after = await readUntil('"route":"/v1/books"');
    const lines = (kept + after).split('\n').slice(0, -1);
    const entries = lines.map(
      (line) => JSON.parse(line) as { level: string; msg: string; dropped?: number; route?: string },
    );
    const health = entries.filter(({ route }) => route === '/health').length;
    const dropped = entries.reduce((sum, entry) => sum + (entry.dropped ?? 0), 0);
    expectAllCounted(health + dropped);
    const notice = entries.find((entry) => entry.dropped);
    expect(notice).toMatchObject({ level: 'warn', msg: `${notice?.dropped} log lines were dropped` });
    expect(dropped).toBeGreaterThan(1_000);
    // The reader stops once more.
    await makeLines(someRequests);
    stop('SIGHUP');
    await expectGone();
  });
});

function canMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const directory = mkdtempSync(join(tmpdir(), 'qurable-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]).status === 0;
  if (mounted) execFileSync('umount', [directory]);
  rmSync(directory, { recursive: true });
  return mounted;
}

requireOrSkip('the right to mount a tmpfs', canMount())('a full disk under the log', () => {
  let disk: string;
  let log: number;
  beforeEach(() => {
    disk = join(scratch, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]);
    log = openSync(join(disk, 'log'), 'a');
  });
  afterEach(() => closeSync(log));

  function fill(): void {
    spawnSync('dd', ['if=/dev/zero', `of=${join(disk, 'ballast')}`, 'bs=4096'], { stdio: 'ignore' });
  }

  const ends = [
    ['container', 'SIGTERM'],
    ['npm start', 'SIGHUP'],
  ] as const;
  test.each(allIfLong(ends, ofEveryRun))('lets %s answer on, until %s ends it', async (program, signal) => {
    await onFile(program, log);
    fill();
    await makeLines(someRequests);
    await expectAnswers();
    stop(signal);
    await expectGone();
  });

  test('that has space again gets the lines that were kept, how many were not, and those that follow, each whole', async () => {
    await onFile('container', log);
    fill();
    await makeLines(manyRequests);
    await expectAnswers();
    rmSync(join(disk, 'ballast'));
    const read = () => readFileSync(join(disk, 'log'), 'utf8');
    const began = performance.now();
    while (!read().includes('log lines were dropped') && performance.now() - began < 120_000) await delay(50);
    await expectAnswers();
    stop();
    await expectGone();
    const entries = read()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { route?: string; dropped?: number; msg: string });
    const health = entries.filter(({ route }) => route === '/health').length;
    const dropped = entries.reduce((sum, entry) => sum + (entry.dropped ?? 0), 0);
    expectAllCounted(health + dropped);
    expect(entries.at(-1)?.msg).toBe('closed');
    expect(dropped).toBeGreaterThan(1_000);
  });
});
