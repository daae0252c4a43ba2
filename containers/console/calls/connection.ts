import { signal } from '@preact/signals';

/** How many requests are being repeated at this moment, since no answer came. The page says so while there is one. */
export const repeating = signal(0);

/** How long to wait before each repeat of a request without an answer: about half a minute in all. */
const pausesMillis = [500, 1_000, 2_000, 4_000, 8_000, 12_000];

/**
 * Does something until it gives an answer, with growing pauses, and sooner where the browser says that it is connected
 * again.
 * @param attempt null: no answer came
 * @returns null where none came in the end
 */
export async function untilAnswered<T>(attempt: () => Promise<T | null>, signal?: AbortSignal): Promise<T | null> {
  const first = await attempt();
  if (first !== null || signal?.aborted) return first;
  repeating.value += 1;
  try {
    for (const pause of pausesMillis) {
      await rest(pause, signal);
      if (signal?.aborted) return null;
      const answer = await attempt();
      if (answer !== null) return answer;
    }
    return null;
  } finally {
    repeating.value -= 1;
  }
}

/** Waits, at most until the browser is connected again or nobody wants the answer any more. */
export function rest(millis: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      removeEventListener('online', finish);
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, millis);
    addEventListener('online', finish);
    signal?.addEventListener('abort', finish);
  });
}
