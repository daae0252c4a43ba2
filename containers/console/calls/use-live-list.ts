import { useEffect, useState } from 'preact/hooks';
import type { Page } from './types.ts';
import { type LoadedList, useList } from './use-load.ts';
import { usePoll } from './use-poll.ts';

/** How often what moves is looked at. */
const everyMillis = 2_000;

/**
 * A list, newest first, whose first page is read again and again as long as something in it moves, and is seen.
 * @param path with its filters, without a cursor; the same one for the component's life
 */
export function useLiveList<T>(
  path: string,
  keyOf: (item: T) => string,
  isMoving: (item: T) => boolean,
): LoadedList<T> {
  const list = useList<T>(path);
  // What a poll found last stands in the place of what was read before, also when nothing is asked any more.
  const [latest, setLatest] = useState<T[]>([]);
  const known = new Set(latest.map(keyOf));
  const items = list.items === null ? null : [...latest, ...list.items.filter((item) => !known.has(keyOf(item)))];
  const polled = usePoll<Page<T>>(items?.some(isMoving) ? path : null, everyMillis);
  useEffect(() => {
    if (polled !== null) setLatest(polled.data);
  }, [polled]);
  const reload = async () => {
    await list.reload();
    setLatest([]);
  };
  return { ...list, items, reload };
}
