import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Log } from '../../core/log.ts';
import { openRedis, type RedisConnection, type RedisTimeouts } from '../../core/redis/open-redis.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { startTestRedis, type TestRedis } from '../support/start-redis.ts';

const redis: TestRedis | null = await startTestRedis();
await redis?.stop();

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const thing of opened.splice(0)) await thing.close();
});

function open(url: string, timeouts?: RedisTimeouts): { connection: RedisConnection; lines: string[] } {
  const lines: string[] = [];
  const keep = (_fields: object, message: string) => void lines.push(message);
  const log: Log = { info: keep, warn: keep, error: keep };
  const connection = openRedis({ url, tls: url.startsWith('rediss:') }, log, undefined, timeouts)!;
  opened.push(connection);
  return { connection, lines };
}

async function until(condition: () => boolean): Promise<void> {
  for (let n = 0; n < 6_000 && !condition(); n += 1) await sleep(5);
  expect(condition()).toBe(true);
}

/** For what is to succeed: longer than any machine stalls. */
const patientTimeouts: RedisTimeouts = { commandTimeoutMillis: 600_000, silenceMaxMillis: 600_000 };

/** A port that stays the test's own while the servers behind it come and go. */
async function startRelay(to: number): Promise<{ port: number; to: number }> {
  const relay = { port: 0, to };
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(relay.to, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  relay.port = (server.address() as AddressInfo).port;
  return relay;
}

const ping = (connection: RedisConnection) => connection.command((client) => client.ping());

/** Something that takes connections and never says a word. */
async function startSilentServer(): Promise<{ port: number }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push({
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return { port: address.port };
}

describe('a Redis that was never there', () => {
  test('does not stop the start, is told to the log in one line, and costs a command no waiting', async () => {
    const { connection, lines } = open('redis://127.0.0.1:1');
    await until(() => lines.length > 0);
    // It is looked for several times meanwhile.
    await sleep(500);
    expect(connection.status).toBe('away');
    expect(lines).toEqual(['Redis is away; PostgreSQL and this process do its part']);
    for (let n = 0; n < 100; n += 1) {
      const refused = ping(connection).catch((error: Error) => error.message);
      // What waits for nothing is there before the event loop's next turn.
      const waiting = new Promise((resolve) => setImmediate(resolve, 'waiting'));
      expect(await Promise.race([refused, waiting])).toBe('Redis is away');
    }
  });

  test('is nothing where none is configured', () => {
    expect(openRedis(null, { info() {}, warn() {}, error() {} })).toBeNull();
  });

  test('and only takes connections without answering is away too, over TLS as well', async () => {
    const { port } = await startSilentServer();
    for (const scheme of ['redis', 'rediss']) {
      const { connection } = open(`${scheme}://127.0.0.1:${port}`);
      await sleep(600);
      expect(connection.status).toBe('away');
      await expect(ping(connection)).rejects.toThrow('Redis is away');
    }
  });
});

requireOrSkip('a redis-server or valkey-server on the PATH', redis !== null)('a Redis that comes and goes', () => {
  test('is used as soon as it is there, each change one line in the log', async () => {
    const first = (await startTestRedis())!;
    opened.push({ close: () => first.stop() });
    const relay = await startRelay(first.port);
    const { connection, lines } = open(first.url.replace(`:${first.port}`, `:${relay.port}`), patientTimeouts);
    await until(() => connection.status === 'ready');
    expect(await ping(connection)).toBe('PONG');
    await first.kill();
    await until(() => connection.status === 'away');
    const again = (await startTestRedis())!;
    opened.push({ close: () => again.stop() });
    relay.to = again.port;
    // A server that was started anew has a password of its own; this one is to be the same as before.
    const admin = open(again.url, patientTimeouts).connection;
    await until(() => admin.status === 'ready');
    await admin.command((client) => client.config('SET', 'requirepass', new URL(first.url).password));
    await until(() => connection.status === 'ready');
    expect(lines).toEqual([
      'Redis is there',
      'Redis is away; PostgreSQL and this process do its part',
      'Redis is there',
    ]);
  });

  test('rejects what was in flight when it was killed, and sends nothing a second time', async () => {
    const server = (await startTestRedis())!;
    opened.push({ close: () => server.stop() });
    // By itself the command would never end.
    const { connection } = open(server.url, patientTimeouts);
    await until(() => connection.status === 'ready');
    const outcome = connection.command((client) => client.blpop('nothing', 0)).catch((error: unknown) => error);
    await server.kill();
    expect(await outcome).toBeInstanceOf(Error);
  });

  test('is not looked for again after close, and says that it is closed', async () => {
    const server = (await startTestRedis())!;
    opened.push({ close: () => server.stop() });
    const { connection, lines } = open(server.url);
    await until(() => connection.status === 'ready');
    await connection.close();
    await connection.close();
    expect(connection.status).toBe('closed');
    await expect(ping(connection)).rejects.toThrow('Redis is closed');
    await sleep(200);
    expect(lines).toEqual(['Redis is there']);
  });
});
