import cors from '@fastify/cors';
import fp from 'fastify-plugin';
import { invalidInput } from '../../../core/index.ts';

/** Lets pages of other origins call the API, and answers their preflight requests. Without origins it does nothing. */
export const crossOrigin = fp<{ origins: string[] }>(
  async (app, { origins }) => {
    if (origins.length === 0) return;
    // The plugin would answer these itself, in plain text.
    app.addHook('onRequest', (request, _reply, done) => {
      const { origin, 'access-control-request-method': method } = request.headers;
      const isFit = request.method !== 'OPTIONS' || (Boolean(origin) && Boolean(method));
      if (isFit) done();
      else done(invalidInput('Access-Control-Request-Method', 'must be there, beside Origin, as a browser sends them'));
    });
    await app.register(cors, {
      origin: origins,
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match', 'x-request-id'],
      exposedHeaders: [
        'content-disposition',
        'etag',
        'idempotency-replayed',
        'location',
        'retry-after',
        'x-request-id',
      ],
      maxAge: 600,
    });
  },
  // The guard knows the plugin's own route, for preflight requests.
  { name: 'cross-origin', dependencies: ['ambiguous-requests', 'guard'] },
);
