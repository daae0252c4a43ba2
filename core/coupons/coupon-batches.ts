import { type MicroBatcher, openMicroBatcher } from '../batching/micro-batcher.ts';
import { normaliseCode } from '../codes/code-rules.ts';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import { type CouponAnswer, type CouponCommand, changeCoupons } from './change-coupons.ts';
import { type DealCommand, dealCodes } from './deal-codes.ts';
import { type CouponQuestion, type CouponSight, lookAtCoupons } from './look-at-coupons.ts';

/** The queues in front of the hot path: codes leaving their decks, coupons changing, coupons looked at. */
export interface CouponBatches {
  readonly deals: MicroBatcher<DealCommand, CouponAnswer>;
  readonly changes: MicroBatcher<CouponCommand, CouponAnswer>;
  readonly looks: MicroBatcher<CouponQuestion, CouponSight>;
  /** Milliseconds that the oldest member of any queue has waited. */
  queueAgeMillis(): number;
  /** Turns new members away and resolves when every queue is empty and nothing is in flight. */
  close(): Promise<void>;
}

/** Told of every batch: the queue's name, the members, and milliseconds of the transaction. */
export type BatchListener = (name: string, members: number, millis: number) => void;

/** Opens the queues. `core` is not used before the first member is pushed. */
export function openCouponBatches(core: Core, onBatch: BatchListener): CouponBatches {
  const common = {
    clock: core.clock,
    log: core.log,
    maxMembers: limits.batchMaxMembers,
    maxInFlight: limits.batchMaxInFlight,
    worthwhileMembers: limits.batchWorthwhileMembers,
    gatherMillis: limits.batchGatherMillis,
    maxWaiting: limits.queueMaxMembers,
    maxWaitMillis: limits.queueMaxWaitMillis,
    shedAgeMillis: limits.queueShedAgeMillis,
    onBatch,
  };
  const deals = openMicroBatcher<DealCommand, CouponAnswer>({
    ...common,
    name: 'deals',
    run: (tenantId, commands) => dealCodes(core, tenantId, commands),
  });
  const changes = openMicroBatcher<CouponCommand, CouponAnswer>({
    ...common,
    name: 'changes',
    run: (tenantId, commands) => changeCoupons(core, tenantId, commands),
  });
  const looks = openMicroBatcher<CouponQuestion, CouponSight>({
    ...common,
    name: 'looks',
    run: (tenantId, questions) => lookAtCoupons(core, tenantId, questions),
  });
  const all = [deals, changes, looks];
  return {
    deals,
    changes,
    looks,
    queueAgeMillis: () => Math.max(...all.map((batcher) => batcher.queueAgeMillis())),
    close: async () => {
      await Promise.all(all.map((batcher) => batcher.close()));
    },
  };
}

/**
 * The lane of a code whose book is not known before its batch runs: its first characters. Codes of one book mostly
 * begin alike, so lanes stand for books well enough to keep one hot book from starving the others.
 */
export function laneOfCode(code: string): string {
  return normaliseCode(code).slice(0, 4);
}
