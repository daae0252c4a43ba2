import type { Clock } from '../clock.ts';
import { limits } from '../limits.ts';

/**
 * The rows and gates that other sessions were found to hold for longer than a batch takes: a frozen process, somebody's
 * open transaction. A thing's name says what it is and whose: `coupon 3 17`. Shared by the queues of a process.
 *
 * It is a memory only, which keeps batches from running into the same lock again and again; what may be done is decided
 * by the locks themselves.
 */
export interface Obstacles {
  /** Whether none of these is known to be held. */
  areFree(things: readonly string[]): boolean;
  /** Takes in what a look has seen: of all that it looked at, these are held. */
  note(lookedAt: Iterable<string>, held: Iterable<string>): void;
  readonly isEmpty: boolean;
}

/** Opens an empty memory of at most limits.obstaclesMax things, each for limits.obstacleKeptMillis after it was seen last. */
export function openObstacles(clock: Clock): Obstacles {
  const heldUntil = new Map<string, number>();

  function isHeld(thing: string): boolean {
    const until = heldUntil.get(thing);
    if (until === undefined) return false;
    if (clock.monotonic() < until) return true;
    heldUntil.delete(thing);
    return false;
  }

  return {
    areFree: (things) => heldUntil.size === 0 || !things.some(isHeld),
    note(lookedAt, held) {
      for (const thing of lookedAt) heldUntil.delete(thing);
      const until = clock.monotonic() + limits.obstacleKeptMillis;
      for (const thing of held) {
        heldUntil.set(thing, until);
        // A Map keeps the order of insertion: its first entry is the one seen longest ago.
        if (heldUntil.size > limits.obstaclesMax) heldUntil.delete(heldUntil.keys().next().value!);
      }
    },
    get isEmpty() {
      return heldUntil.size === 0;
    },
  };
}

/** The names of things. */
export const thing = {
  gate: (bookId: number) => `gate ${bookId}`,
  dealer: (bookId: number) => `dealer ${bookId}`,
  coupon: (place: { deckId: number; pos: number }) => `coupon ${place.deckId} ${place.pos}`,
  /** The holder of the coupon at a place, whoever that is. */
  holderOf: (place: { deckId: number; pos: number }) => `holder of ${place.deckId} ${place.pos}`,
  holder: (bookId: number, userId: string) => `holder ${bookId} ${userId}`,
  /** What a redemption in the book must write. */
  counter: (bookId: number) => `counter ${bookId}`,
  /** One of the rows over which a book's count is spread. */
  stripe: (bookId: number, stripe: number) => `stripe ${bookId} ${stripe}`,
};
