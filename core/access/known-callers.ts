import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import type { Caller } from '../caller.ts';
import type { Clock } from '../clock.ts';

/** What a look-up found: whose secret it is, or null, and until when of the monotonic clock that holds. */
export interface FoundCaller {
  caller: Caller | null;
  goodUntil: number;
}

/** What a process remembers of secrets, such as API keys, by their hash: never a secret itself. */
export interface KnownCallers {
  /**
   * Whose secret it is: as remembered, or else as `lookUp` finds. Look-ups of one at the same time are one. Rejects
   * with what `lookUp` rejects with, and remembers nothing then.
   */
  callerOf(hash: Buffer, lookUp: () => Promise<FoundCaller>): Promise<Caller | null>;
  /** Makes the next request with this secret look it up. A look-up that is under way is not joined. */
  forget(hash: Buffer): void;
}

/** Opens an empty memory, bounded to cacheMaxEntries valid and as many wrong secrets. */
export function openKnownCallers(clock: Pick<Clock, 'monotonic'>): KnownCallers {
  const valid = new BoundedMap<string, FoundCaller>(cacheMaxEntries);
  // Apart from the valid ones, so that a flood of wrong ones can't push those out.
  const wrong = new BoundedMap<string, FoundCaller>(cacheMaxEntries);
  const asked = new Map<string, Promise<Caller | null>>();

  const remember = (name: string, found: FoundCaller) => {
    valid.delete(name);
    wrong.delete(name);
    (found.caller === null ? wrong : valid).set(name, found);
  };

  return {
    async callerOf(hash, lookUp) {
      const name = hash.toString('hex');
      const known = valid.get(name) ?? wrong.get(name);
      if (known !== undefined && clock.monotonic() < known.goodUntil) return known.caller;
      const running = asked.get(name);
      if (running !== undefined) return running;
      // Forgetting a secret takes its look-up out of `asked`: what that one saw may be older than the revocation.
      const isWanted = () => asked.get(name) === answer;
      const answer = lookUp()
        .then((found) => {
          if (isWanted()) remember(name, found);
          return found.caller;
        })
        .finally(() => {
          if (isWanted()) asked.delete(name);
        });
      asked.set(name, answer);
      return answer;
    },
    forget(hash) {
      const name = hash.toString('hex');
      valid.delete(name);
      wrong.delete(name);
      asked.delete(name);
    },
  };
}
