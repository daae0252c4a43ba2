import type { Role } from '../../../core/index.ts';

/** The bootstrap key alone, which makes tenants. */
export const rootOnly: readonly Role[] = ['root'];
/** Whoever may do everything in a tenant. */
export const admins: readonly Role[] = ['root', 'admin'];
/** Whoever may do everything but manage API keys, erase users, and make, change or delete books. */
export const operators: readonly Role[] = [...admins, 'operator'];
/** Whoever may see any code of the tenant: operators and the checkout's keys. */
export const codeReaders: readonly Role[] = [...operators, 'redeemer'];
/** Operators and the customer whom a thing belongs to. */
export const operatorsAndCustomers: readonly Role[] = [...operators, 'customer'];
/** Whoever may use a coupon: the checkout's keys, and customers their own. */
export const couponUsers: readonly Role[] = [...operators, 'redeemer', 'customer'];
