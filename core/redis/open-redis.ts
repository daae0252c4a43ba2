import { Redis, type RedisOptions } from 'ioredis';
import type { RedisAddress } from '../config.ts';
import type { Log } from '../log.ts';
import { type Random, systemRandom } from '../random.ts';

/** Whether Redis can be asked: `ready`, or `away` (not yet there, lost, stalled), or `closed` by this process. */
export type RedisState = 'ready' | 'away' | 'closed';

/** A Redis that may be missing at any moment. It makes things faster or shared; nothing depends on its being there. */
export interface RedisConnection {
  readonly status: RedisState;
  /** Commands that it did not carry out or answer in time: so often this process or PostgreSQL did its part. */
  readonly failedCommands: number;
  /**
   * Runs commands. Rejects at once, without waiting, while the status is not `ready`; rejects with Redis's own error,
   * or after 75 ms, otherwise. A command that timed out may have taken effect. May be called from many
   * places at a time.
   */
  command<T>(work: (client: Redis) => Promise<T>): Promise<T>;
  /** Cuts the connection and stops reconnecting. Commands in flight are rejected. May be called twice. */
  close(): Promise<void>;
}

/** How long Redis is waited for, in milliseconds. */
export interface RedisTimeouts {
  commandTimeoutMillis: number;
  /**
   * A socket with commands on it that stays silent for this long is cut. From then on the status says `away` and nobody
   * waits, while the reconnection finds out in the background when Redis really answers again. It also gets rid of a
   * socket to a machine that is gone, which TCP alone would keep for a quarter of an hour.
   */
  silenceMaxMillis: number;
}

/** Redis answers in well under a millisecond inside a region. An answer that takes longer is not worth waiting for. */
const usualTimeouts: RedisTimeouts = { commandTimeoutMillis: 75, silenceMaxMillis: 300 };
const connectTimeoutMillis = 2_000;
/** How long a socket may take to close after close(). A shutdown must not wait for one that can't. */
const disconnectTimeoutMillis = 100;
/** Redis is back within seconds after a failover; asking twice a second then costs neither side anything. */
const reconnectFirstMillis = 50;
const reconnectMaxMillis = 2_000;

/**
 * Opens the connection in the background and returns at once; null where no Redis is configured. Never throws because
 * Redis is away: it is looked for until close(), with jittered pauses of at most two seconds. The log gets one line
 * each time Redis comes or goes.
 * @param timeouts for tests that must not depend on how busy the machine is
 */
export function openRedis(
  address: RedisAddress | null,
  log: Log,
  random: Random = systemRandom,
  timeouts: RedisTimeouts = usualTimeouts,
): RedisConnection | null {
  if (address === null) return null;
  const client = openClient(address, random, timeouts);
  let status: RedisState = 'away';
  let failedCommands = 0;
  /** The last error in the log. An error is logged when it changes, and not for every attempt or command. */
  let told: RedisState | null = null;
  let lastError = 'the connection was closed';
  const tell = (state: 'ready' | 'away') => {
    if (told === state) return;
    told = state;
    if (state === 'ready') log.info({}, 'Redis is there');
    else log.warn({ error: lastError }, 'Redis is away; PostgreSQL and this process do its part');
  };
  client.on('error', (error: Error) => {
    lastError = error.message;
  });
  client.on('ready', () => {
    status = 'ready';
    lastError = 'the connection was closed';
    tell('ready');
  });
  client.on('close', () => {
    if (status === 'closed') return;
    status = 'away';
    tell('away');
  });
  client.connect().catch(() => {
    // Told by the error event; the client goes on trying by itself.
  });
  return {
    get status() {
      return status;
    },
    get failedCommands() {
      return failedCommands;
    },
    async command(work) {
      try {
        if (status !== 'ready') throw new Error(`Redis is ${status}`);
        return await work(client);
      } catch (error) {
        failedCommands += 1;
        throw error;
      }
    },
    async close() {
      status = 'closed';
      client.disconnect();
    },
  };
}

function openClient(address: RedisAddress, random: Random, timeouts: RedisTimeouts): Redis {
  const options = optionsOf(address, random, timeouts);
  return address.url === undefined ? new Redis(options) : new Redis(address.url, options);
}

function optionsOf(
  address: RedisAddress,
  random: Random,
  timeouts: RedisTimeouts,
): RedisOptions & { replyMapping: 'legacy' } {
  return {
    ...(address.host === undefined ? {} : { host: address.host }),
    ...(address.port === undefined ? {} : { port: address.port }),
    ...(address.password === undefined ? {} : { password: address.password }),
    // The certificate is checked against the name that was configured.
    ...(address.tls ? { tls: address.host === undefined ? {} : { servername: address.host } } : {}),
    replyMapping: 'legacy',
    lazyConnect: true,
    connectTimeout: connectTimeoutMillis,
    disconnectTimeout: disconnectTimeoutMillis,
    commandTimeout: timeouts.commandTimeoutMillis,
    socketTimeout: timeouts.silenceMaxMillis,
    // A late command is of no use: none is queued while Redis is away, and none is sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => reconnectPause(attempt, random),
    // After a failover this may be a replica's connection; a new one finds the new primary.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

/**
 * The pause doubles up to the longest one. Half of it is random, so that tasks do not reconnect at the same moments.
 */
function reconnectPause(attempt: number, random: Random): number {
  const pause = Math.min(reconnectMaxMillis, reconnectFirstMillis * 2 ** Math.min(attempt, 10));
  return pause / 2 + random.below(pause / 2 + 1);
}
