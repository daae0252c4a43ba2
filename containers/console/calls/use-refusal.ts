import { useEffect, useState } from 'preact/hooks';
import { part } from '../address/address.ts';
import { call, newKey } from './call.ts';
import type { CodeLookUp, Validation } from './types.ts';

/**
 * Why a redemption would be refused at this moment, as the API calls it; null: it would not be, or nobody knows. That
 * a lock is wanted first is no reason: a checkout takes one by itself.
 */
export type Refusal = NonNullable<Validation['reason']> | null;

/**
 * Asks why a code could not be redeemed now, for those who may not read its book: of a coupon for the user who has it,
 * of a public code for somebody who has no coupon yet. Nothing is changed, and no coupon given.
 * @param found null: nothing is asked
 * @returns undefined until the answer is there
 */
export function useRefusal(found: CodeLookUp | null): Refusal | undefined {
  const [answered, setAnswered] = useState<{ found: CodeLookUp; refusal: Refusal } | null>(null);
  const userId = found === null ? null : userOf(found);
  useEffect(() => {
    if (found === null || userId === null) return;
    const controller = new AbortController();
    const path = `/v1/coupons/${part(found.code)}/validate`;
    void call<Validation>('POST', path, { body: { userId }, signal: controller.signal }).then((answer) => {
      if (controller.signal.aborted) return;
      const reason = answer.ok ? answer.body.reason : undefined;
      setAnswered({ found, refusal: reason === undefined || reason === 'lock-required' ? null : reason });
    });
    return () => controller.abort();
  }, [found]);
  if (userId === null) return null;
  return answered?.found === found ? answered.refusal : undefined;
}

/** Null: its own state says already that nobody can use it. */
function userOf({ deckId, status, coupon }: CodeLookUp): string | null {
  if (deckId === null) return newKey();
  return status === 'assigned' ? (coupon?.userId ?? null) : null;
}
