import { describe, expect, test } from '@jest/globals';
import Fastify, { type RouteOptions } from 'fastify';
import { guardRoutes } from '../../containers/api/guard-routes.ts';
import type { Caller } from '../../core/index.ts';

const operator: Caller = { tenantId: 1, role: 'operator', actor: 'key:1', customerId: null };

async function build(config: RouteOptions['config'], caller = operator) {
  const app = Fastify();
  app.decorateRequest('caller');
  guardRoutes(app, { authenticate: () => caller, checkRate: null, queueAgeMillis: () => 0 });
  app.get('/x', { ...(config && { config }) }, async (request) => ({ role: request.caller?.role ?? 'nobody' }));
  await app.ready();
  return app;
}

describe('the guard', () => {
  test('a route that does not say who may call it stops the start', async () => {
    await expect(build(undefined)).rejects.toThrow('GET /x does not say who may call it');
    await expect(build({ queue: 'deals' })).rejects.toThrow('does not say who may call it');
  });

  test('a route for nobody lets nobody in', async () => {
    const app = await build({ roles: [] });
    expect((await app.inject('/x')).statusCode).toBe(500);
  });

  test('HEAD is guarded as GET is', async () => {
    const app = await build({ roles: ['admin'] });
    expect((await app.inject({ method: 'HEAD', url: '/x' })).statusCode).toBe(500);
    const open = await build({ roles: ['operator'] });
    expect((await open.inject({ method: 'HEAD', url: '/x' })).statusCode).toBe(200);
  });

  test('a public route asks nobody who they are', async () => {
    const app = await build({ roles: 'public' });
    expect((await app.inject('/x')).json()).toEqual({ role: 'nobody' });
  });
});
