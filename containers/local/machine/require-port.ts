import { createServer } from 'node:net';
import { EmbeddedStartError } from './embedded-start-error.ts';

/**
 * Makes sure that a port can be listened on, before anything is started that would have to be stopped again.
 *
 * @param port 0 stands for any free port and always passes.
 * @param variable the one that chooses the port.
 * @throws EmbeddedStartError with one line that says what to do.
 */
export function requirePort(port: number, host: string, variable = 'PORT'): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        const other = port < 65_535 ? port + 1 : port - 1;
        reject(
          new EmbeddedStartError(
            `Port ${port} is in use; choose another one, for instance ${variable}=${other} npm start`,
          ),
        );
      } else {
        reject(new EmbeddedStartError(`Port ${port} of ${host} cannot be listened on: ${error.message}`));
      }
    });
    server.listen(port, host, () => server.close(() => resolve()));
  });
}
