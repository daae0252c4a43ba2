import { batchLimits } from '../../batching/batch-limits.ts';
import type { TenantAges } from '../../batching/lanes.ts';
import { type MicroBatcher, openMicroBatcher } from '../../batching/micro-batcher.ts';
import type { Caller } from '../../caller.ts';
import type { Clock } from '../../clock.ts';
import { normaliseCode } from '../../codes/code-rules.ts';
import type { Config } from '../../config.ts';
import { limits } from '../../limits.ts';
import type { Log } from '../../log.ts';
import type { BatchTrace, Tracing } from '../../trace.ts';
import type { CouponAnswer } from '../rules/recorded-change.ts';
import { changeCoupon } from './change-coupon.ts';
import { areChangesFree, type ChangeCore, changeCoupons } from './change-coupons.ts';
import type { ChangeCommand, DealCommand } from './commands.ts';
import { areDealsFree, type DealCore, dealCodes } from './deal-codes.ts';
import { type CouponQuery, type CouponSnapshot, type LookCore, lookAtCoupons } from './look-at-coupons.ts';

/** A queue by its name. */
export type CouponQueue = 'deals' | 'changes' | 'looks';

/** The queues in front of the hot path: codes leaving their decks, coupons changing, coupons looked at. */
export interface CouponBatches {
  readonly deals: MicroBatcher<DealCommand, CouponAnswer>;
  readonly changes: MicroBatcher<ChangeCommand, CouponAnswer>;
  readonly looks: MicroBatcher<CouponQuery, CouponSnapshot>;
  /** Queues a change of a coupon that may be named by a public code, and so may have to be dealt first. */
  changeCoupon(command: ChangeCommand): Promise<CouponAnswer>;
  /** Milliseconds that the oldest member of any queue has waited. */
  queueAgeMillis(): number;
  /** The same apart: of tenants with more waiting than one transaction takes, and of the others. */
  tenantAges(): TenantAges;
  /**
   * Milliseconds that the oldest member of one tenant in one queue has waited: what a new one of its kind would join.
   */
  queueAgeOf(queue: CouponQueue, tenantId: number): number;
  /** Turns new members away and resolves when every queue is empty and nothing is in flight. */
  close(): Promise<void>;
}

/** Told of every batch: the queue's name, the members, and milliseconds of the transaction. */
export type BatchListener = (name: string, members: number, millis: number) => void;

/** What the hot path's transactions, and the queues in front of them, work with. */
export interface EngineCore extends ChangeCore, DealCore, LookCore {
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, 'databasePoolMax'>;
}

/** Opens the queues. */
export function openCouponBatches(
  core: EngineCore,
  onBatch: BatchListener,
  tracing: Tracing | null = null,
): CouponBatches {
  const common = commonOptions(core, onBatch, tracing);
  const deals = openMicroBatcher<DealCommand, CouponAnswer>({
    ...common,
    name: 'deals',
    answeredATurn: batchLimits.dealsAnsweredATurn,
    laneOf: laneOfDeal,
    run: (tenantId, commands, hasTimedOut, trace) => dealCodes(traced(core, trace), tenantId, commands, hasTimedOut),
    isFree: (tenantId, commands) => areDealsFree(core, tenantId, commands),
  });
  const changes = openMicroBatcher<ChangeCommand, CouponAnswer>({
    ...common,
    name: 'changes',
    laneOf: laneOfChange,
    run: (tenantId, commands, hasTimedOut, trace) =>
      changeCoupons(traced(core, trace), tenantId, commands, hasTimedOut),
    isFree: (tenantId, commands) => areChangesFree(core, tenantId, commands),
  });
  const looks = openMicroBatcher<CouponQuery, CouponSnapshot>({
    ...common,
    name: 'looks',
    laneOf: ({ code }) => laneOfCode(code),
    run: (tenantId, queries) => lookAtCoupons(core, tenantId, queries),
    // A look takes no lock that anybody could hold.
    isFree: async (_tenantId, queries) => queries.map(() => true),
  });
  const queues = { deals, changes, looks };
  const all = Object.values(queues);
  return {
    ...queues,
    changeCoupon: (command) => changeCoupon(queues, command),
    queueAgeMillis: () => Math.max(...all.map((batcher) => batcher.queueAgeMillis())),
    tenantAges() {
      const ages = all.map((batcher) => batcher.tenantAges());
      return {
        light: Math.max(...ages.map(({ light }) => light)),
        heavy: Math.max(...ages.map(({ heavy }) => heavy)),
      };
    },
    queueAgeOf: (queue, tenantId) => queues[queue].queueAgeMillis(tenantId),
    close: async () => {
      await Promise.all([queues.changes.close(), queues.looks.close()]);
      // Those who come from there to be dealt a coupon are answered too.
      await new Promise((resolve) => setImmediate(resolve));
      await queues.deals.close();
    },
  };
}

/** What the queues have in common. */
function commonOptions(core: EngineCore, onBatch: BatchListener, tracing: Tracing | null) {
  return {
    clock: core.clock,
    log: core.log,
    maxMembers: batchLimits.maxMembers,
    maxInFlight: batchLimits.maxInFlight,
    slowMillis: batchLimits.slowMillis,
    maxSlow: maxSlowOf(core.config.databasePoolMax),
    answeredATurn: batchLimits.maxMembers,
    worthwhileMembers: batchLimits.worthwhileMembers,
    gatherMillis: batchLimits.gatherMillis,
    maxWaiting: limits.queueMaxMembers,
    maxWaitMillis: limits.queueMaxWaitMillis,
    shedAgeMillis: limits.queueShedAgeMillis,
    heldUpEveryMillis: batchLimits.heldUpEveryMillis,
    heldUpMaxMillis: limits.heldUpMaxMillis,
    heldUpMaxOfTenant: limits.heldUpMaxOfTenant,
    heldUpMaxOfAll: limits.heldUpMaxMembers,
    onBatch,
    tracing,
    traceOf: ({ caller }: { caller: Caller }) => caller.trace,
  };
}

/** The trace goes with the parts, since one batch in many has one. */
function traced(core: EngineCore, trace: BatchTrace | null): EngineCore {
  return trace === null ? core : { ...core, trace };
}

/**
 * How many transactions of a queue may wait for locks beside those in flight: with deals and changes full of them, a
 * third of the pool is left to everything else.
 */
function maxSlowOf(poolMax: number): number {
  return Math.min(batchLimits.maxSlow, Math.max(0, Math.floor(poolMax / 3) - batchLimits.maxInFlight));
}

/** The lane of a book's new coupons; one for all books that do not exist. */
function laneOfDeal(command: DealCommand): number | string {
  return 'bookKey' in command ? (command.bookKey ?? 0) : laneOfCode(command.code);
}

function laneOfChange(command: ChangeCommand): string {
  return command.op === 'reverse' ? 'reversals' : laneOfCode(command.code);
}

/**
 * The lane of a code whose book is not known before its batch runs: its first characters. Codes of one book mostly
 * begin alike, so lanes stand for books well enough to keep one hot book from starving the others.
 */
function laneOfCode(code: string): string {
  return normaliseCode(code).slice(0, 4);
}
