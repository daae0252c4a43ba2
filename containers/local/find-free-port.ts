import { createServer } from 'node:net';

/**
 * Finds a TCP port of 127.0.0.1 that nobody listens on, by listening on one for a moment. Another process can take it
 * before the caller does, so callers try again with a fresh one when binding fails.
 */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('The operating system gave no port.'));
      });
    });
  });
}
