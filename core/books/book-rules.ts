import { isDeepStrictEqual } from 'node:util';
import { type InputProblem, refuse } from '../errors.ts';
import {
  Fault,
  orNull,
  type Readers,
  readBoolean,
  readFields,
  readLabel,
  readText,
  readWhole,
  refuseFields,
} from '../input/field-rules.ts';
import { type Metadata, metadataProblem } from '../input/metadata-rules.ts';
import { type GivenTime, placeTime, readTime, readZone } from '../input/time-rules.ts';
import { limits } from '../limits.ts';
import type { BookStatus } from './read-book-rules.ts';

/** Everything about a book that callers set, checked. Null limits mean no limit. */
export interface BookTerms {
  /** 1 to limits.bookNameMaxChars characters, not all of them white space. */
  name: string;
  /** At most limits.descriptionMaxChars characters. */
  description: string | null;
  status: BookStatus;
  /** The name of an IANA time zone: how local times are read, and what the book's times should be shown in. */
  timeZone: string;
  /** The window is half-open, `[startsAt, endsAt)`: RFC 3339 in UTC with milliseconds; null is open on that side. */
  startsAt: string | null;
  endsAt: string | null;
  maxCodesPerUser: number | null;
  maxRedemptionsPerCode: number | null;
  maxRedemptionsPerUser: number | null;
  maxRedemptions: number | null;
  /** 1 to limits.lockTtlMaxSeconds. */
  lockTtlSeconds: number;
  requireLock: boolean;
  selfService: boolean;
  metadata: Metadata;
}

/** The fields of a request's body, checked one by one; times may still be local ones or days. */
interface BookFields extends Omit<BookTerms, 'startsAt' | 'endsAt'> {
  startsAt: GivenTime | null;
  endsAt: GivenTime | null;
}

/** Those fields that a request gave. */
export type BookChanges = Partial<BookFields>;

/** What a new book is where its request says nothing. */
export const newBookTerms: BookTerms = {
  name: '',
  description: null,
  status: 'draft',
  timeZone: 'UTC',
  startsAt: null,
  endsAt: null,
  maxCodesPerUser: null,
  maxRedemptionsPerCode: 1,
  maxRedemptionsPerUser: null,
  maxRedemptions: null,
  lockTtlSeconds: limits.lockTtlDefaultSeconds,
  requireLock: false,
  selfService: false,
  metadata: {},
};

const statuses: readonly BookStatus[] = ['draft', 'active', 'paused', 'closed'];

/** From each status, where a book may go. Nothing leads out of closed, and a book that never opened can't close. */
const transitions: Readonly<Record<BookStatus, readonly BookStatus[]>> = {
  draft: ['active'],
  active: ['paused', 'closed'],
  paused: ['active', 'closed'],
  closed: [],
};

const readers: Readers<BookFields> = {
  name: (value) => readLabel(value, limits.bookNameMaxChars),
  description: orNull((value) => readText(value, limits.descriptionMaxChars)),
  status: (value) => readBookStatus(value) ?? new Fault(`must be one of ${statuses.join(', ')}`),
  timeZone: readZone,
  startsAt: orNull(readTime),
  endsAt: orNull(readTime),
  maxCodesPerUser: orNull((value) => readWhole(value, limits.perUserLimitMax)),
  maxRedemptionsPerCode: orNull((value) => readWhole(value, limits.redemptionsPerCodeMax)),
  maxRedemptionsPerUser: orNull((value) => readWhole(value, limits.perUserLimitMax)),
  maxRedemptions: orNull((value) => readWhole(value, limits.redemptionsPerBookMax)),
  lockTtlSeconds: (value) => readWhole(value, limits.lockTtlMaxSeconds),
  requireLock: readBoolean,
  selfService: readBoolean,
  metadata: readMetadata,
};

/** The value as a book's status, or null where it is none. */
export function readBookStatus(value: unknown): BookStatus | null {
  return statuses.find((status) => status === value) ?? null;
}

/**
 * Reads the body of a request that makes a book: all of it is checked, times are placed in the book's zone.
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readNewBook(input: unknown): BookTerms {
  const fields = readFields<BookFields, 'name'>(input, readers, 'a book', ['name']);
  if (fields.status === 'paused' || fields.status === 'closed') {
    throw refuseFields([{ path: '/status', message: 'must be draft or active for a new book' }]);
  }
  return applyChanges(newBookTerms, fields);
}

/**
 * Reads the body of a request that changes a book, as far as it can be read without the book.
 * @throws CouponError `invalid-input` naming every field that is wrong, and how to mend it
 */
export function readBookChanges(input: unknown): BookChanges {
  return readFields(input, readers, 'a book');
}

/**
 * The terms after the changes. Local times and days are read in the zone that the same request gives, else in the book's;
 * a new zone alone moves no time.
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
  if (problems.length > 0) throw refuseFields(problems);
  return after;
}

/** True where the terms differ in anything. The order of the fields in metadata is no difference. */
export function isChanged(before: BookTerms, after: BookTerms): boolean {
  return !isDeepStrictEqual(before, after);
}

/**
 * Checks that a book may go from one set of terms to another, different one.
 * @throws CouponError `conflict` where the book is closed, which is final in everything, or where its status has no way
 *   to the new one
 */
export function checkTransition(before: BookTerms, after: BookTerms): void {
  if (before.status === 'closed') {
    throw refuse('conflict', 'The book is closed, which is final: it takes no change.', { reason: 'book-closed' });
  }
  if (before.status === after.status || transitions[before.status].includes(after.status)) return;
  const ways = transitions[before.status].join(' or ');
  const detail = `A book that is ${before.status} can become ${ways}, not ${after.status}.`;
  throw refuse('conflict', detail, { reason: 'book-status' });
}

function readMetadata(value: unknown): Metadata | Fault {
  const problem = metadataProblem(value);
  return problem === null ? (value as Metadata) : new Fault(problem);
}
