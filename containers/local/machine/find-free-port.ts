import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that Linux (from 32768) and others (from 49152) give to outgoing connections. */
const lowest = 15_000;
const highest = 32_000;
const attempts = 100;

/**
 * Finds a free TCP port of 127.0.0.1 by listening on it for a moment. The operating system is not asked for one: it
 * would choose among the ports of outgoing connections, and by the time a slow server listens, a client may use it.
 * Another process can still take the port before the caller does, so callers try again with another one if that fails.
 *
 * @throws Error when a hundred ports were all in use.
 */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`No port of 127.0.0.1 from ${lowest} to ${highest} was found free.`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
