import type { Item } from './wrk-script.ts';

/** Items that are used up. */
export interface ItemPool {
  /** The next `count`, or what is left of them. */
  take(count: number): Item[];
}

/** Makes a pool of these items. */
export function makeItemPool(items: Item[]): ItemPool {
  let next = 0;
  return {
    take(count) {
      const taken = items.slice(next, next + count);
      next += taken.length;
      if (taken.length === 0) throw new Error('the bench prepared too few coupons for this machine');
      return taken;
    },
  };
}
