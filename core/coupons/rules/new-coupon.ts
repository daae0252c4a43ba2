import type { BookRules } from '../../books/read-book-rules.ts';
import type { DeckKey } from '../../keys.ts';
import type { CouponState } from './coupon-state.ts';

/** Where a coupon stands, and under which code. */
export type CodeOfCoupon = Pick<CouponState, 'deckKey' | 'pos' | 'code'>;

/** What of a coupon is not known before its code is drawn. */
export const undrawn: CodeOfCoupon = { deckKey: 0 as DeckKey, pos: -1, code: '' };

/**
 * The coupon that a code becomes, at its first revision.
 * @param holder null for a code that is voided before anyone had it
 * @param validUntil when its own time ends, where it is in somebody's hands and the book gives it one
 */
export function newCoupon(
  code: CodeOfCoupon,
  book: BookRules,
  holder: Pick<CouponState, 'holderId' | 'userId'> | null,
  now: Date,
  validUntil: Date | null,
): CouponState {
  const { deckKey, pos, code: text } = code;
  return {
    deckKey,
    pos,
    bookKey: book.bookKey,
    code: text,
    holderId: holder?.holderId ?? null,
    userId: holder?.userId ?? null,
    assignedAt: holder === null ? null : now,
    maxRedemptions: book.maxRedemptionsPerCode,
    validUntil: holder === null ? null : validUntil,
    rev: 1,
    redemptions: 0,
    reversals: 0,
    fence: 0,
    hasPlainToken: false,
    lockExpiresAt: null,
    voided: holder === null,
  };
}
