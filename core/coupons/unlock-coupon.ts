import type { Caller, Outcome } from '../caller.ts';
import { type InputProblem, invalidInputs, refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import type { UnlockInput } from './coupon-inputs.ts';
import type { CouponBatches } from './engine/coupon-batches.ts';
import type { CouponView } from './rules/coupon-view.ts';

/** A lock that its holder lets go, or one that an operator ends. */
type Unlock = { op: 'unlock'; userId: string; lockToken: string } | { op: 'force-unlock'; reason: string | null };

/**
 * Ends a live lock before its time. Whoever has its token may; an operator may without it, by `force`.
 * @throws CouponError `forbidden` (`force`, of a caller who is no operator), `invalid-input` (fields that do not go
 *   together), `coupon-not-found`, `coupon-void`, `held-by-another-user`, `code-locked` (another token's lock is live),
 *   `lock-expired` (none is), `conflict` (by force, for a public code), `idempotency-key-reused`, `unavailable`
 */
export async function unlockCoupon(
  { batches }: { batches: CouponBatches },
  caller: Caller,
  code: string,
  input: UnlockInput,
  keyed: KeyedRequest | null = null,
): Promise<Outcome<CouponView>> {
  if (input.force === true && !mayForce(caller)) {
    throw refuse('forbidden', `The role ${caller.role} can let a lock go by its lockToken only, not by force.`);
  }
  const command = { caller, keyed, code, ...readUnlock(input) };
  return batches.changeCoupon(command);
}

/** The checkout that has a lock is told by nobody that it lost it: so neither another checkout nor a customer may. */
function mayForce({ role }: Caller): boolean {
  return role === 'root' || role === 'admin' || role === 'operator';
}

function readUnlock({ force = false, userId, lockToken, reason }: UnlockInput): Unlock {
  const problems: InputProblem[] = [];
  if (force) {
    const message = 'does not go with force, which ends the lock whosever it is; remove it';
    if (userId !== undefined) problems.push({ path: '/userId', message });
    if (lockToken !== undefined) problems.push({ path: '/lockToken', message });
  } else {
    if (userId === undefined) problems.push({ path: '/userId', message: 'is required' });
    if (lockToken === undefined) problems.push({ path: '/lockToken', message: 'is required' });
    if (reason !== undefined) problems.push({ path: '/reason', message: 'goes with force only; remove it' });
  }
  if (problems.length > 0) throw invalidInputs(problems);
  return force
    ? { op: 'force-unlock', reason: reason ?? null }
    : { op: 'unlock', userId: userId!, lockToken: lockToken! };
}
