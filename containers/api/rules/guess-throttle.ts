import type { FastifyRequest, RouteHandlerMethod, RouteOptions } from 'fastify';
import fp from 'fastify-plugin';
import { type Core, CouponError, readCoupon } from '../../../core/index.ts';
import { nameOfRoute } from './route-rules.ts';

/**
 * Slows those who guess codes: a route with a `:code` in its path runs its handler only for callers who have not been
 * guessing, and what the handler comes to is counted as a guess where it is `coupon-not-found`.
 * @throws Error, at the start, for a route with a `:code` that does not say for whom it looks the code up
 */
export const guessThrottle = fp<{ core: Core }>(
  async (app, { core }) => {
    app.addHook('onRoute', (route) => {
      const hasCode = route.url.split('/').some((part) => /^:code\b/.test(part));
      const rule = route.config?.looksUpCode;
      if (hasCode !== (rule !== undefined)) {
        const fault = hasCode ? 'does not say for whom it looks up its :code' : 'looks up a code without :code';
        throw new Error(`The route ${nameOfRoute(route)} ${fault}`);
      }
      if (rule !== undefined) route.handler = throttle(core, route, rule === 'for-user');
    });
  },
  { name: 'guess-throttle', dependencies: ['guard'] },
);

/**
 * Looks a code up, unless its caller has been guessing, and notes a guess that was wrong. Where too much is looked up
 * at once it waits for what is in flight. A customer whose own guesses block it still reaches the coupons it holds: it
 * is told no more by that than its own list of coupons tells it.
 */
function throttle(core: Core, { handler }: RouteOptions, isForUser: boolean): RouteHandlerMethod {
  return async function lookUpCode(request, reply) {
    const { caller } = request;
    const { code } = request.params as { code: string };
    const userId = isForUser ? userIdOf(request) : null;
    const begun = core.throttle.beginLookup(caller, request.ip, userId, code);
    const lookup = begun instanceof Promise ? await begun : begun;
    try {
      if (lookup.onlyIfHeld !== null) await readCoupon(core, caller, code);
      const result: unknown = await handler.call(this, request, reply);
      lookup.found();
      return result;
    } catch (error) {
      if (!(error instanceof CouponError)) lookup.unknown();
      else if (isGuess(error)) await lookup.notFound();
      // A refusal that tells the coupon's revision is one about a coupon that is there.
      else if (error.refusal.rev !== undefined) lookup.found();
      else lookup.unknown();
      throw isNotFound(error) ? (lookup.onlyIfHeld ?? error) : error;
    }
  };
}

/** Of a body that has passed its route's validation; null where it may leave the user out and does. */
function userIdOf(request: FastifyRequest): string | null {
  return (request.body as { userId?: string }).userId ?? null;
}

/** A public code is known to everybody: without a coupon for it nobody has guessed. */
function isGuess({ kind, refusal }: CouponError): boolean {
  return kind === 'coupon-not-found' && refusal.isKnownCode !== true;
}

function isNotFound(error: unknown): boolean {
  return error instanceof CouponError && error.kind === 'coupon-not-found';
}
