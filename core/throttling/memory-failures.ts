import { BoundedMap } from '../bounded-map.ts';
import { addFailures, type Failures } from './failure-rules.ts';
import type { FailureSide } from './failure-side.ts';
import { failureBudgets, throttleLimits } from './throttle-limits.ts';

/**
 * Failures in this process's memory, the side that is always there. It counts for this process alone, keeps at most
 * knownMaxEntries keys, and never rejects.
 */
export function memoryFailures(): FailureSide {
  const counted = new BoundedMap<string, Failures>(throttleLimits.knownMaxEntries);
  return {
    name: 'memory',
    async record(marks, now) {
      return marks.map((mark) => {
        const key = `${mark.tenantId} ${mark.keyHash}`;
        const after = addFailures(
          larger(counted.get(key) ?? null, mark.known),
          mark.count,
          failureBudgets[mark.kind],
          now,
        );
        counted.set(key, after);
        return after;
      });
    },
  };
}

function larger(a: Failures | null, b: Failures | null): Failures | null {
  if (a === null || b === null) return a ?? b;
  return { emptyAt: Math.max(a.emptyAt, b.emptyAt), lastAt: Math.max(a.lastAt, b.lastAt) };
}
