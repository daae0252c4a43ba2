import fp from 'fastify-plugin';
import { strictObject } from '../../../core/index.ts';

/**
 * Makes a route of the API that says nothing of its query take none: a parameter that is passed over in silence, such
 * as `?force=true` beside a body, would have its sender believe that it counts.
 */
export const knownParameters = fp(
  async (app) => {
    app.addHook('onRoute', (route) => {
      if (route.url.startsWith('/v1/')) route.schema = { querystring: strictObject({}), ...route.schema };
    });
  },
  { name: 'known-parameters' },
);
