import type { Book } from '../../calls/types.ts';
import { toLocalInput } from '../../language/formats.ts';
import { readWholeNumber } from '../../language/read-number.ts';

/** Terms that are whole numbers, or nothing where there is no limit. */
export const numberTerms = [
  'maxCodesPerUser',
  'maxRedemptionsPerCode',
  'maxRedemptionsPerUser',
  'maxRedemptions',
  'validForDays',
  'lockTtlSeconds',
] as const;
/** One of them. */
export type NumberTerm = (typeof numberTerms)[number];

const timeTerms = ['startsAt', 'endsAt'] as const;
const switchTerms = ['requireLock', 'selfService'] as const;

/** What is in the fields of a book's form: texts as they are typed. */
export type BookDraft = Record<
  'name' | 'description' | 'publicCode' | 'timeZone' | (typeof timeTerms)[number] | NumberTerm,
  string
> &
  Record<(typeof switchTerms)[number], boolean>;

/** A form for a new book: what the API would take where nothing is said, in the zone of whoever makes it. */
export function newDraft(zone: string): BookDraft {
  return {
    name: '',
    description: '',
    publicCode: '',
    timeZone: zone,
    startsAt: '',
    endsAt: '',
    maxCodesPerUser: '1',
    maxRedemptionsPerCode: '1',
    maxRedemptionsPerUser: '',
    maxRedemptions: '',
    validForDays: '',
    lockTtlSeconds: '300',
    requireLock: false,
    selfService: false,
  };
}

/** A form with a book's terms. Times are those of the clocks of the book's zone. */
export function draftOf(book: Book): BookDraft {
  const numbers = Object.fromEntries(numberTerms.map((term) => [term, book[term]?.toString() ?? '']));
  return {
    name: book.name,
    description: book.description ?? '',
    publicCode: book.publicCode ?? '',
    timeZone: book.timeZone,
    startsAt: book.startsAt === null ? '' : toLocalInput(book.startsAt, book.timeZone),
    endsAt: book.endsAt === null ? '' : toLocalInput(book.endsAt, book.timeZone),
    ...(numbers as Record<NumberTerm, string>),
    requireLock: book.requireLock,
    selfService: book.selfService,
  };
}

/** What a form says, as the API takes it. What is no number goes as it is typed, and the API says what is wrong. */
export function termsOf(draft: BookDraft): Record<string, unknown> {
  const terms: Record<string, unknown> = {
    name: draft.name.trim(),
    description: draft.description.trim() === '' ? null : draft.description.trim(),
    publicCode: draft.publicCode.trim() === '' ? null : draft.publicCode.trim(),
    timeZone: draft.timeZone.trim(),
  };
  for (const term of timeTerms) terms[term] = draft[term] === '' ? null : draft[term];
  for (const term of numberTerms) terms[term] = numberOf(draft[term]);
  for (const term of switchTerms) terms[term] = draft[term];
  return terms;
}

/** Of what a form says, what differs from what it said when it was opened. */
export function changedTerms(before: BookDraft, after: BookDraft): Record<string, unknown> {
  const [former, present] = [termsOf(before), termsOf(after)];
  return Object.fromEntries(Object.entries(present).filter(([term, value]) => value !== former[term]));
}

function numberOf(typed: string): number | string | null {
  const text = typed.trim();
  if (text === '') return null;
  return readWholeNumber(text) ?? text;
}
