import type { BookRules } from '../../books/read-book-rules.ts';
import type { BookKey } from '../../keys.ts';
import { uuidv7 } from '../../random.ts';
import {
  type Decision,
  decideForcedUnlock,
  decideLock,
  decideRedeem,
  decideReverse,
  decideUnlock,
  decideVoid,
} from '../rules/coupon-rules.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import type { ChangeTarget } from './change-targets.ts';
import type { BatchCore } from './decide-batch.ts';
import { contextOf, type Usage } from './usage-sums.ts';

/** What is known of a coupon's surroundings, read after the last lock and kept up to date while a batch decides. */
export interface Surroundings {
  readonly books: Map<BookKey, BookRules>;
  readonly usage: Usage;
  readonly now: Date;
  /** Of the redemptions that a batch is to reverse, those given back already. */
  readonly reversed: ReadonlySet<string>;
}

/** Decides one change of a coupon as it stands. What comes of it is for the caller to carry out. */
export function decideChange(
  { lockTokens, random }: Pick<BatchCore, 'lockTokens' | 'random'>,
  tenantId: number,
  state: Surroundings,
  { command, redemption }: Pick<ChangeTarget, 'command' | 'redemption'>,
  coupon: CouponState,
): Decision {
  const { actor } = command.caller;
  const isLockToken = (token: string) => lockTokens.isTokenOf(tenantId, coupon, token);
  const context = contextOf(coupon, state, isLockToken);
  switch (command.op) {
    case 'lock':
      return decideLock(coupon, context, { ...command, actor });
    case 'unlock':
      return decideUnlock(coupon, context, { ...command, actor });
    case 'force-unlock':
      return decideForcedUnlock(coupon, context, { ...command, actor });
    case 'redeem': {
      const { reference, metadata } = command;
      const id = uuidv7(state.now.getTime(), random);
      return decideRedeem(coupon, context, { ...command, actor, redemption: { id, reference, metadata } });
    }
    case 'void':
      return decideVoid(coupon, { ...command, actor });
    case 'reverse': {
      const { id } = redemption!;
      return decideReverse(coupon, { id, reversed: state.reversed.has(id) }, { ...command, actor });
    }
  }
}
