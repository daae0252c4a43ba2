import { type Static, type TProperties, Type } from 'typebox';
import { givenTime, label, Metadata, nullable, oneOf, optional, strictObject, withDefault } from '../input/shapes.ts';
import { limits } from '../limits.ts';

/** The statuses of a book. `closed` is final. */
export const bookStatuses = ['draft', 'active', 'paused', 'closed'] as const;

/** Where a book is in its life. */
export const BookStatus = oneOf(bookStatuses, {
  description: '`draft` → `active` ⇄ `paused` → `closed`, which is final.',
  examples: ['active'],
});
export type BookStatus = Static<typeof BookStatus>;

const limit = (maximum: number, description: string) => nullable(Type.Integer({ minimum: 1, maximum, description }));

const boundary = (description: string, ofADay: string) =>
  nullable(
    givenTime(
      `${description} RFC 3339, or a local time such as 2026-11-27T00:00:00 in the book’s time zone, or a day such as 2026-11-27, which stands for ${ofADay} there.`,
      '2026-11-27T00:00:00',
    ),
  );

/**
 * The terms of a book: everything about it that callers set. This is the one place where a term is written. Its type,
 * the check of requests, the OpenAPI document and the columns of every statement come from here; beside it a new one
 * needs its column, in a migration, a test, and its name in `termsForPeople` where no decision reads it. `default` is
 * what a new book has where its request says nothing: it is told to readers and not filled in, since the body as it was
 * sent is what its idempotency key remembers.
 */
export const bookTerms = {
  name: label(limits.bookNameMaxChars, 'Verano 2026'),
  description: withDefault(
    nullable(Type.String({ maxLength: limits.descriptionMaxChars, description: 'For people.' })),
    null,
  ),
  status: withDefault(BookStatus, 'draft'),
  publicCode: withDefault(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: limits.codeTypedMaxChars,
        description:
          'One code for everybody, such as SUMMER20, kept in upper case. Whoever brings it acts on their own coupon of the book, which is dealt to them at that moment if they have none. It is unique among the tenant’s codes, can be changed while the book is a draft, and makes the book give each user one coupon, whatever maxCodesPerUser says. A book that opens with it and has no codes is given a generated deck. Null: none.',
        examples: ['SUMMER20'],
      }),
    ),
    null,
  ),
  timeZone: withDefault(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        'The IANA name of the time zone in which local times and days are read, and in which validForDays counts days. Changing it moves no time that is set.',
      examples: ['America/Argentina/Buenos_Aires'],
    }),
    'UTC',
  ),
  startsAt: withDefault(
    boundary(
      'The first moment at which coupons can be locked and redeemed; they can be assigned before. Null: no bound.',
      'its first moment',
    ),
    null,
  ),
  endsAt: withDefault(
    boundary(
      'The first moment at which nothing can be assigned, locked or redeemed any more. Null: no bound.',
      'its end',
    ),
    null,
  ),
  maxCodesPerUser: withDefault(
    limit(limits.perUserLimitMax, 'Coupons a user may hold, redeemed ones included, voided ones not. Null: no limit.'),
    null,
  ),
  maxRedemptionsPerCode: withDefault(
    limit(
      limits.redemptionsPerCodeMax,
      'Redemptions of each coupon. A change counts for coupons assigned after it. Null: no limit.',
    ),
    1,
  ),
  maxRedemptionsPerUser: withDefault(
    limit(
      limits.perUserLimitMax,
      'Redemptions of all the coupons that a user has of the book, together. Null: no limit.',
    ),
    null,
  ),
  maxRedemptions: withDefault(
    limit(limits.redemptionsPerBookMax, 'Redemptions of the whole book. Null: no limit.'),
    null,
  ),
  validForDays: withDefault(
    limit(
      limits.validForDaysMax,
      'A coupon expires at the end of so many days after the day of its assignment, on the clocks of timeZone, and with the book at the latest. A change, of timeZone too, counts for coupons assigned after it. Null: it expires with the book.',
    ),
    null,
  ),
  lockTtlSeconds: withDefault(
    Type.Integer({
      minimum: 1,
      maximum: limits.lockTtlMaxSeconds,
      description: 'How long a lock lives that names no time of its own.',
    }),
    limits.lockTtlDefaultSeconds,
  ),
  requireLock: withDefault(
    Type.Boolean({
      description:
        'Whether a redeem must bring the token of a live lock. A lock reserves the coupon only, and nothing of the limits.',
    }),
    false,
  ),
  selfService: withDefault(Type.Boolean({ description: 'Whether a customer may assign itself a code.' }), false),
  metadata: withDefault(Metadata, {}),
} satisfies TProperties;

/** Terms that are points in time: a request may write them in several ways, and they are kept as instants. */
export const timeTerms = ['startsAt', 'endsAt'] as const;

/** Terms for people, which no decision about a coupon reads. */
const termsForPeople = ['name', 'description', 'metadata'] as const;

/**
 * Terms of which each revision of a book is written down, to hold events against. They are columns of book_revisions.
 */
export const auditedTerms = [
  'status',
  'startsAt',
  'endsAt',
  'maxCodesPerUser',
  'maxRedemptionsPerCode',
  'maxRedemptionsPerUser',
  'maxRedemptions',
  'validForDays',
] as const satisfies readonly TermName[];

/** A book's terms, checked: times are RFC 3339 in UTC with milliseconds, the zone is written as its list has it. */
export type BookTerms = { -readonly [Name in TermName]: Static<(typeof bookTerms)[Name]> };
/** The name of a field of a book. */
export type TermName = keyof typeof bookTerms;
type TimeTerm = (typeof timeTerms)[number];

/** The same as the database gives them. */
export type StoredTerms = { [Name in TermName]: Name extends TimeTerm ? Date | null : BookTerms[Name] };

/** Those that decisions read. */
export type DecisiveTerm = Exclude<TermName, (typeof termsForPeople)[number]>;

/** Every term, in the order of the declaration. */
export const termNames = Object.keys(bookTerms) as TermName[];

/** Those that decisions read. */
export const decisiveTerms = termNames.filter((name): name is DecisiveTerm => !isOneOf(termsForPeople, name));

/** What makes a book. */
export const BookInput = strictObject(
  {
    ...optional(bookTerms),
    name: bookTerms.name,
    status: Type.Optional(withDefault(oneOf(['draft', 'active']), 'draft')),
  },
  {
    examples: [
      { name: 'Verano 2026', status: 'active', timeZone: 'America/Argentina/Buenos_Aires', maxCodesPerUser: 3 },
    ],
  },
);
export type BookInput = Static<typeof BookInput>;

/** What changes a book: fields that are left out stay. */
export const BookPatch = strictObject(optional(withoutDefaults(bookTerms)), { examples: [{ status: 'paused' }] });
export type BookPatch = Static<typeof BookPatch>;

/** What a new book is where its request says nothing. A name it always says. */
export const newBookTerms = Object.fromEntries(
  Object.entries(bookTerms).flatMap(([term, shape]) => ('default' in shape ? [[term, shape.default]] : [])),
) as Omit<BookTerms, 'name'>;

/** Whether a term is a point in time. */
export function isTimeTerm(term: string): term is TimeTerm {
  return isOneOf(timeTerms, term);
}

/** The terms' columns, parted by commas. */
export function termColumns(names: readonly TermName[] = termNames): string {
  return names.map(columnOf).join(', ');
}

/** The terms' columns of a table as a query's answer names them: `b.time_zone as "timeZone"`. */
export function selectTerms(table: string, names: readonly TermName[] = termNames): string {
  return names.map((term) => `${table}.${columnOf(term)} as "${term}"`).join(', ');
}

/** The parameters of a statement that hold the values of all terms, from `$first` on. */
export function termParameters(first: number): string {
  return termNames.map((_term, index) => `$${first + index}`).join(', ');
}

/** Every term's column set to its parameter, of which the first is `$first`. */
export function termAssignments(first: number): string {
  return termNames.map((term, index) => `${columnOf(term)} = $${first + index}`).join(', ');
}

/** The values of those parameters. */
export function termValues(terms: BookTerms): unknown[] {
  return termNames.map((term) => (term === 'metadata' ? JSON.stringify(terms[term]) : terms[term]));
}

function columnOf(term: TermName): string {
  return term.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function withoutDefaults<T extends TProperties>(fields: T): T {
  const bare = ({ default: _ofNewBooks, ...shape }: { default?: unknown }) => shape;
  return Object.fromEntries(Object.entries(fields).map(([term, shape]) => [term, bare(shape)])) as T;
}

function isOneOf<T extends string>(words: readonly T[], word: string): word is T {
  return words.some((known) => known === word);
}
