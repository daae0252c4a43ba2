import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { inspectProcess } from '../../containers/local/machine/inspect-process.ts';

/** A start and an end take seconds, on a busy machine a minute: asking more often slows what is waited for. */
const pollMillis = 150;

/** Where and as whom `npm start` runs. */
export type NpmStartOptions = {
  /** The project's directory. */
  directory: string;
  /** PORT; nothing of this process's own configuration reaches the start. */
  port: number;
  /** More variables, such as QURABLE_HOME. */
  environment?: Record<string, string>;
  /** The user to run as, for tests that run as root. */
  account?: { uid: number; gid: number; home: string } | undefined;
};

/** A process and when it began, which tells it from a later one that is given the same id. */
export type StartedProcess = { pid: number; startedAt: string };

/** A running `npm start`. */
export type NpmStart = {
  /** Everything that was printed so far, both streams. */
  output(): string;
  /**
   * Resolves with the seconds from the start to the first 200 of /ready, once all that a person is told has been read,
   * which may come a moment later. Rejects when the start ends before, or after 150 s.
   */
  ready(): Promise<number>;
  /** Resolves with the exit code, null when a signal ended it. */
  ended: Promise<number | null>;
  /** npm, Node, the servers and all that they started. */
  processes(): StartedProcess[];
  /** The process id of the Node that runs the API. */
  node(): number;
  /** What a Ctrl-C in the terminal does: SIGINT to npm and to everything in its process group. */
  pressCtrlC(): void;
};

/** Runs the real `npm start`, in a process group of its own as a terminal would. */
export function runNpmStart({ directory, port, environment = {}, account }: NpmStartOptions): NpmStart {
  const npm = spawn('npm', ['start'], {
    cwd: directory,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(account?.home), PORT: String(port), ...environment },
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
  let printed = '';
  for (const stream of [npm.stdout, npm.stderr]) stream.on('data', (data) => (printed += String(data)));
  const ended = new Promise<number | null>((resolve) => npm.once('close', (code) => resolve(code)));
  return {
    output: () => printed,
    ready: () => waitForReady(npm, port, () => printed),
    ended,
    processes: () => processesUnder(npm.pid!),
    node: () => findNode(npm.pid!),
    pressCtrlC: () => void process.kill(-npm.pid!, 'SIGINT'),
  };
}

/** A process and all that it started, as far as they run. */
export function processesUnder(root: number): StartedProcess[] {
  const all = descendants(root).map((pid) => ({ pid, startedAt: inspectProcess(pid)?.startedAt }));
  return all.filter((one): one is StartedProcess => one.startedAt !== undefined);
}

/**
 * Waits until none of the processes runs any more.
 *
 * @throws Error after a minute and a half, with the command lines of those that are left.
 */
export async function waitUntilGone(processes: StartedProcess[]): Promise<void> {
  const began = performance.now();
  for (;;) {
    const left = processes.filter(isRunning);
    if (left.length === 0) return;
    const commands = left.map(({ pid }) => inspectProcess(pid)?.commandLine);
    if (performance.now() - began > 90_000) throw new Error(`still running after 90 s: ${commands.join('; ')}`);
    await delay(pollMillis);
  }
}

/** Ends processes that a test that failed has left behind. */
export function killAll(processes: StartedProcess[]): void {
  for (const one of processes.filter(isRunning)) {
    try {
      process.kill(one.pid, 'SIGKILL');
    } catch (error) {
      // It has just ended by itself.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function isRunning({ pid, startedAt }: StartedProcess): boolean {
  return inspectProcess(pid)?.startedAt === startedAt;
}

/**
 * This process's environment without the servers that the tests themselves run on and without npm's settings of the run
 * around them.
 *
 * @param home the home of another user to give; left out, it stays.
 */
export function cleanEnvironment(home?: string): NodeJS.ProcessEnv {
  const foreign =
    /^(QURABLE_|DB_|DATABASE_URL|REDIS_|JWT_|CODE_SECRET|HOST$|PORT$|CI$|NODE_OPTIONS|NODE_ENV|JEST_|npm_)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), ...(home === undefined ? {} : { HOME: home, USER: '', LOGNAME: '' }) };
}

/** The last line of what the start prints for people. */
const lastLine = 'Ctrl-C stops it and keeps the data.';

async function waitForReady(npm: ChildProcess, port: number, output: () => string): Promise<number> {
  const began = performance.now();
  let readySeconds: number | null = null;
  for (;;) {
    if (npm.exitCode !== null) throw new Error(`npm start ended with exit code ${npm.exitCode}:\n${output()}`);
    if (readySeconds === null && (await answersReady(port))) readySeconds = (performance.now() - began) / 1000;
    if (readySeconds !== null && output().includes(lastLine)) return readySeconds;
    if (performance.now() - began > 150_000) throw new Error(`not ready within 150 s:\n${output()}`);
    await delay(pollMillis);
  }
}

async function answersReady(port: number): Promise<boolean> {
  const reply = await fetch(`http://127.0.0.1:${port}/ready`).catch(() => null);
  return reply?.status === 200;
}

function descendants(root: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [root];
  for (const pid of found) found.push(...pairs.filter(([, parent]) => parent === pid).map(([child]) => child));
  return found;
}

function findNode(root: number): number {
  const found = descendants(root).find((pid) => {
    const [program = '', ...args] = inspectProcess(pid)?.commandLine.split(' ') ?? [];
    return program.endsWith('node') && args.at(-1) === 'containers/local/start.ts';
  });
  if (found === undefined) throw new Error('npm start runs no Node');
  return found;
}
