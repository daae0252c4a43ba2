import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from './call.ts';
import { repeating } from './connection.ts';
import { signInAgain } from './session.ts';

/** A poll's finding. */
interface Found<T> {
  path: string;
  data: T;
}

/**
 * Asks a path again and again while the page is seen, with the version that it has, so that what has not changed costs
 * nothing. A poll keeps no session alive: a screen on a wall is nobody's use.
 * @param path null: nothing is asked
 * @returns null until the first answer came
 */
export function usePoll<T>(path: string | null, everyMillis = 1_000): T | null {
  const [found, setFound] = useState<Found<T> | null>(null);
  const version = useRef<string | null>(null);

  useEffect(() => {
    if (path === null) return;
    version.current = null;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let misses = 0;
    let isAsking = false;
    let isLost = false;
    const tellLost = (lost: boolean) => {
      if (lost !== isLost) repeating.value += lost ? 1 : -1;
      isLost = lost;
    };
    const ask = async () => {
      if (!document.hidden) {
        isAsking = true;
        const answer = await call<T>('GET', path, {
          background: true,
          signal: controller.signal,
          ...(version.current === null ? {} : { ifNoneMatch: version.current }),
        });
        isAsking = false;
        if (controller.signal.aborted) return;
        tellLost(!answer.ok && answer.status === 0);
        // Old numbers must not stand there as if they were new.
        if (answer.status === 401 && !(await signInAgain())) return;
        // What can't be had just now is asked for less and less often.
        misses = answer.ok ? 0 : Math.min(misses + 1, 5);
        if (answer.ok && answer.status !== 304) {
          version.current = answer.etag;
          setFound({ path, data: answer.body });
        }
      }
      timer = setTimeout(ask, everyMillis * 2 ** misses);
    };
    void ask();
    const wake = () => {
      if (document.hidden || isAsking) return;
      clearTimeout(timer);
      misses = 0;
      void ask();
    };
    document.addEventListener('visibilitychange', wake);
    return () => {
      controller.abort();
      tellLost(false);
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [path, everyMillis]);

  return found !== null && found.path === path ? found.data : null;
}
