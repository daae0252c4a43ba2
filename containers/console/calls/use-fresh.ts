import { type Loaded, useLoad } from './use-load.ts';
import { usePoll } from './use-poll.ts';

/**
 * Something that is read when a page is shown, and again every so often while it is seen.
 * @param path null: nothing is read
 */
export function useFresh<T>(path: string | null, everyMillis: number): Pick<Loaded<T>, 'data' | 'problem' | 'reload'> {
  const { data, problem, reload } = useLoad<T>(path);
  // The first answer says why there is none; only after one is there something to be kept fresh.
  const polled = usePoll<T>(data === null ? null : path, everyMillis);
  return { data: polled ?? data, problem, reload };
}
