import { unavailable } from '../errors.ts';
import { limits } from '../limits.ts';

/** What takes turns: writes; searches through all codes of a tenant, which may take seconds; walks through a book. */
export type ColdKind = 'write' | 'search' | 'walk';

/**
 * Turns for writes off the hot path (generating, changing a book, erasing …): one at a time for each tenant and kind. A
 * turn is taken before a connection, so a tenant never uses more than one connection of the cold pool.
 */
export interface ColdTurns {
  /**
   * Waits for the tenant's turn among those of its kind, in the order of arrival.
   * @returns a function that gives the turn back; call it once
   * @param maxWaitMillis 0 and up; limits.coldTurnMaxWaitMillis unless told
   * @throws CouponError `unavailable`, not begun, where too many wait or that time has passed
   */
  take(tenantId: number, kind: ColdKind, maxWaitMillis?: number): Promise<() => void>;
}

/** Opens a set of turns in which nobody waits. */
export function openColdTurns(): ColdTurns {
  /** The waiters behind the present turn, by tenant and kind. */
  const busy = new Map<string, (() => void)[]>();

  function pass(name: string): void {
    const next = busy.get(name)!.shift();
    if (next === undefined) busy.delete(name);
    else next();
  }

  function wait(waiting: (() => void)[], maxWaitMillis: number): Promise<void> {
    if (waiting.length >= limits.coldTurnMaxWaiting) return Promise.reject(tooMany());
    return new Promise((resolve, reject) => {
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.splice(waiting.indexOf(start), 1);
        reject(tooMany());
      }, maxWaitMillis);
      waiting.push(start);
    });
  }

  return {
    async take(tenantId, kind, maxWaitMillis = limits.coldTurnMaxWaitMillis) {
      const name = `${kind} ${tenantId}`;
      const waiting = busy.get(name);
      if (waiting === undefined) busy.set(name, []);
      else await wait(waiting, maxWaitMillis);
      return () => pass(name);
    },
  };
}

function tooMany() {
  return unavailable(
    'not-begun',
    'Too many writes of this tenant are under way. Repeat the request with the same Idempotency-Key.',
    2,
  );
}
