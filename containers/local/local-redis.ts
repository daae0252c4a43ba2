import { randomBytes } from 'node:crypto';
import { accessSync, constants, statSync } from 'node:fs';
import { connect } from 'node:net';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Account, canEnter, chooseAccount } from './machine/choose-account.ts';
import { EmbeddedStartError } from './machine/embedded-start-error.ts';
import { findFreePort } from './machine/find-free-port.ts';
import { type SupervisedProcess, superviseProcess } from './machine/supervise-process.ts';

/** What a local Redis is started with. */
export type LocalRedisOptions = {
  /** A port of 127.0.0.1; a free one when left out. */
  port?: number;
  /** A size as Redis writes it, such as "6mb"; 64mb when left out. */
  maxMemory?: string;
  /** What is dropped when the memory is full; `allkeys-lru` when left out. */
  policy?: string;
  /** The server's output is appended to this file. */
  logFile: string;
  /** A directory that is deleted whole once the server has ended, however this process ended. */
  ephemeralRoot?: string;
};

/** A Redis or Valkey server that this process started. It keeps nothing on disk. */
export type LocalRedis = {
  /** Connection URL, password included. */
  url: string;
  port: number;
  /** The server's process id. */
  pid: number;
  /** Resolves with a description when the server has ended, on request or not. */
  exited: Promise<string>;
  /** Stops the server and resolves when no process of it is left. May be called twice. */
  stop(): Promise<void>;
};

const readyWithinMillis = 5_000;
const pollMillis = 10;
const launchAttempts = 3;

/**
 * Starts the redis-server or valkey-server that is on the PATH, on 127.0.0.1 only, with a password of its own and
 * without persistence. It lives as long as this process, however that ends.
 *
 * @returns null when the PATH holds neither.
 * @throws EmbeddedStartError when the server does not come up within 5 s.
 */
export async function startLocalRedis(options: LocalRedisOptions): Promise<LocalRedis | null> {
  const file = findRedisProgram();
  if (file === null) return null;
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await findFreePort());
    const password = randomBytes(24).toString('base64url');
    const server = await superviseProcess(commandFor(file, port, password, options), options.logFile);
    if (await waitUntilReady(server, port, password)) {
      if (options.ephemeralRoot !== undefined) server.deleteAfterwards([options.ephemeralRoot]);
      const { pid, exited, stop } = server;
      return { url: `redis://:${password}@127.0.0.1:${port}`, port, pid, exited, stop };
    }
    await server.stop();
    if (attempt === launchAttempts) throw new EmbeddedStartError(`${file} did not start (see ${options.logFile})`);
  }
}

/** Finds redis-server or else valkey-server on the PATH; null when there is neither. */
export function findRedisProgram(): string | null {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  const candidates = ['redis-server', 'valkey-server'].flatMap((name) =>
    directories.map((directory) => join(directory, name)),
  );
  return candidates.find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function commandFor(
  file: string,
  port: number,
  password: string,
  options: LocalRedisOptions,
): Parameters<typeof superviseProcess>[0] {
  const configuration = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    'daemonize no',
    `maxmemory ${options.maxMemory ?? '64mb'}`,
    `maxmemory-policy ${options.policy ?? 'allkeys-lru'}`,
  ];
  return {
    file,
    // The configuration comes through standard input, so that the password is in no file and in no argument.
    args: ['-'],
    input: `${configuration.join('\n')}\n`,
    workingDirectory: dirname(file),
    account: unprivileged(file),
    // It uses durations only.
    sharesClock: false,
    stopSteps: [
      { signal: 'SIGTERM', afterMillis: 0 },
      { signal: 'SIGKILL', afterMillis: 5_000 },
    ],
  };
}

/** Redis needs no privilege. It runs as root only if no other account can reach the program. */
function unprivileged(file: string): Account | undefined {
  const account = chooseAccount();
  return canEnter(account, dirname(file)) ? account : undefined;
}

async function waitUntilReady(server: SupervisedProcess, port: number, password: string): Promise<boolean> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  const giveUpAt = performance.now() + readyWithinMillis;
  while (!ended && performance.now() < giveUpAt) {
    // The password tells our server from a stranger that took the port in between.
    if (await answersPing(port, password)) return true;
    await delay(pollMillis);
  }
  return false;
}

function answersPing(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`AUTH ${password}\r\nPING\r\n`));
    let received = '';
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (data) => {
      received += data.toString('latin1');
      if (received.includes('\n+PONG') || received.startsWith('-')) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received.includes('+PONG')));
  });
}
