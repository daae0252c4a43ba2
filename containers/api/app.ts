import type { Socket } from 'node:net';
import cors from '@fastify/cors';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RawServerDefault,
} from 'fastify';
import type { Logger } from 'pino';
import {
  authenticateKey,
  type Core,
  CouponError,
  findTenantId,
  invalidInput,
  type Log,
  limits,
  loggable,
  type Refusal,
} from '../../core/index.ts';
import { answerUnknownRoutes } from './allowed-methods.ts';
import { setAnswerHeaders, setHeaders } from './answer-headers.ts';
import { type Authenticate, makeAuthenticate } from './authentication.ts';
import { answerClientError } from './client-errors.ts';
import { addDocsPage } from './docs-page.ts';
import { type Drain, makeDrain } from './drain.ts';
import { guardRoutes } from './guard-routes.ts';
import { takeJsonBodies } from './json-body.ts';
import { makeJwtVerifier } from './jwt.ts';
import { limitRepeats } from './limit-repeats.ts';
import type { Metrics } from './metrics.ts';
import { observeRequests } from './observe-requests.ts';
import { describeRoutes } from './openapi.ts';
import { sendProblem } from './problems.ts';
import { parseQuery } from './query-parameters.ts';
import { refusalOfError } from './refusal-of-error.ts';
import { refuseAmbiguousRequests } from './refuse-ambiguous-requests.ts';
import { makeRequestIds } from './request-ids.ts';
import type { Api, RouteTools } from './routes/answer.ts';
import { addApiKeyRoutes } from './routes/api-keys.ts';
import { addBookRoutes } from './routes/books.ts';
import { addCodeRoutes } from './routes/codes.ts';
import { addCouponRoutes } from './routes/coupons.ts';
import { addRedemptionRoutes } from './routes/redemptions.ts';
import { addMetricsRoute, addServiceRoutes } from './routes/service.ts';
import { addTenantRoutes } from './routes/tenants.ts';
import { addUserRoutes } from './routes/users.ts';
import { Book } from './schemas/book.ts';
import { CodeItem, Deck, GeneratedDeck, UploadedDeck } from './schemas/code.ts';
import { AssignBatchResults, Coupon, CouponEvent, LockedCoupon, RedeemedCoupon, Validation } from './schemas/coupon.ts';
import { ProblemSchema } from './schemas/problem.ts';
import { ApiKey, NewApiKey, NewTenant } from './schemas/tenant.ts';

/** Percent-encoded, a user id of 128 characters has up to 12 bytes for each. */
const pathPartMaxChars = 12 * limits.userIdMaxChars;
/** The load balancer closes idle connections after 60 s. Closing first here would cut requests that are on their way. */
const keepAliveMillis = 65_000;
/** Longer than keepAliveMillis is of no use; heads come in one packet. */
const headersMaxMillis = 20_000;

/** What an application is built with beside the core. */
export interface AppParts {
  log: Logger;
  metrics: Metrics;
  drain?: Drain;
  /** In the place of API keys and JWTs, for tests without a database. */
  authenticate?: Authenticate;
}

const sharedSchemas = [
  ProblemSchema,
  Book,
  CodeItem,
  Deck,
  GeneratedDeck,
  UploadedDeck,
  Coupon,
  LockedCoupon,
  RedeemedCoupon,
  CouponEvent,
  AssignBatchResults,
  Validation,
  ApiKey,
  NewApiKey,
  NewTenant,
];

/** Builds the application, apart from listening, so that tests can send requests into it. */
export async function buildApp(core: Core, parts: AppParts): Promise<FastifyInstance> {
  const drain = parts.drain ?? makeDrain();
  const failures = limitRepeats(parts.log, parts.metrics.observeFailure);
  const app = makeFastify(core, failures);
  const tools: RouteTools = { core, metrics: parts.metrics };
  app.decorateRequest('caller');
  app.decorateRequest('refusal', null);
  setAnswerHeaders(app);
  refuseAmbiguousRequests(app);
  observeRequests(app, parts.log, parts.metrics);
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, failures));
  takeJsonBodies(app, limits.bodyMaxBytes);
  // Before the guard: the route of preflight requests, which bring no token, is the plugin's own.
  if (core.config.corsOrigins.length > 0) await allowOrigins(app, core.config.corsOrigins);
  guardRoutes(app, {
    authenticate: parts.authenticate ?? authenticationOf(core, failures),
    checkRate: core.config.rateLimitPerSecond === 0 ? null : core.throttle.checkRate,
    queueAgeMillis: (queue, tenantId) => core.batches.queueAgeOf(queue, tenantId),
  });
  answerUnknownRoutes(app);
  await describeRoutes(app);
  for (const schema of sharedSchemas) app.addSchema(schema);
  addRoutes(app.withTypeProvider<TypeBoxTypeProvider>(), tools, drain, parts.metrics);
  await addDocsPage(app);
  await app.ready();
  return app;
}

function addRoutes(app: Api, tools: RouteTools, drain: Drain, metrics: Metrics): void {
  addBookRoutes(app, tools);
  addCodeRoutes(app, tools);
  addCouponRoutes(app, tools);
  addRedemptionRoutes(app, tools);
  addUserRoutes(app, tools);
  addApiKeyRoutes(app, tools);
  addTenantRoutes(app, tools);
  addServiceRoutes(app, tools, drain);
  if (tools.core.config.metricsPort === null) addMetricsRoute(app, tools, metrics);
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
      headersTimeout: headersMaxMillis,
      connectionsCheckingInterval: 5_000,
      // Else the first of two Authorization headers would count, and nobody would learn that there was another.
      joinDuplicateHeaders: true,
    },
    bodyLimit: limits.bodyMaxBytes,
    // A request that comes while the server closes is answered like any other: the database is there until the last one.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: pathPartMaxChars, querystringParser: parseQuery },
    clientErrorHandler: (error, socket) => answerClientError(error, socket as Socket),
    frameworkErrors: (error, request, reply) => {
      setHeaders(reply);
      answerError(error, request, reply, log);
    },
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

async function allowOrigins(app: FastifyInstance, origins: string[]): Promise<void> {
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
    allowedHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'x-request-id'],
    exposedHeaders: ['etag', 'idempotency-replayed', 'retry-after', 'x-request-id'],
    maxAge: 600,
  });
}

/** Answers a thrown value: a refusal as itself, anything else as `internal`, about which only the log knows more. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const refusal: Refusal = refusalOfError(error) ?? {
    kind: 'internal',
    detail: `Something unexpected happened. Name the request ${request.id} to the operator.`,
  };
  if (refusal.kind === 'internal' || (refusal.kind === 'unavailable' && !(error instanceof CouponError))) {
    log.error({ requestId: request.id, route: request.routeOptions.url, error: loggable(error) }, refusal.kind);
  }
  sendProblem(reply, refusal);
}
