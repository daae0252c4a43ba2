import { isDeepStrictEqual } from 'node:util';
import { hasLetterOrDigit, readCode } from '../codes/code-rules.ts';
import { type InputProblem, invalidInputs, refuse } from '../errors.ts';
import { Fault } from '../input/field-rules.ts';
import { metadataProblem } from '../input/metadata-rules.ts';
import type { Metadata } from '../input/shapes.ts';
import { type GivenTime, placeTime, readTime, readZone } from '../input/time-rules.ts';
import {
  type BookInput,
  type BookPatch,
  type BookStatus,
  type BookTerms,
  newBookTerms,
  termNames,
} from './book-terms.ts';

/**
 * The terms that a request gave, read as far as they can be without the book: times may still be local ones or days.
 */
export interface BookChanges extends Partial<Omit<BookTerms, 'startsAt' | 'endsAt'>> {
  startsAt?: GivenTime | null;
  endsAt?: GivenTime | null;
}

/** From each status, where a book may go. Nothing leads out of closed, and a book that never opened can't close. */
const transitions: Readonly<Record<BookStatus, readonly BookStatus[]>> = {
  draft: ['active'],
  active: ['paused', 'closed'],
  paused: ['active', 'closed'],
  closed: [],
};

/** What the shape of a term can't say of a value, by term: what the value means, or what is wrong with it. */
const readers: Readonly<Record<string, (value: never) => unknown>> = {
  publicCode: readPublicCode,
  timeZone: readZone,
  startsAt: readTime,
  endsAt: readTime,
  metadata: (value: Metadata) => {
    const problem = metadataProblem(value);
    return problem === null ? value : new Fault(problem);
  },
};

/**
 * Reads what makes a book: times are placed in the book's zone.
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readNewBook(input: BookInput): BookTerms {
  return applyChanges({ ...newBookTerms, name: input.name }, readBookChanges(input));
}

/**
 * Reads what changes a book, as far as it can be read without the book.
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readBookChanges(input: BookPatch): BookChanges {
  const changes: Record<string, unknown> = {};
  const problems: InputProblem[] = [];
  for (const term of termNames) {
    const value = input[term];
    if (value === undefined) continue;
    const read = value === null ? null : (readers[term]?.(value as never) ?? value);
    if (read instanceof Fault) problems.push({ path: `/${term}`, message: read.message });
    else changes[term] = read;
  }
  if (problems.length > 0) throw invalidInputs(problems);
  // Each reader gave its own term's type: more than the compiler can follow.
  return changes as BookChanges;
}

/**
 * The terms after the changes. Local times and days are read in the zone that the same request gives, else in the
 * book's; a new zone alone moves no time.
 * @throws CouponError `invalid-input` for a local time that the zone has never or twice, or a window that ends before
 *   it starts or is empty
 */
export function applyChanges(before: BookTerms, changes: BookChanges): BookTerms {
  const { startsAt, endsAt, ...rest } = changes;
  const after: BookTerms = { ...before, ...rest };
  const problems: InputProblem[] = [];
  for (const [field, time, edge] of [['startsAt', startsAt, 'start'] as const, ['endsAt', endsAt, 'end'] as const]) {
    if (time === undefined) continue;
    const placed = time === null ? null : placeTime(time, after.timeZone, edge);
    if (placed instanceof Fault) problems.push({ path: `/${field}`, message: placed.message });
    else after[field] = placed;
  }
  if (problems.length === 0 && after.startsAt !== null && after.endsAt !== null && after.startsAt >= after.endsAt) {
    const field = endsAt === undefined || endsAt === null ? 'startsAt' : 'endsAt';
    const fix =
      field === 'endsAt' ? `must be after startsAt, ${after.startsAt}` : `must be before endsAt, ${after.endsAt}`;
    problems.push({ path: `/${field}`, message: fix });
  }
  if (problems.length > 0) throw invalidInputs(problems);
  return after;
}

/** True where the terms differ in anything. The order of the fields in metadata is no difference. */
export function isChanged(before: BookTerms, after: BookTerms): boolean {
  return !isDeepStrictEqual(before, after);
}

/**
 * Checks that a book may go from one set of terms to another, different one.
 * @throws CouponError `conflict` where the book is closed, which is final in everything, where its status has no way to
 *   the new one, or where its public code would change and it is no draft any more
 */
export function checkTransition(before: BookTerms, after: BookTerms): void {
  if (before.status === 'closed') {
    throw refuse('conflict', 'The book is closed, which is final: it takes no change.', { reason: 'book-closed' });
  }
  if (before.publicCode !== after.publicCode && before.status !== 'draft') {
    const detail = `The publicCode can be changed while the book is a draft; it is ${before.status}.`;
    throw refuse('conflict', detail, { reason: 'book-status' });
  }
  if (before.status === after.status || transitions[before.status].includes(after.status)) return;
  const ways = transitions[before.status].join(' or ');
  const detail = `A book that is ${before.status} can become ${ways}, not ${after.status}.`;
  throw refuse('conflict', detail, { reason: 'book-status' });
}

/** A public code as codes are stored, or what is wrong with it. */
function readPublicCode(text: string): string | Fault {
  const read = readCode(text);
  if (!read.ok) return new Fault(`is no code: ${read.message}`);
  return hasLetterOrDigit(read.code) ? read.code : new Fault('is no code: a code has a letter or a digit');
}
