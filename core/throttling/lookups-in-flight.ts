import { throttleLimits } from './throttle-limits.ts';

/** The look-ups of one key in flight, and those that wait for one of them to end. */
interface Flight {
  count: number;
  waiting: Waiter[];
}

/** Tries to begin. Returns true if it need not be called again: it has begun, was refused, or waits elsewhere. */
type Waiter = () => boolean;

/**
 * Counts look-ups in flight, of this process alone: each may be a guess that fails, and so counts before it is
 * answered. Each call is synchronous and costs a look-up in a map.
 */
export class LookupsInFlight {
  readonly #flights = new Map<string, Flight>();

  count(key: string): number {
    return this.#flights.get(key)?.count ?? 0;
  }

  begin(key: string): void {
    const flight = this.#flights.get(key);
    if (flight === undefined) this.#flights.set(key, { count: 1, waiting: [] });
    else flight.count += 1;
  }

  /** Ends one, and lets those that wait try in the order of arrival. */
  end(key: string): void {
    const flight = this.#flights.get(key)!;
    flight.count -= 1;
    while (flight.waiting.length > 0 && flight.waiting[0]!()) flight.waiting.shift();
    if (flight.count === 0 && flight.waiting.length === 0) this.#flights.delete(key);
  }

  /**
   * Has `waiter` called each time a look-up of the key ends, until it gives true.
   * @param key one of which a look-up is in flight, without which nothing would ever end
   * @returns false where so many wait already that there is no place
   */
  wait(key: string, waiter: Waiter): boolean {
    const { waiting } = this.#flights.get(key)!;
    if (waiting.length >= throttleLimits.waitingMaxLookups) return false;
    waiting.push(waiter);
    return true;
  }
}
