import { median } from './median.ts';

/** What one measurement says, and what the median of several says. Null where a way of working has no such figure. */
export interface Figures {
  /** Answers a second that were successes. */
  perSecond: number;
  p50Millis: number | null;
  p99Millis: number | null;
  maxMillis: number | null;
  /** CPU seconds a thousand operations. */
  serverCpu: number | null;
  databaseCpu: number | null;
  /** Of one processor, how much the load generator used: near 1, it was the limit and not what it measured. */
  generatorShare: number | null;
  walBytes: number | null;
  /** Mean members of a transaction. */
  batch: number | null;
  /** Answers that were no success. */
  failed: number;
  /** Operations in all. */
  operations: number;
}

/** The median of each figure; the failures and operations of all. */
export function medianFigures(all: Figures[]): Figures {
  const middle = (pick: (figures: Figures) => number | null) => {
    const known = all.map(pick).filter((value) => value !== null);
    return known.length === 0 ? null : median(known);
  };
  return {
    perSecond: middle((one) => one.perSecond) ?? Number.NaN,
    p50Millis: middle((one) => one.p50Millis),
    p99Millis: middle((one) => one.p99Millis),
    maxMillis: all.reduce<number | null>(
      (most, one) => (one.maxMillis === null ? most : Math.max(most ?? 0, one.maxMillis)),
      null,
    ),
    serverCpu: middle((one) => one.serverCpu),
    databaseCpu: middle((one) => one.databaseCpu),
    generatorShare: middle((one) => one.generatorShare),
    walBytes: middle((one) => one.walBytes),
    batch: middle((one) => one.batch),
    failed: all.reduce((sum, one) => sum + one.failed, 0),
    operations: all.reduce((sum, one) => sum + one.operations, 0),
  };
}
