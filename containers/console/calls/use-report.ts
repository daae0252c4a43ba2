import type { Report } from './types.ts';
import { useFollowed } from './use-followed.ts';
import { type Loaded, useLoad } from './use-load.ts';

/** Events are counted some seconds after they happen. */
const isBehind = ({ settledUntil }: Report, asOf: string) => settledUntil < asOf;

/**
 * A report of a book, read again when the book's counts change, until it has everything up to then.
 * @param path null: nothing is read
 * @param asOf since when the counts are what they are; null: they are not known yet
 */
export function useReport(
  path: string | null,
  asOf: string | null,
  everyMillis: number,
): Pick<Loaded<Report>, 'data' | 'problem' | 'reload'> {
  const { data, problem, reload } = useLoad<Report>(path);
  const latest = useFollowed(data === null ? null : path, asOf, everyMillis, isBehind);
  return { data: latest ?? data, problem, reload };
}
