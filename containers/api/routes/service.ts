import { Type } from 'typebox';
import {
  checkReady,
  type ErrorKind,
  errorKinds,
  findTenantId,
  oneOf,
  refuse,
  unavailable,
} from '../../../core/index.ts';
import { problemIndex, problemPage } from '../answers/problem-pages.ts';
import { admins } from '../auth/roles.ts';
import { type Api, routes } from './api.ts';

const Ok = Type.Object({ status: oneOf(['ok'], { examples: ['ok'] }) }, { description: 'All is well.' });
const Page = { description: 'A page for people.', content: { 'text/html': { schema: Type.String() } } };

/** The routes about the service itself. */
export const serviceRoutes = routes('service-routes', (app) => {
  addHealth(app);
  addProblemPages(app);
  addDocument(app);
  if (app.core.config.metricsPort === null) addMetrics(app);
});

function addHealth(app: Api): void {
  const { core, drain } = app;

  app.get(
    '/health',
    {
      config: { roles: 'public' },
      schema: {
        operationId: 'health',
        summary: 'Whether the process is alive',
        description: 'Asks no database: one that is down is no reason to restart the process.',
        tags: ['service'],
        response: { 200: Ok },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/ready',
    {
      config: { roles: 'public', kinds: ['unavailable'] },
      schema: {
        operationId: 'ready',
        summary: 'Whether the process can take requests',
        description:
          'The database is reachable, its schema is at least what this version needs, and no shutdown is on.',
        tags: ['service'],
        response: { 200: Ok },
      },
    },
    async () => {
      if (drain.isOn) throw unavailable('not-begun', 'The process is shutting down.');
      await checkReady(core);
      return { status: 'ok' as const };
    },
  );
}

function addProblemPages(app: Api): void {
  app.get(
    '/problems',
    {
      config: { roles: 'public' },
      schema: {
        operationId: 'listProblems',
        summary: 'All kinds of problems',
        description: 'Each with its status, what it means and what to do: for people, in HTML.',
        tags: ['service'],
        response: { 200: Page },
      },
    },
    (_request, reply) => {
      reply.type('text/html; charset=utf-8').send(problemIndex());
    },
  );

  app.get(
    '/problems/:kind',
    {
      config: { roles: 'public', kinds: ['not-found'] },
      schema: {
        operationId: 'readProblem',
        summary: 'What a kind of problem means and what to do',
        description: 'The page that the `type` of a problem document leads to: for people, in HTML.',
        tags: ['service'],
        params: Type.Object({ kind: Type.String({ examples: ['code-locked'] }) }),
        response: { 200: Page },
      },
    },
    (request, reply) => {
      const { kind } = request.params;
      if (!isKind(kind)) throw refuse('not-found', 'There is no kind of problem with this name; see /problems.');
      reply.type('text/html; charset=utf-8').send(problemPage(kind));
    },
  );
}

function addDocument(app: Api): void {
  /** Made for whoever asks first, since no request needs it before. */
  let document: string | undefined;
  app.get('/openapi.json', { config: { roles: 'public' }, schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(app.swagger());
    reply.type('application/json; charset=utf-8').header('access-control-allow-origin', '*').send(document);
  });
}

/** For the installation's own admins, where the metrics have no port of their own. */
function addMetrics(app: Api): void {
  const { core, metrics } = app;

  app.get(
    '/metrics',
    {
      config: { roles: admins },
      schema: {
        operationId: 'metrics',
        summary: 'Metrics in Prometheus’ text format',
        description:
          'Of this process alone, and of all tenants together: so for admins of the tenant `default` only, to which the root key belongs. With METRICS_PORT set they are on that port instead, without a token.',
        tags: ['service'],
        response: { 200: { description: 'Metrics.', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      if (request.caller.tenantId !== (await findTenantId(core, 'default'))) {
        throw refuse(
          'forbidden',
          'The metrics are of all tenants together: only admins of the tenant default may read them.',
        );
      }
      reply.type(metrics.contentType);
      return await metrics.read();
    },
  );
}

function isKind(text: string): text is ErrorKind {
  return Object.hasOwn(errorKinds, text);
}
