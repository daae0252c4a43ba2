import type { Caller, CouponQueue, ErrorKind, Refusal, Role } from '../../core/index.ts';
import type { Effect } from './metrics.ts';

/** Makes tenants. */
export const rootOnly: readonly Role[] = ['root'];
/** All of a tenant. */
export const admins: readonly Role[] = ['root', 'admin'];
/** Everything but API keys, erasure and books' creation and change. */
export const operators: readonly Role[] = [...admins, 'operator'];
/** Operators and the customer whom a thing belongs to. */
export const operatorsAndCustomers: readonly Role[] = [...operators, 'customer'];
/** Whoever may use a coupon: the checkout's keys, and customers their own. */
export const couponUsers: readonly Role[] = [...operators, 'redeemer', 'customer'];

/** What each route says about itself in its `config`; guard-routes.ts enforces it and openapi.ts writes it down. */
export interface RouteRules {
  /** Who may call it. There is no default: a route without it stops the start. */
  roles: readonly Role[] | 'public';
  /** Where a customer names a user, who must be the customer: in the body or in the path. */
  ownUser?: 'body' | 'path';
  /** The queue of the coupons in which it waits; it is turned away while that is too long for its tenant. */
  queue?: CouponQueue;
  /** Whether the body may be left out, as all its fields may. */
  bodyOptional?: boolean;
  /** What a success of it does once, for the metrics. */
  effect?: Effect;
  /** Whether it takes an Idempotency-Key. */
  idempotent?: boolean;
  /** Whether its body is an upload of codes. */
  upload?: boolean;
  /** The refusals it gives beside those that every route gives. */
  kinds?: readonly ErrorKind[];
}

declare module 'fastify' {
  // Fastify's own name for what a route says about itself. Plugins' routes have none of ours, hence the optional role.
  interface FastifyContextConfig extends Partial<RouteRules> {}
  interface FastifyRequest {
    /** Who is asking. Set before the body is read; routes for the public must not look at it. */
    caller: Caller;
    /** Why it was refused, once it was; the log and the metrics tell. */
    refusal: Refusal | null;
  }
}
