import type { FastifyRequest, preHandlerHookHandler, RouteHandlerMethod, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { invalidInput, type KeyedRequest, keyedRequest, limits, type Outcome, spellCode } from '../../../core/index.ts';
import { hooksOf, nameOfRoute } from './route-rules.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The request by its Idempotency-Key; null where it came without one, or the route is not `idempotent`. */
    keyed: KeyedRequest | null;
  }
}

/**
 * Takes Idempotency-Keys on the routes that are `idempotent`: names the request in `request.keyed`, after the body's
 * validation, and answers with the Outcome that the handler returns, marked where it is a replay, and with the address
 * of what was made.
 * @throws Error, at the start, for a POST that does not say whether it is idempotent, and for one whose path has a
 *   parameter that nobody knows how to spell
 */
export const idempotencyKeys = fp(
  async (app) => {
    app.decorateRequest('keyed', null);
    app.addHook('onRoute', (route) => {
      const idempotent = route.config?.idempotent;
      if (idempotent === undefined && [route.method].flat().includes('POST')) {
        throw new Error(`The route ${nameOfRoute(route)} does not say whether it is idempotent`);
      }
      if (idempotent !== true) return;
      route.preHandler = [nameByKey(route), ...hooksOf(route.preHandler)];
      route.handler = answerOutcomes(route);
    });
  },
  { name: 'idempotency-keys', dependencies: ['guard'] },
);

function nameByKey(route: RouteOptions): preHandlerHookHandler {
  const pathOf = pathSpeller(route);
  // What a stream holds, the operation finds out and adds to the name.
  const bodyOf = route.config?.upload !== undefined ? () => undefined : ({ body }: FastifyRequest) => body ?? {};
  return (request, _reply, done) => {
    try {
      const key = readKey(request);
      if (key !== null) request.keyed = keyedRequest(request.caller, key, pathOf(request.params), bodyOf(request));
    } catch (error) {
      done(error as Error);
      return;
    }
    done();
  };
}

const keyShape = new RegExp(`^[\\x21-\\x7e]{1,${limits.idempotencyKeyMaxChars}}$`);

/** The request's Idempotency-Key, or null. A header that comes twice is joined by a space and so refused too. */
function readKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && keyShape.test(key)) return key;
  throw invalidInput(
    'Idempotency-Key',
    `must have 1 to ${limits.idempotencyKeyMaxChars} visible ASCII characters and no spaces`,
  );
}

const inLowerCase = (id: string) => id.toLowerCase();

/** How the parameters of paths are spelled in a request's name: two spellings of one thing are one path. */
const spellings: Record<string, (text: string) => string> = {
  code: spellCode,
  bookId: inLowerCase,
  deckId: inLowerCase,
  id: inLowerCase,
  jobId: inLowerCase,
  redemptionId: inLowerCase,
  userId: (text) => text,
};

/**
 * The one spelling of a route's path, such as `coupons/BF26-7K2M-Q9XD/redeem`, without the API's base. A hash of it is
 * stored with each key: if the spelling changed, repeats of earlier requests would not match.
 */
function pathSpeller(route: RouteOptions): (params: unknown) => string {
  const parts = route.url.replace(/^\/(v1\/)?/, '').split('/');
  const spellers = parts.map((part, index) => {
    const slash = index === 0 ? '' : '/';
    if (!part.startsWith(':')) return () => `${slash}${part}`;
    const name = part.slice(1);
    const spell = spellings[name];
    if (spell === undefined) throw new Error(`The route ${nameOfRoute(route)} has ${part}, which has no one spelling`);
    return (params: Record<string, string>) => `${slash}${spell(params[name]!)}`;
  });
  return (params) => {
    let path = '';
    for (const spell of spellers) path += spell(params as Record<string, string>);
    return path;
  };
}

function answerOutcomes(route: RouteOptions): RouteHandlerMethod {
  const { handler } = route;
  const locationOf = route.config?.locationOf;
  const status = onlySuccess(route.schema?.response);
  return async function answerOutcome(request, reply) {
    const outcome = (await handler.call(this, request, reply)) as Partial<Outcome<unknown>> | undefined;
    if (typeof outcome?.replayed !== 'boolean') {
      throw new Error(`The route ${nameOfRoute(route)} is idempotent, and its handler returned no Outcome`);
    }
    if (status !== null) reply.statusCode = status;
    if (locationOf !== undefined) reply.header('location', locationOf(outcome.body as never));
    if (outcome.replayed) reply.header('idempotency-replayed', 'true');
    return outcome.body;
  };
}

/**
 * The one status of a success that a route's schema names; null where there are several, and the handler says which.
 */
function onlySuccess(responses: unknown): number | null {
  const statuses = Object.keys(responses ?? {}).filter((status) => status.startsWith('2'));
  return statuses.length === 1 ? Number(statuses[0]) : null;
}
