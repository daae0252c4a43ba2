import type { ScenarioResult } from '../parts/scenario.ts';
import type { Transfers } from '../parts/transfers.ts';

/** What counts: everything relative to what the same run measured beside it. Null where one side is missing. */
export interface Ratios {
  assignToEcho: number | null;
  redeemToEcho: number | null;
  assignToOneTx: number | null;
  redeemToOneTx: number | null;
  assignToRedisLua: number | null;
  redeemToRedisLua: number | null;
  /** What an operation costs with the most codes and coupons there, to what it costs with the fewest: 1 is flat. */
  assignFlatness: number | null;
  redeemFlatness: number | null;
  uploadToCopy: number | null;
  /** A first redeem by a public code, to an assign and a redeem one after the other. */
  publicToBoth: number | null;
  /** Checkouts while a hundred screens ask for counts each second, to checkouts alone. */
  besideCounts: number | null;
  /** The day's mix with one request in a hundred traced, to the same without traces. */
  tracedToUntraced: number | null;
}

/** The ratios of a run. */
export function ratiosOf(results: ScenarioResult[], transfers: Transfers | null): Ratios {
  const rate = (start: string) =>
    results.find(({ name }) => name === start || name.startsWith(`${start} (`))?.perSecond;
  const ratio = (a: number | undefined, b: number | undefined) => (a === undefined || b === undefined ? null : a / b);
  const flatness = (operation: string) => {
    const sizes = results.filter(({ part, name }) => part === 'flatness' && name.startsWith(`${operation},`));
    return sizes.length < 2 ? null : sizes[0]!.perSecond / Math.min(...sizes.slice(1).map((size) => size.perSecond));
  };
  const [assigns, redeems] = [rate('assign'), rate('redeem')];
  const both = assigns === undefined || redeems === undefined ? undefined : 1 / (1 / assigns + 1 / redeems);
  return {
    assignToEcho: ratio(rate('assign'), rate('echo assign')),
    redeemToEcho: ratio(rate('redeem'), rate('echo redeem')),
    assignToOneTx: ratio(rate('assign'), rate('one transaction assign')),
    redeemToOneTx: ratio(rate('redeem'), rate('one transaction redeem')),
    assignToRedisLua: ratio(rate('assign'), rate('Redis Lua assign')),
    redeemToRedisLua: ratio(rate('redeem'), rate('Redis Lua redeem')),
    assignFlatness: flatness('assign'),
    redeemFlatness: flatness('redeem'),
    publicToBoth: ratio(rate('public redeem'), both),
    besideCounts: ratio(rate('lock + redeem beside counts'), rate('lock + redeem')),
    tracedToUntraced: ratio(rate('traced mix'), rate('untraced mix')),
    uploadToCopy: transfers === null ? null : transfers.uploadPerSecond / transfers.copyInPerSecond,
  };
}
