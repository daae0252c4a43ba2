import fp from 'fastify-plugin';
import type { ContainerTracing, SampledRequest } from './tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The trace of a sampled request; null for all others. */
    trace: SampledRequest | null;
  }
}

/** Begins and ends the traces of requests. Without tracing it adds no hook. Its hook comes before the guard's. */
export const traceRequests = fp<{ tracing: ContainerTracing | null }>(
  async (app, { tracing }) => {
    app.decorateRequest('trace', null);
    if (tracing === null) return;
    app.addHook('onRequest', (request, _reply, done) => {
      request.trace = tracing.sample(request.headers.traceparent);
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      if (request.trace !== null) {
        const { method, routeOptions, caller, refusal } = request;
        // The route's template, and never the address, which holds codes and user ids.
        const route = request.is404 ? 'unknown' : (routeOptions.url ?? 'unknown');
        request.trace.end(`${method} ${route}`, {
          'http.request.method': method,
          'http.route': route,
          'http.response.status_code': reply.statusCode,
          ...(caller === undefined ? {} : { 'qurable.tenant': caller.tenantId, 'qurable.role': caller.role }),
          ...(refusal === null ? {} : { 'qurable.refusal': refusal.kind }),
        });
      }
      done();
    });
  },
  { name: 'trace-requests', dependencies: ['problems'] },
);
