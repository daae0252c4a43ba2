import { BoundedMap } from '../../bounded-map.ts';
import type { Clock } from '../../clock.ts';
import type { BookKey, DeckKey } from '../../keys.ts';

/** How many held things are remembered at most. */
export const obstaclesMax = 10_000;
/**
 * How long a held thing is remembered. Before a batch needs it again it is checked; an entry that is out of date costs
 * one check.
 */
export const obstacleKeptMillis = 10_000;

/**
 * Things that are held, and by which transaction, as far as that can be seen: two looks tell whether it is still the
 * same.
 */
export type Held = ReadonlyMap<string, string>;

/**
 * The rows and gates that other sessions were found to hold for longer than a batch takes: a frozen process, somebody's
 * open transaction. A thing's name says what it is and whose: `coupon 3 17`. Shared by the queues of a process.
 *
 * A row that many want passes from one to the next, and whoever looks always finds it held. That is no obstacle but a
 * queue: it is waited for, and for longer.
 *
 * It is a memory only, which keeps batches from running into the same lock again and again; what may be done is decided
 * by the locks themselves.
 */
export interface Obstacles {
  /** Whether none of these is known to be held. */
  areFree(things: readonly string[]): boolean;
  /** Whether one of these was seen to pass from one holder to the next. */
  areBusy(things: readonly string[]): boolean;
  /** Notes the result of a check: of all the things that it looked at, these are held. */
  note(lookedAt: Iterable<string>, held: Held): void;
  /** Whether nothing is known of anything. */
  readonly isEmpty: boolean;
}

interface Known {
  lockedBy: string;
  until: number;
}

/** Opens an empty memory of at most obstaclesMax things, each for obstacleKeptMillis after it was seen last. */
export function openObstacles(clock: Clock): Obstacles {
  const held = new BoundedMap<string, Known>(obstaclesMax);
  const busyUntil = new BoundedMap<string, number>(obstaclesMax);

  function isHeld(name: string): boolean {
    const known = held.get(name);
    if (known !== undefined && clock.monotonic() >= known.until) held.delete(name);
    return held.has(name);
  }

  function isBusy(name: string): boolean {
    if (clock.monotonic() >= (busyUntil.get(name) ?? 0)) busyUntil.delete(name);
    return busyUntil.has(name);
  }

  return {
    areFree: (things) => held.size === 0 || !things.some(isHeld),
    areBusy: (things) => busyUntil.size > 0 && things.some(isBusy),
    note(lookedAt, seen) {
      const until = clock.monotonic() + obstacleKeptMillis;
      for (const name of lookedAt) if (!seen.has(name)) held.delete(name);
      for (const [name, lockedBy] of seen) {
        const known = held.get(name);
        held.delete(name);
        if (known === undefined || known.lockedBy === lockedBy) held.set(name, { lockedBy, until });
        else busyUntil.set(name, until);
      }
    },
    get isEmpty() {
      return held.size === 0 && busyUntil.size === 0;
    },
  };
}

/** The names of things. */
export const nameOf = {
  gate: (bookKey: BookKey) => `gate ${bookKey}`,
  dealer: (bookKey: BookKey) => `dealer ${bookKey}`,
  coupon: (place: { deckKey: DeckKey; pos: number }) => `coupon ${place.deckKey} ${place.pos}`,
  /** The holder of the coupon at a place, whoever that is. */
  holderOf: (place: { deckKey: DeckKey; pos: number }) => `holder of ${place.deckKey} ${place.pos}`,
  holder: (bookKey: BookKey, userId: string) => `holder ${bookKey} ${userId}`,
  /** What a redemption in the book must write. */
  counter: (bookKey: BookKey) => `counter ${bookKey}`,
  /** One of the rows over which a book's count is spread. */
  stripe: (bookKey: BookKey, stripe: number) => `stripe ${bookKey} ${stripe}`,
};
