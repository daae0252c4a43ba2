import { describe, expect, test } from '@jest/globals';
import Fastify, { type RouteOptions } from 'fastify';
import { guard } from '../../containers/api/auth/guard.ts';
import type { Caller } from '../../core/index.ts';

const operator: Caller = { tenantId: 1, role: 'operator', actor: 'key:1', customerId: null };
const options = {
  authenticate: () => operator,
  checkRate: null,
  queueAgeMillis: () => 0,
  publicPrefixes: ['/pages'],
};

async function build(config: RouteOptions['config'], url = '/x') {
  const app = Fastify();
  await app.register(guard, options);
  app.get(url, { ...(config && { config }) }, async (request) => ({ role: request.caller?.role ?? 'nobody' }));
  await app.ready();
  return app;
}

describe('the guard', () => {
  test('a route that does not say who may call it stops the start', async () => {
    await expect(build(undefined)).rejects.toThrow('GET /x does not say who may call it');
    await expect(build({ queue: 'deals' })).rejects.toThrow('does not say who may call it');
  });

  test('pages are for the public where the guard is told so, and nothing beside them', async () => {
    const app = await build(undefined, '/pages/one');
    expect((await app.inject('/pages/one')).json()).toEqual({ role: 'nobody' });
    await expect(build(undefined, '/pages-of-others')).rejects.toThrow('does not say who may call it');
  });

  test('a route that was there before the guard stops the start', async () => {
    const app = Fastify();
    app.get('/early', { config: { roles: ['operator'] } }, async () => ({}));
    await expect(app.register(guard, options)).rejects.toThrow('A route was added before the guard');
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
