import type { Server } from 'node:http';

/** Whether a shutdown is on. Made with the application, switched on by the server. */
export interface Drain {
  readonly isOn: boolean;
  /** From here on the service is not ready, and every answer asks its client to close the connection. */
  begin(server: Server): void;
}

/** Makes a drain that is off. */
export function makeDrain(): Drain {
  let on = false;
  return {
    get isOn() {
      return on;
    },
    begin(server) {
      if (on) return;
      on = true;
      // Clients on kept-alive connections learn to open new ones, which the load balancer leads elsewhere. The listener
      // is there during a shutdown only, so that it costs nothing before.
      server.prependListener('request', (_request, response) => {
        response.shouldKeepAlive = false;
      });
    },
  };
}
