import { isOver } from '../../calls/is-over.ts';
import type { FieldName } from '../../calls/problem.ts';
import { fromLocalInput, isTimeZone } from '../../language/formats.ts';
import { readWholeNumber } from '../../language/read-number.ts';
import { type BookDraft, numberTerms } from './book-draft.ts';

/** What about a book's end is likely a mistake. */
export type EndFault = 'endPast' | 'endNotAfterStart';

/**
 * What is odd about the end that a form says; null: nothing. The API takes an end that has passed, as a book may be
 * ended so, and refuses one that is not after the start.
 */
export function endFault(
  { startsAt, endsAt, timeZone }: Pick<BookDraft, 'startsAt' | 'endsAt' | 'timeZone'>,
  now: number,
): EndFault | null {
  const instantOf = (local: string) => (local === '' ? null : fromLocalInput(local, timeZone.trim()));
  const [start, end] = [instantOf(startsAt), instantOf(endsAt)];
  if (end === null) return null;
  if (start !== null && end <= start) return 'endNotAfterStart';
  return isOver(end, now) ? 'endPast' : null;
}

/**
 * The fields of which the console knows by itself that no server takes them. The server looks at the zone and at the
 * times only once all others are right: so they are all told at once.
 */
export function faultyFields(draft: BookDraft, now: number): FieldName[] {
  const isNumber = (text: string) => text.trim() === '' || readWholeNumber(text) !== null;
  return [
    ...(draft.name.trim() === '' ? (['name'] as const) : []),
    ...(isTimeZone(draft.timeZone.trim()) ? [] : (['timeZone'] as const)),
    ...(endFault(draft, now) === 'endNotAfterStart' ? (['endsAt'] as const) : []),
    ...numberTerms.filter((term) => !isNumber(draft[term])),
  ];
}
