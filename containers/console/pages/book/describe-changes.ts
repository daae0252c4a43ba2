import type { Book } from '../../calls/types.ts';
import { formatMoment, formatNumber, placeOf } from '../../language/formats.ts';
import { messages } from '../../messages/messages.ts';

/** A term that differs between two states of a book, in words. */
export interface Change {
  term: string;
  /** Such as `Codes per user: 1 → 3`. */
  sentence: string;
  /** What that does to codes that are out, and to what comes. */
  meaning: string | null;
}

/** The terms of a book that the console shows, in the order of the form. */
export const shownTerms = [
  'status',
  'name',
  'description',
  'publicCode',
  'timeZone',
  'startsAt',
  'endsAt',
  'validForDays',
  'maxCodesPerUser',
  'maxRedemptionsPerCode',
  'maxRedemptionsPerUser',
  'maxRedemptions',
  'lockTtlSeconds',
  'requireLock',
  'selfService',
] as const;
type ShownTerm = (typeof shownTerms)[number];

/** What a book's terms say, as far as the console shows them; times as instants. */
export type Terms = Pick<Book, ShownTerm>;

/**
 * What differs between two states of a book, in the order of the form.
 * @param now the moment at which the change would be made
 */
export function describeChanges(before: Book, after: Terms, now: number): Change[] {
  return shownTerms
    .filter((term) => before[term] !== after[term])
    .map((term) => {
      const show = (terms: Terms) => {
        const words = showTerm(term, terms);
        return words === terms[term] ? messages().common.quoted(words) : words;
      };
      const label = term === 'status' ? messages().rules.status : messages().terms[term].label;
      const sentence = messages().rules.fromTo(label, show(before), show(after));
      return { term, sentence, meaning: meaningOf(term, before, after, now) };
    });
}

/** What a term says, in words; a text as somebody wrote it. */
export function showTerm(term: ShownTerm, terms: Terms): string {
  const text = messages();
  if (term === 'status') return text.common.status[terms.status];
  const value = terms[term];
  if (typeof value === 'boolean') return value ? text.common.yes : text.common.no;
  if (typeof value === 'number') return formatNumber(value);
  if (value === null) return wordsOfNone(term);
  if (term !== 'startsAt' && term !== 'endsAt') return value;
  // Each of two moments is read as one.
  return text.common.inZone(formatMoment(value, terms.timeZone), placeOf(terms.timeZone));
}

/** What a term that is left empty comes to. */
function wordsOfNone(term: ShownTerm): string {
  const { rules } = messages();
  if (term === 'validForDays') return rules.untilBookEnds;
  if (term === 'startsAt') return rules.atOnce;
  return term.startsWith('max') ? rules.noLimit : rules.notSet;
}

function meaningOf(term: ShownTerm, { counts, maxCodesPerUser: most }: Book, after: Terms, now: number): string | null {
  const { meaning } = messages().rules;
  switch (term) {
    case 'status':
    case 'description':
      return null;
    case 'endsAt':
      return after.endsAt !== null && Date.parse(after.endsAt) <= now ? meaning.endsAtPast : meaning.endsAt;
    case 'maxCodesPerUser': {
      const isRaised = after.maxCodesPerUser === null || (most !== null && after.maxCodesPerUser > most);
      return isRaised ? meaning.maxCodesPerUserRaised : meaning.maxCodesPerUser;
    }
    case 'maxRedemptionsPerCode':
      return meaning.maxRedemptionsPerCode(counts.assigned);
    case 'maxRedemptions': {
      if (after.maxRedemptions === null) return meaning.maxRedemptionsOpen;
      const left = after.maxRedemptions - counts.redemptions;
      return left > 0
        ? meaning.maxRedemptions(counts.redemptions, left)
        : meaning.maxRedemptionsReached(counts.redemptions);
    }
    case 'requireLock':
      return after.requireLock ? meaning.requireLockOn : meaning.requireLockOff;
    case 'selfService':
      return after.selfService ? meaning.selfServiceOn : meaning.selfServiceOff;
    default:
      return meaning[term];
  }
}
