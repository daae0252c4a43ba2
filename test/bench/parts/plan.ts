import type { BenchOptions } from '../options.ts';

/** What every part needs to know of the run. */
export interface Plan extends BenchOptions {
  /** Of the generator: as many as a batch may hold. Twice as many gain a tenth more, and twice the waiting. */
  connections: number;
  /** Coupons that one measurement can use up on the fastest machine thought of. */
  itemsARun: number;
}

const connections = 256;
const mostPerSecond = 30_000;

/** The plan of a run. */
export function planOf(options: BenchOptions): Plan {
  return { ...options, connections, itemsARun: options.seconds * mostPerSecond };
}
