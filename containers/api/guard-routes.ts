import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  onRequestHookHandler,
  preValidationHookHandler,
  RouteOptions,
} from 'fastify';
import { type Caller, type CouponQueue, limits, refuse, type Throttle, unavailable } from '../../core/index.ts';
import type { Authenticate } from './authentication.ts';
import { refuseUnsafeText } from './json-text.ts';
import type { RouteRules } from './roles.ts';

/** What the guard needs to know of the rest of the container. */
export interface Guards {
  authenticate: Authenticate;
  /** Limits the pace of a caller's requests; null: there is no limit. */
  checkRate: Throttle['checkRate'] | null;
  /** How long the oldest request of a tenant has waited in a queue. */
  queueAgeMillis(queue: CouponQueue, tenantId: number): number;
}

/** Routes of the documentation's plugin, which say nothing of roles: its pages hold no data. */
const pluginPrefix = '/docs';

/**
 * Enforces each route's rules, in the one place where that is done: who is asking, then whether the queue that the request
 * would join has room for its tenant, then whether its role may, then whether a customer acts for itself. All but the last come before the body is read, so that a stranger's body
 * costs nothing. Must be called before any route is added.
 * @throws Error, at the start, for a route without roles
 */
export function guardRoutes(app: FastifyInstance, guards: Guards): void {
  app.addHook('onRoute', (route) => {
    const rules = rulesOf(route);
    if (rules.roles === 'public') return;
    route.onRequest = [makeDoor(rules, guards), ...listOf(route.onRequest)];
    route.preValidation = [...bodyChecks(rules), ...listOf(route.preValidation)];
  });
}

function rulesOf(route: RouteOptions): RouteRules {
  const roles = route.config?.roles ?? (route.url.startsWith(pluginPrefix) ? 'public' : undefined);
  if (roles === undefined)
    throw new Error(`The route ${String(route.method)} ${route.url} does not say who may call it`);
  return { ...route.config, roles };
}

/** A hook of callbacks, not promises: a cached caller passes without a turn of the event loop. */
function makeDoor(rules: RouteRules, guards: Guards): onRequestHookHandler {
  const { authenticate, checkRate, queueAgeMillis } = guards;
  const admit = (request: FastifyRequest, caller: Caller): void | Promise<void> => {
    request.caller = caller;
    if (rules.queue !== undefined && queueAgeMillis(rules.queue, caller.tenantId) > limits.queueShedAgeMillis) {
      throw overloaded();
    }
    if (!rules.roles.includes(caller.role)) throw forbidden(caller);
    if (rules.ownUser === 'path') refuseOtherUser(caller, (request.params as { userId?: unknown }).userId);
    refuseUnsafeParameters(request.params as Record<string, string>);
    return checkRate === null ? undefined : checkRate(caller);
  };

  return (request, _reply, done) => {
    try {
      const caller = authenticate(request.headers.authorization);
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

/** A value that is no text is no user; what it is instead, validation says. */
function refuseOtherUser(caller: Caller, userId: unknown): void {
  if (caller.customerId === null || typeof userId !== 'string' || userId === caller.customerId) return;
  throw refuse('forbidden', 'A customer acts for itself only: userId must be the token’s sub.');
}

function refuseUnsafeParameters(parameters: Record<string, string>): void {
  for (const name in parameters) refuseUnsafeText(parameters[name]!, name);
}

function forbidden(caller: Caller) {
  return refuse('forbidden', `The role ${caller.role} may not do this.`);
}

function overloaded() {
  const seconds = 1 + Math.floor(limits.queueShedAgeMillis / 1000);
  return unavailable('not-begun', 'More is asked for than can be done in time. Come back in a moment.', seconds);
}

function listOf<T>(hooks: T | T[] | undefined): T[] {
  if (hooks === undefined) return [];
  return Array.isArray(hooks) ? hooks : [hooks];
}
