import type { Caller } from '../caller.ts';
import { type FailureName, failureName } from './known-failures.ts';

/** The keys of a look-up. */
export interface LookupNames {
  /** Who is asking: the user, or the caller itself where it names no user. */
  own: FailureName;
  /**
   * What the user shares with others. A customer has a token of its own, so this is the address. A shop's backend has
   * one address for all its users, so this is the token, which also counts when it is used from elsewhere.
   */
  shared: FailureName;
  /** The token once more, over a longer time; null for a customer, who has an address instead of it. */
  ceiling: FailureName | null;
}

/** What all look-ups of a token share. A caller is one object for as long as its token is remembered. */
const knownTokens = new WeakMap<Caller, Pick<LookupNames, 'shared' | 'ceiling'>>();

/** The keys of a look-up by this caller, from this address and for this user. */
export function namesOf(caller: Caller, address: string, userId: string | null): LookupNames {
  const { tenantId, actor, customerId } = caller;
  if (customerId !== null) {
    const own = failureName('user', tenantId, customerId);
    return { own, shared: failureName('address', tenantId, address), ceiling: null };
  }
  let ofToken = knownTokens.get(caller);
  if (ofToken === undefined) {
    ofToken = { shared: failureName('token', tenantId, actor), ceiling: failureName('ceiling', tenantId, actor) };
    knownTokens.set(caller, ofToken);
  }
  const own = userId === null ? failureName('caller', tenantId, actor) : failureName('named', tenantId, userId);
  return { own, shared: ofToken.shared, ceiling: ofToken.ceiling };
}
