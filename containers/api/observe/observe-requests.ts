import fp from 'fastify-plugin';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.ts';

/**
 * Counts and logs each answered request. A line names the route's template and never the address, which holds codes and
 * user ids; of the caller it names role and tenant, and of a refusal its kind, and why a token was refused.
 */
export const observeRequests = fp<{ log: Logger; metrics: Metrics }>(
  async (app, { log, metrics }) => {
    app.addHook('onResponse', (request, reply, done) => {
      const { url, config } = request.routeOptions;
      const route = request.is404 ? 'unknown' : (url ?? 'unknown');
      const { refusal } = request;
      metrics.observeRequest(request.method, route, reply.statusCode, reply.elapsedTime / 1000);
      if (refusal !== null) metrics.observeRefusal(refusal.kind);
      else if (config.effect !== undefined && !reply.hasHeader('idempotency-replayed'))
        metrics.observeEffects(config.effect, 1);
      if (log.isLevelEnabled('info')) {
        const { caller } = request;
        log.info(
          {
            requestId: request.id,
            method: request.method,
            route,
            status: reply.statusCode,
            kind: refusal?.kind,
            refused: refusal?.refused,
            millis: Math.round(reply.elapsedTime * 10) / 10,
            role: caller?.role,
            tenantId: caller?.tenantId,
          },
          'request',
        );
      }
      done();
    });
  },
  { name: 'observe-requests', dependencies: ['problems'] },
);
