import type { MicroBatcher } from '../../batching/micro-batcher.ts';
import type { CouponAnswer } from '../rules/recorded-change.ts';
import { type ChangeCommand, type DealCommand, isUse } from './commands.ts';
import { Redirect } from './redirect.ts';

type Queue<Command> = Pick<MicroBatcher<Command, CouponAnswer>, 'push'>;

/**
 * Finding no coupon, then one that somebody else has just dealt, is one round; a transfer or an erasure costs another.
 */
const roundsMax = 4;

/**
 * Changes a coupon, in the queue of those that there are. Whoever brings a public code and has no coupon goes on to the
 * queue where codes are dealt: there the coupon is dealt and changed in one transaction. Where another request has
 * dealt it meanwhile, there is a coupon to change.
 */
export async function changeCoupon(
  queues: { changes: Queue<ChangeCommand>; deals: Queue<DealCommand> },
  command: ChangeCommand,
): Promise<CouponAnswer> {
  const { tenantId } = command.caller;
  for (let round = 1; ; round += 1) {
    try {
      return await queues.changes.push(tenantId, command);
    } catch (error) {
      if (!(error instanceof Redirect)) throw error;
      const { dealBy } = error;
      if (dealBy === null || !isUse(command)) {
        if (round === roundsMax) throw error;
        continue;
      }
      try {
        const { caller, keyed, userId } = command;
        return await queues.deals.push(tenantId, {
          op: 'use',
          caller,
          keyed,
          bookKey: dealBy.publicBook,
          publicCode: dealBy.code,
          userId,
          use: command,
        });
      } catch (dealt) {
        if (!(dealt instanceof Redirect) || round === roundsMax) throw dealt;
      }
    }
  }
}
