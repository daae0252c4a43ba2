import { type MicroBatcher, openMicroBatcher } from '../batching/micro-batcher.ts';
import { normaliseCode } from '../codes/code-rules.ts';
import type { Core } from '../core.ts';
import { limits } from '../limits.ts';
import { areChangesFree, type CouponAnswer, type CouponCommand, changeCoupons } from './change-coupons.ts';
import { areDealsFree, type DealCommand, dealCodes } from './deal-codes.ts';
import { type CouponQuestion, type CouponSight, lookAtCoupons } from './look-at-coupons.ts';

/** A queue by its name. */
export type CouponQueue = 'deals' | 'changes' | 'looks';

/** The queues in front of the hot path: codes leaving their decks, coupons changing, coupons looked at. */
export interface CouponBatches {
  readonly deals: MicroBatcher<DealCommand, CouponAnswer>;
  readonly changes: MicroBatcher<CouponCommand, CouponAnswer>;
  readonly looks: MicroBatcher<CouponQuestion, CouponSight>;
  /** Milliseconds that the oldest member of any queue has waited. */
  queueAgeMillis(): number;
  /** Milliseconds that the oldest member of one tenant in one queue has waited: what a new one of its kind would join. */
  queueAgeOf(queue: CouponQueue, tenantId: number): number;
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
    slowMillis: limits.batchSlowMillis,
    maxSlow: maxSlowOf(core.config.databasePoolMax),
    worthwhileMembers: limits.batchWorthwhileMembers,
    gatherMillis: limits.batchGatherMillis,
    maxWaiting: limits.queueMaxMembers,
    maxWaitMillis: limits.queueMaxWaitMillis,
    shedAgeMillis: limits.queueShedAgeMillis,
    heldUpEveryMillis: limits.heldUpEveryMillis,
    heldUpMaxMillis: limits.heldUpMaxMillis,
    heldUpMaxOfTenant: limits.heldUpMaxOfTenant,
    heldUpMaxOfAll: limits.heldUpMaxMembers,
    onBatch,
  };
  const deals = openMicroBatcher<DealCommand, CouponAnswer>({
    ...common,
    name: 'deals',
    run: (tenantId, commands, isApart) => dealCodes(core, tenantId, commands, isApart),
    isFree: (tenantId, commands) => areDealsFree(core, tenantId, commands),
  });
  const changes = openMicroBatcher<CouponCommand, CouponAnswer>({
    ...common,
    name: 'changes',
    run: (tenantId, commands, isApart) => changeCoupons(core, tenantId, commands, isApart),
    isFree: (tenantId, commands) => areChangesFree(core, tenantId, commands),
  });
  const looks = openMicroBatcher<CouponQuestion, CouponSight>({
    ...common,
    name: 'looks',
    run: (tenantId, questions) => lookAtCoupons(core, tenantId, questions),
    // A look takes no lock that anybody could hold.
    isFree: async (_tenantId, questions) => questions.map(() => true),
  });
  const queues = { deals, changes, looks };
  const all = Object.values(queues);
  return {
    ...queues,
    queueAgeMillis: () => Math.max(...all.map((batcher) => batcher.queueAgeMillis())),
    queueAgeOf: (queue, tenantId) => queues[queue].queueAgeMillis(tenantId),
    close: async () => {
      await Promise.all(all.map((batcher) => batcher.close()));
    },
  };
}

/**
 * How many transactions of a queue may wait for locks beside those in flight: with deals and changes full of them, a third
 * of the pool is left to everything else.
 */
function maxSlowOf(poolMax: number): number {
  return Math.min(limits.batchMaxSlow, Math.max(0, Math.floor(poolMax / 3) - limits.batchMaxInFlight));
}

/**
 * The lane of a code whose book is not known before its batch runs: its first characters. Codes of one book mostly
 * begin alike, so lanes stand for books well enough to keep one hot book from starving the others.
 */
export function laneOfCode(code: string): string {
  return normaliseCode(code).slice(0, 4);
}
