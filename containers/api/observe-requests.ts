import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/**
 * Counts and logs each answered request. A line names the route's template and never the address, which holds codes and
 * user ids; of the caller it names role and tenant.
 */
export function observeRequests(app: FastifyInstance, log: Logger, metrics: Metrics): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown');
    metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
    if (log.isLevelEnabled('info')) {
      const { caller } = request;
      log.info(
        {
          requestId: request.id,
          method: request.method,
          route,
          status: reply.statusCode,
          millis: Math.round(reply.elapsedTime * 10) / 10,
          role: caller?.role,
          tenantId: caller?.tenantId,
        },
        'request',
      );
    }
    done();
  });
}
