import type {
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  onRequestHookHandler,
  preValidationHookHandler,
  RouteOptions,
} from 'fastify';
import fp from 'fastify-plugin';
import { type Caller, type CouponQueue, limits, refuse, type Throttle, unavailable } from '../../../core/index.ts';
import { refuseUnsafeText } from '../body/json-text.ts';
import { hooksOf, nameOfRoute, type RouteRules } from '../rules/route-rules.ts';
import type { Authenticate } from './authentication.ts';
import { type AuthenticateSession, type Identify, makeIdentify } from './identify.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is asking. Set before the body is read; routes for the public must not look at it. */
    caller: Caller;
  }
}

/** What the guard needs to know of the rest of the container. */
export interface GuardOptions {
  authenticate: Authenticate;
  /** Takes the cookie of a console's session on the API's and the console's own routes; left out: nowhere. */
  authenticateSession?: AuthenticateSession;
  /** Limits the pace of a caller's requests; null: there is no limit. */
  checkRate: Throttle['checkRate'] | null;
  /** How long the oldest request of a tenant has waited in a queue. */
  queueAgeMillis(queue: CouponQueue, tenantId: number): number;
  /** Where plugins have routes, which say nothing of roles: pages and their files, which hold no data. */
  publicPrefixes: readonly string[];
}

/**
 * Enforces who may call each route, in the one place where that is done: who is asking, then whether the queue that the
 * request would join has room for its tenant, then whether its role may, then whether a customer acts for itself. All
 * but the last come before the body is read, so that a stranger's body costs nothing.
 * @throws Error, at the start, for a route without roles, and where a route was there before the guard
 */
export const guard = fp<GuardOptions>(
  async (app, options) => {
    // It would be open to everyone.
    if (app.printRoutes() !== '(empty tree)') throw new Error('A route was added before the guard');
    app.decorateRequest('caller');
    app.addHook('onRoute', (route) => {
      const rules = rulesOf(route, options.publicPrefixes);
      if (rules.roles === 'public') return;
      route.onRequest = [makeDoor(rules, identifierFor(route, options), options), ...hooksOf(route.onRequest)];
      route.preValidation = [...bodyChecks(rules), ...hooksOf(route.preValidation)];
    });
  },
  { name: 'guard' },
);

function rulesOf(route: RouteOptions, publicPrefixes: readonly string[]): RouteRules {
  const roles = route.config?.roles ?? (isOfPublicPlugin(route, publicPrefixes) ? 'public' : undefined);
  if (roles === undefined) throw new Error(`The route ${nameOfRoute(route)} does not say who may call it`);
  return { ...route.config, roles };
}

/** A page's, or the one for preflight requests to any path, which bring no token and ask for no data. */
function isOfPublicPlugin({ method, url }: RouteOptions, publicPrefixes: readonly string[]): boolean {
  if (method === 'OPTIONS' && url === '*') return true;
  return publicPrefixes.some((prefix) => url === prefix || url.startsWith(`${prefix}/`));
}

/** Where a session's cookie is taken. */
const sessionPrefixes = ['/v1/', '/console/'];

function identifierFor({ url }: RouteOptions, { authenticate, authenticateSession }: GuardOptions): Identify {
  const takesSessions = sessionPrefixes.some((prefix) => url.startsWith(prefix));
  return takesSessions && authenticateSession !== undefined
    ? makeIdentify(authenticate, authenticateSession)
    : ({ headers }) => authenticate(headers.authorization);
}

/** A hook of callbacks, not promises: a cached caller passes without a turn of the event loop. */
function makeDoor(rules: RouteRules, identify: Identify, options: GuardOptions): onRequestHookHandler {
  const { checkRate, queueAgeMillis } = options;
  const admit = (request: FastifyRequest, caller: Caller): void | Promise<void> => {
    request.caller = request.trace ? { ...caller, trace: request.trace } : caller;
    if (rules.queue !== undefined && queueAgeMillis(rules.queue, caller.tenantId) > limits.queueShedAgeMillis) {
      throw overloaded();
    }
    if (!rules.roles.includes(caller.role)) throw forbidden(caller);
    if (rules.ownUser === 'path') refuseOtherUser(caller, (request.params as { userId?: unknown }).userId);
    refuseUnsafeParameters(request.params as Record<string, unknown>);
    refuseUnsafeParameters(request.query as Record<string, unknown>);
    return checkRate === null ? undefined : checkRate(caller);
  };

  return (request, _reply, done) => {
    try {
      const caller = identify(request);
      const admitted =
        caller instanceof Promise ? caller.then((known) => admit(request, known)) : admit(request, caller);
      if (admitted === undefined) return done();
      admitted.then(() => done(), done);
    } catch (error) {
      done(error as Error);
    }
  };
}

function bodyChecks(rules: RouteRules): preValidationHookHandler[] {
  const checks: preValidationHookHandler[] = [];
  if (rules.bodyOptional === true) checks.push(fillEmptyBody);
  if (rules.ownUser === 'body') checks.push(refuseOtherUserInBody);
  return checks;
}

function fillEmptyBody(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  request.body ??= {};
  done();
}

/** Comes before the validation of the body, since `forbidden` is said before `invalid-input`. */
function refuseOtherUserInBody(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  try {
    refuseOtherUser(request.caller, (request.body as { userId?: unknown } | null | undefined)?.userId);
    done();
  } catch (error) {
    done(error as Error);
  }
}

/** A value that is not a text can't be a user id. Validation refuses it later. */
function refuseOtherUser(caller: Caller, userId: unknown): void {
  if (caller.customerId === null || typeof userId !== 'string' || userId === caller.customerId) return;
  throw refuse('forbidden', 'A customer acts for itself only: userId must be the token’s sub.');
}

/** Validation refuses what is not a text, such as a parameter that comes twice. */
function refuseUnsafeParameters(parameters: Record<string, unknown>): void {
  for (const name in parameters) {
    const value = parameters[name];
    if (typeof value === 'string') refuseUnsafeText(value, name);
  }
}

function forbidden(caller: Caller) {
  return refuse('forbidden', `The role ${caller.role} may not do this.`);
}

function overloaded() {
  const seconds = 1 + Math.floor(limits.queueShedAgeMillis / 1000);
  return unavailable('not-begun', 'More is asked for than can be done in time. Come back in a moment.', seconds);
}
