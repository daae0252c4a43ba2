import type { Socket } from 'node:net';
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import {
  authenticateKey,
  authenticateSession,
  type Core,
  findTenantId,
  type HealthSources,
  type Log,
  limits,
} from '../../core/index.ts';
import { answerHeaders, setHeaders } from './answers/answer-headers.ts';
import { answerClientError } from './answers/client-errors.ts';
import { answerError, problemAnswers } from './answers/problem-answers.ts';
import { serializersOfOwnSchemas } from './answers/serializers.ts';
import { unknownRoutes } from './answers/unknown-routes.ts';
import { type Authenticate, makeAuthenticate } from './auth/authentication.ts';
import { guard } from './auth/guard.ts';
import { makeJwtVerifier } from './auth/jwt.ts';
import { jsonBodies } from './body/json-body.ts';
import { consolePages } from './console/console-pages.ts';
import { docsPage, docsPrefix } from './docs/docs-page.ts';
import { openapi } from './docs/openapi.ts';
import { type Drain, makeDrain } from './drain.ts';
import { limitRepeats } from './observe/limit-repeats.ts';
import type { Metrics } from './observe/metrics.ts';
import { observeRequests } from './observe/observe-requests.ts';
import { traceRequests } from './observe/trace-requests.ts';
import type { ContainerTracing } from './observe/tracing.ts';
import { crossOrigin } from './request/cross-origin.ts';
import { knownParameters } from './request/known-parameters.ts';
import { parseQuery } from './request/query-parameters.ts';
import { ambiguousRequests } from './request/refuse-ambiguous-requests.ts';
import { makeRequestIds } from './request/request-ids.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { assignmentRoutes } from './routes/assignments.ts';
import { bookRoutes } from './routes/books.ts';
import { codeRoutes } from './routes/codes.ts';
import { consoleHealthRoutes } from './routes/console-health.ts';
import { consoleOidcRoutes } from './routes/console-oidc.ts';
import { consoleSessionRoutes } from './routes/console-sessions.ts';
import { couponRoutes } from './routes/coupons.ts';
import { jobRoutes, newJobRoutes } from './routes/jobs.ts';
import { redemptionRoutes } from './routes/redemptions.ts';
import { serviceRoutes } from './routes/service.ts';
import { tenantRoutes } from './routes/tenants.ts';
import { uploadRoutes } from './routes/uploads.ts';
import { userRoutes } from './routes/users.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { guessThrottle } from './rules/guess-throttle.ts';
import { idempotencyKeys } from './rules/idempotency-keys.ts';
import { sharedSchemas } from './schemas/shared-schemas.ts';

/** Percent-encoded, a user id of 128 characters has up to 12 bytes for each. */
const pathPartMaxChars = 12 * limits.userIdMaxChars;
/**
 * The load balancer closes idle connections after 60 s. Closing first here would cut requests that are on their way.
 */
const keepAliveMillis = 65_000;

/** Every route is in one of these, in the order in which the OpenAPI document shows them. */
const routePlugins = [
  bookRoutes,
  codeRoutes,
  uploadRoutes,
  assignmentRoutes,
  couponRoutes,
  redemptionRoutes,
  newJobRoutes,
  jobRoutes,
  userRoutes,
  webhookRoutes,
  apiKeyRoutes,
  tenantRoutes,
  serviceRoutes,
  consoleSessionRoutes,
  consoleOidcRoutes,
  consoleHealthRoutes,
];

/** What an application is built with beside the core. */
export interface AppParts {
  log: Logger;
  metrics: Metrics;
  drain?: Drain;
  /** What the Health page asks of the process beside the core; left out: nothing is known. */
  health?: HealthSources;
  /** Null, or left out: no request is traced. */
  tracing?: ContainerTracing | null;
  /** In the place of API keys and JWTs, for tests without a database. */
  authenticate?: Authenticate;
}

/**
 * Builds the application, apart from listening, so that tests can send requests into it. It is made of plugins, each of
 * which names those that must be there before it: the start stops where one is not.
 */
export async function buildApp(core: Core, { log, metrics, ...parts }: AppParts): Promise<FastifyInstance> {
  const failures = limitRepeats(log, metrics.observeFailure);
  const app = makeFastify(core, failures);
  app.decorate('core', core);
  app.decorate('metrics', metrics);
  app.decorate('health', parts.health ?? { droppedLogLines: () => 0, background: null });
  app.decorate('drain', parts.drain ?? makeDrain());
  app.register(answerHeaders);
  app.register(problemAnswers, { log: failures });
  app.register(ambiguousRequests);
  app.register(observeRequests, { log, metrics });
  app.register(traceRequests, { tracing: parts.tracing ?? null });
  app.register(jsonBodies);
  app.register(knownParameters);
  app.register(guard, {
    authenticate: parts.authenticate ?? authenticationOf(core, failures),
    authenticateSession: (secret, isUse) => authenticateSession(core, secret, isUse),
    checkRate: core.config.rateLimitPerSecond === 0 ? null : core.throttle.checkRate,
    queueAgeMillis: (queue, tenantId) => core.batches.queueAgeOf(queue, tenantId),
    publicPrefixes: [docsPrefix],
  });
  app.register(guessThrottle, { core });
  app.register(idempotencyKeys);
  app.register(crossOrigin, { origins: core.config.corsOrigins });
  app.register(unknownRoutes);
  app.register(openapi);
  app.register(sharedSchemas);
  for (const routes of routePlugins) app.register(routes);
  app.register(docsPage);
  app.register(consolePages);
  await app.ready();
  return app;
}

function makeFastify(core: Core, log: Log): FastifyInstance {
  const options: FastifyHttpOptions<RawServerDefault> = {
    // Requests are logged by observe-requests.ts, one line each; the framework's own lines hold addresses.
    logger: false,
    genReqId: makeRequestIds(core.random),
    requestIdHeader: false,
    trustProxy: (_address, hop) => hop < core.config.trustedProxies,
    keepAliveTimeout: keepAliveMillis,
    http: {
      maxHeaderSize: limits.headerMaxBytes,
      headersTimeout: limits.headersMaxMillis,
      connectionsCheckingInterval: 5_000,
      // Else the first of two Authorization headers would count, and nobody would learn that there was another.
      joinDuplicateHeaders: true,
    },
    bodyLimit: limits.bodyMaxBytes,
    // A request that comes while the server closes is answered like any other: the database is there until the last
    // one.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: pathPartMaxChars, querystringParser: parseQuery },
    clientErrorHandler: (error, socket) => answerClientError(error, socket as Socket),
    frameworkErrors: (error, request, reply) => {
      setHeaders(reply);
      answerError(error, request, reply, log);
    },
    schemaController: { compilersFactory: { buildSerializer: serializersOfOwnSchemas() } },
    ajv: {
      customOptions: {
        // A wrong type is refused, not mended, and so is an unknown field.
        coerceTypes: false,
        removeAdditional: false,
        // Nor is a field filled in that the request left out: what it left out is the operations' to decide.
        useDefaults: false,
        allErrors: true,
        allowUnionTypes: true,
        verbose: true,
      },
    },
  };
  return Fastify(options);
}

function authenticationOf(core: Core, log: Log): Authenticate {
  const lookups = {
    authenticateKey: (secret: string) => authenticateKey(core, secret),
    findTenantId: (slug: string) => findTenantId(core, slug),
  };
  return makeAuthenticate(lookups, makeJwtVerifier(core.config.jwt, core.clock, log), core.clock);
}
