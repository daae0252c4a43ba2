import { setTimeout as pause } from 'node:timers/promises';
import type { Core } from '../../core/core.ts';
import { assignCoupon, redeemCoupon } from '../../core/index.ts';
import { admin } from '../support/open-test-core.ts';

/** A write that was acknowledged. */
export interface Acknowledged {
  code: string;
  /** The redemption, where it is one. */
  redemptionId: string | null;
  /** The coupon's revision by it. */
  rev: number;
}

/** Customers who take a code and redeem it, one after another, each as fast as it is answered. */
export interface Load {
  /** What was acknowledged so far, in the order of the answers. */
  readonly acknowledged: Acknowledged[];
  /** Resolves once so many writes are acknowledged. Never, where the server is gone. */
  until(count: number): Promise<void>;
  /** Ends once each customer has had its last answer, or its refusal. */
  stop(): Promise<void>;
}

/** Starts so many customers; what the database refuses once it is gone is nothing acknowledged. */
export function startLoad(core: Core, bookId: string, customers: number): Load {
  const acknowledged: Acknowledged[] = [];
  let isOver = false;
  const customer = async (number: number) => {
    for (let n = 0; !isOver; n += 1) {
      const userId = `drill-${number}-${n}`;
      try {
        const { code, rev } = (await assignCoupon(core, admin, { bookId, userId })).body;
        acknowledged.push({ code, redemptionId: null, rev });
        const redeemed = (await redeemCoupon(core, admin, code, { userId }, null)).body;
        acknowledged.push({ code, redemptionId: redeemed.redemption.id, rev: redeemed.rev });
      } catch {
        await pause(20);
      }
    }
  };
  const running = Promise.all(Array.from({ length: customers }, (_, number) => customer(number)));
  return {
    acknowledged,
    async until(count) {
      while (acknowledged.length < count) await pause(5);
    },
    async stop() {
      isOver = true;
      await running;
    },
  };
}
