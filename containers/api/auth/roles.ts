import type { Role } from '../../../core/index.ts';

/** Makes tenants. */
export const rootOnly: readonly Role[] = ['root'];
/** All of a tenant. */
export const admins: readonly Role[] = ['root', 'admin'];
/** Everything but API keys, erasure and books' creation and change. */
export const operators: readonly Role[] = [...admins, 'operator'];
/** Whoever may see any code of the tenant: operators and the checkout's keys. */
export const codeReaders: readonly Role[] = [...operators, 'redeemer'];
/** Operators and the customer whom a thing belongs to. */
export const operatorsAndCustomers: readonly Role[] = [...operators, 'customer'];
/** Whoever may use a coupon: the checkout's keys, and customers their own. */
export const couponUsers: readonly Role[] = [...operators, 'redeemer', 'customer'];
