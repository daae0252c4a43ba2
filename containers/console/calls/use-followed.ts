import { useEffect, useRef, useState } from 'preact/hooks';
import { call } from './call.ts';

/**
 * What belongs to a book's counts: read again, in the background, whenever they are others, so that what stands beside
 * them on a page does not contradict them for long. Nothing is asked while nothing changes.
 * @param path null: nothing is read
 * @param asOf since when the counts are what they are; null: they are not known yet
 * @param everyMillis however fast the counts change, it is read no more often
 * @param isBehind whether an answer does not have everything up to that moment, and is to be asked for again
 * @returns null until it was read
 */
export function useFollowed<T>(
  path: string | null,
  asOf: string | null,
  everyMillis: number,
  isBehind: (answer: T, asOf: string) => boolean = () => false,
): T | null {
  const [found, setFound] = useState<{ path: string; data: T } | null>(null);
  const wanted = useRef(path);
  wanted.current = path;
  const turns = useRef({ asked: 0, shown: 0, at: 0 });

  useEffect(() => {
    if (path === null || asOf === null) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = async () => {
      const turn = turns.current.asked + 1;
      turns.current = { ...turns.current, asked: turn, at: Date.now() };
      const answer = document.hidden ? null : await call<T>('GET', path, { background: true });
      const isRead = answer?.ok === true;
      // One that was overtaken by a later one is old. One that the next change finds under way is better than none.
      if (isRead && turn > turns.current.shown && wanted.current === path) {
        turns.current.shown = turn;
        setFound({ path, data: answer.body });
      }
      if (!isOver && (!isRead || isBehind(answer.body, asOf))) timer = setTimeout(read, everyMillis);
    };
    timer = setTimeout(read, Math.max(0, turns.current.at + everyMillis - Date.now()));
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [path, asOf, everyMillis]);

  return found !== null && found.path === path ? found.data : null;
}
