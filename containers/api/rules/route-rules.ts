import type { RouteOptions } from 'fastify';
import type { CouponQueue, ErrorKind, Role } from '../../../core/index.ts';
import type { Effect } from '../observe/metrics.ts';

/**
 * What each route says about itself in its `config`. The plugins named here enforce it on every route, and openapi.ts
 * writes it down. A route that leaves out what it must say stops the start.
 */
export interface RouteRules {
  /** Who may call it. Every route says it (guard.ts). */
  roles: readonly Role[] | 'public';
  /** Where a customer names a user, who must be the customer: in the body or in the path (guard.ts). */
  ownUser?: 'body' | 'path';
  /** The queue of the coupons in which it waits; it is turned away while that is too long for its tenant (guard.ts). */
  queue?: CouponQueue;
  /** Whether the body may be left out, as all its fields may (guard.ts). */
  bodyOptional?: boolean;
  /**
   * Whether it takes an Idempotency-Key. Every POST says it (idempotency-keys.ts). Where it does, its handler passes
   * `request.keyed` to the operation and returns the operation's Outcome.
   */
  idempotent?: boolean;
  /**
   * For whom it looks up the `:code` of its path: for the user whom the body names, or for nobody in particular. Every
   * route with a `:code` says it, and is refused to those who guess (guess-throttle.ts).
   */
  looksUpCode?: 'for-user' | 'for-nobody';
  /**
   * Where what it made can be read, for the Location of a success (idempotency-keys.ts); left out where it makes
   * nothing that has an address.
   */
  locationOf?: (made: never) => string;
  /** What a success of it does once, for the metrics (observe-requests.ts). */
  effect?: Effect;
  /** Its body is a stream, which the operation reads: an upload of codes, or the file of a job. */
  upload?: 'codes' | 'job';
  /** The refusals it gives beside those that every route gives. */
  kinds?: readonly ErrorKind[];
}

declare module 'fastify' {
  // Fastify's own name for what a route says about itself. Plugins' routes have none of ours, hence the optional role.
  interface FastifyContextConfig extends Partial<RouteRules> {}
}

/** A route as messages to its author name it, such as `GET /v1/books`. */
export function nameOfRoute({ method, url }: RouteOptions): string {
  return `${[method].flat().join(', ')} ${url}`;
}

/** A route's hooks of one kind, of which it may have none, one or several. */
export function hooksOf<T>(hooks: T | T[] | undefined): T[] {
  if (hooks === undefined) return [];
  return Array.isArray(hooks) ? hooks : [hooks];
}
