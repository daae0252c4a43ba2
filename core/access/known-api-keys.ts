import { BoundedMap, cacheMaxEntries } from '../bounded-map.ts';
import type { Caller } from '../caller.ts';
import type { Clock } from '../clock.ts';

/** What a look-up found: whose key it is, or null, and until when of the monotonic clock that holds. */
export interface FoundKey {
  caller: Caller | null;
  goodUntil: number;
}

/** What a process remembers of API keys, by their hash: never a key itself. */
export interface KnownApiKeys {
  /**
   * Whose key it is: as remembered, or else as `lookUp` finds. Look-ups of one key at the same time are one. Rejects
   * with what `lookUp` rejects with, and remembers nothing then.
   */
  callerOf(hash: Buffer, lookUp: () => Promise<FoundKey>): Promise<Caller | null>;
  /** Makes the next request with this key look it up. A look-up that is under way is not joined. */
  forget(hash: Buffer): void;
}

/** Opens an empty memory, bounded to cacheMaxEntries valid and as many wrong keys. */
export function openKnownApiKeys(clock: Pick<Clock, 'monotonic'>): KnownApiKeys {
  const valid = new BoundedMap<string, FoundKey>(cacheMaxEntries);
  // Apart from the valid ones, so that a flood of wrong keys can't push those out.
  const wrong = new BoundedMap<string, FoundKey>(cacheMaxEntries);
  const asked = new Map<string, Promise<Caller | null>>();

  const remember = (name: string, found: FoundKey) => {
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
      // Forgetting a key takes its look-up out of `asked`: what that one saw may be older than the revocation.
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
