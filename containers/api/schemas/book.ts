import { type TOptional, type TSchema, Type } from 'typebox';
import { limits, newBookTerms } from '../../../core/index.ts';
import { Id, Metadata, nullable, oneOf, Rev, strictObject, Time } from './common.ts';

const statuses = ['draft', 'active', 'paused', 'closed'] as const;

/** Where a book is in its life. */
export const BookStatus = oneOf(statuses, {
  description: '`draft` → `active` ⇄ `paused` → `closed`, which is final.',
  examples: ['active'],
});

const count = (description: string) => Type.Integer({ minimum: 0, description });

const name = Type.String({ minLength: 1, maxLength: limits.bookNameMaxChars, examples: ['Verano 2026'] });
const description = nullable(Type.String({ maxLength: limits.descriptionMaxChars, description: 'For people.' }));
const timeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description:
    'The IANA name of the time zone in which local times and days are read. Changing it moves no time that is set.',
  examples: ['America/Argentina/Buenos_Aires'],
});

/** What the rules of a book mean, in requests and in answers. */
const means = {
  startsAt:
    'The first moment at which coupons can be locked and redeemed; they can be assigned before. Null: no bound.',
  endsAt: 'The first moment at which nothing can be assigned, locked or redeemed any more. Null: no bound.',
  maxCodesPerUser: 'Coupons a user may hold, redeemed ones included, voided ones not. Null: no limit.',
  maxRedemptionsPerCode: 'Redemptions of each coupon. A change counts for coupons assigned after it. Null: no limit.',
  maxRedemptionsPerUser: 'Redemptions of all the coupons that a user has of the book, together. Null: no limit.',
  maxRedemptions: 'Redemptions of the whole book. Null: no limit.',
  lockTtlSeconds: 'How long a lock lives that names no time of its own.',
  requireLock: 'Whether a redeem must bring the token of a live lock.',
  selfService: 'Whether a customer may assign itself a code.',
};

const boundary = (description: string, ofADay: string) =>
  nullable(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: `${description} RFC 3339, or a local time such as 2026-11-27T00:00:00 in the book’s time zone, or a day such as 2026-11-27, which stands for ${ofADay} there.`,
      examples: ['2026-11-27T00:00:00'],
    }),
  );
const limit = (maximum: number, description: string) => nullable(Type.Integer({ minimum: 1, maximum, description }));

const rules = {
  description,
  timeZone,
  startsAt: boundary(means.startsAt, 'its first moment'),
  endsAt: boundary(means.endsAt, 'its end'),
  maxCodesPerUser: limit(limits.perUserLimitMax, means.maxCodesPerUser),
  maxRedemptionsPerCode: limit(limits.redemptionsPerCodeMax, means.maxRedemptionsPerCode),
  maxRedemptionsPerUser: limit(limits.perUserLimitMax, means.maxRedemptionsPerUser),
  maxRedemptions: limit(limits.redemptionsPerBookMax, means.maxRedemptions),
  lockTtlSeconds: Type.Integer({ minimum: 1, maximum: limits.lockTtlMaxSeconds, description: means.lockTtlSeconds }),
  requireLock: Type.Boolean({ description: means.requireLock }),
  selfService: Type.Boolean({ description: means.selfService }),
  metadata: Metadata,
};

type Optional<Schemas> = { [Name in keyof Schemas]: Schemas[Name] extends TSchema ? TOptional<Schemas[Name]> : never };

/**
 * Fields that may be left out, with what stands for those that are: it is told to readers and not filled in, since the
 * body as it was sent is what its idempotency key remembers.
 */
function optional<Schemas extends Record<string, TSchema>>(schemas: Schemas, defaults: object = {}): Optional<Schemas> {
  const told = new Map(Object.entries(defaults));
  const fields = Object.entries(schemas).map(([field, schema]) => [
    field,
    Type.Optional(told.has(field) ? { ...schema, default: told.get(field) } : schema),
  ]);
  return Object.fromEntries(fields) as Optional<Schemas>;
}

/** What makes a book. */
export const BookInput = strictObject(
  { name, ...optional({ status: oneOf(['draft', 'active']), ...rules }, newBookTerms) },
  {
    examples: [
      { name: 'Verano 2026', status: 'active', timeZone: 'America/Argentina/Buenos_Aires', maxCodesPerUser: 3 },
    ],
  },
);

/** What changes a book: fields that are left out stay. */
export const BookPatch = strictObject(optional({ name, status: BookStatus, ...rules }), {
  examples: [{ status: 'paused' }],
});

/** A book. */
export const Book = Type.Object(
  {
    id: Id,
    name: Type.String(),
    description: nullable(Type.String()),
    status: BookStatus,
    timeZone: Type.String({ examples: ['America/Argentina/Buenos_Aires'] }),
    startsAt: nullable(Time),
    endsAt: nullable(Time),
    maxCodesPerUser: nullable(Type.Integer({ description: means.maxCodesPerUser })),
    maxRedemptionsPerCode: nullable(Type.Integer({ description: means.maxRedemptionsPerCode })),
    maxRedemptionsPerUser: nullable(Type.Integer({ description: means.maxRedemptionsPerUser })),
    maxRedemptions: nullable(Type.Integer({ description: means.maxRedemptions })),
    lockTtlSeconds: Type.Integer({ description: means.lockTtlSeconds }),
    requireLock: Type.Boolean({ description: means.requireLock }),
    selfService: Type.Boolean({ description: means.selfService }),
    metadata: Metadata,
    counts: Type.Object({
      codes: count('All codes of the book’s decks: available, assigned and voided ones together.'),
      available: count('Codes that can still be assigned.'),
      assigned: count('Coupons in users’ hands, whether redeemed or not.'),
      redemptions: count('Redemptions that were not given back.'),
      voided: count('Codes that were voided, in a user’s hands or before.'),
    }),
    rev: Rev,
    createdAt: Time,
    updatedAt: Time,
  },
  { $id: 'Book', description: 'A campaign with its rules and counts.' },
);
