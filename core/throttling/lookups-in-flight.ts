import { throttleLimits } from './throttle-limits.ts';

/** The look-ups of one key in flight, and those that wait for one of them to end. */
interface KeyLookups {
  readonly key: string;
  count: number;
  waiting: TryAgain[];
}

/**
 * Tries to begin a look-up. Returns true if it need not be called again: the look-up has begun, was refused, or waits
 * elsewhere.
 */
type TryAgain = () => boolean;

/**
 * Counts look-ups in flight, of this process alone: each may be a guess that fails, and so counts before it is
 * answered. Each call is synchronous and costs a look-up in a map.
 */
export class LookupsInFlight {
  readonly #lookups = new Map<string, KeyLookups>();

  count(key: string): number {
    return this.#lookups.get(key)?.count ?? 0;
  }

  /** @returns what `end` takes, so that it need not look the key up */
  begin(key: string): KeyLookups {
    let lookups = this.#lookups.get(key);
    if (lookups === undefined) {
      lookups = { key, count: 0, waiting: [] };
      this.#lookups.set(key, lookups);
    }
    lookups.count += 1;
    return lookups;
  }

  /**
   * Ends one, and lets those that wait try in the order of arrival.
   * @param lookups what `begin` gave
   */
  end(lookups: KeyLookups): void {
    lookups.count -= 1;
    while (lookups.waiting.length > 0 && lookups.waiting[0]!()) lookups.waiting.shift();
    if (lookups.count === 0 && lookups.waiting.length === 0) this.#lookups.delete(lookups.key);
  }

  /**
   * Has `tryAgain` called each time a look-up of the key ends, until it gives true.
   * @param key one of which a look-up is in flight, without which nothing would ever end
   * @returns false where so many wait already that there is no place
   */
  wait(key: string, tryAgain: TryAgain): boolean {
    const { waiting } = this.#lookups.get(key)!;
    if (waiting.length >= throttleLimits.waitingMaxLookups) return false;
    waiting.push(tryAgain);
    return true;
  }
}
