import type { RequestTrace } from './trace.ts';

/** What a token may do: containers/api/auth/roles.ts says what that is. */
export type Role = 'root' | 'admin' | 'operator' | 'redeemer' | 'customer';

/** Who is asking, as authentication found out. A caller acts in its own tenant only. */
export interface Caller {
  tenantId: number;
  role: Role;
  /**
   * How events name the caller: `root`, `key:<short id of the API key>`, `jwt:<sub>`, `person:<short id>` for somebody
   * who signed in to the console by the company's sign-in, or `customer` for a customer, whose id is the coupon's
   * holder and must not be written down a second time (it is personal).
   */
  actor: string;
  /** A customer's own id: the token's `sub`. Null for every other role. */
  customerId: string | null;
  /** Of a request that is traced: what it is told of its way through the queues. */
  trace?: RequestTrace;
}

/** What an operation gives back: the answer, and whether it is a replay of an earlier call with the same key. */
export interface Outcome<T> {
  body: T;
  replayed: boolean;
}
