import { Type } from 'typebox';
import { limits } from '../../../core/index.ts';
import { Id, Metadata, nullable, oneOf, Rev, strictObject, Time } from './common.ts';

const statuses = ['draft', 'active', 'paused', 'closed'] as const;

/** Where a book is in its life. */
export const BookStatus = oneOf(statuses, {
  description: '`draft` → `active` ⇄ `paused` → `closed`, which is final.',
  examples: ['active'],
});

const Count = Type.Integer({ minimum: 0 });

const name = Type.String({ minLength: 1, maxLength: limits.bookNameMaxChars, examples: ['Verano 2026'] });
const description = nullable(Type.String({ maxLength: limits.descriptionMaxChars }));
const timeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'The IANA name of the time zone in which local times are meant.',
  examples: ['America/Argentina/Buenos_Aires'],
});
const boundary = nullable(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'RFC 3339, or a local time such as 2026-11-27T00:00:00 in the book’s time zone; null: no bound.',
    examples: ['2026-11-27T00:00:00'],
  }),
);
const perUserLimit = nullable(Type.Integer({ minimum: 1, maximum: limits.perUserLimitMax }));
const perCodeLimit = nullable(Type.Integer({ minimum: 1, maximum: limits.redemptionsPerCodeMax }));
const perBookLimit = nullable(Type.Integer({ minimum: 1, maximum: limits.redemptionsPerBookMax }));
const lockTtlSeconds = Type.Integer({ minimum: 1, maximum: limits.lockTtlMaxSeconds });

const rules = {
  description: Type.Optional(description),
  timeZone: Type.Optional(timeZone),
  startsAt: Type.Optional(boundary),
  endsAt: Type.Optional(boundary),
  maxCodesPerUser: Type.Optional(perUserLimit),
  maxRedemptionsPerCode: Type.Optional(perCodeLimit),
  maxRedemptionsPerUser: Type.Optional(perUserLimit),
  maxRedemptions: Type.Optional(perBookLimit),
  lockTtlSeconds: Type.Optional(lockTtlSeconds),
  requireLock: Type.Optional(Type.Boolean()),
  selfService: Type.Optional(Type.Boolean()),
  metadata: Type.Optional(Metadata),
};

/** What makes a book. */
export const BookInput = strictObject(
  { name, status: Type.Optional(oneOf(['draft', 'active'])), ...rules },
  {
    examples: [
      { name: 'Verano 2026', status: 'active', timeZone: 'America/Argentina/Buenos_Aires', maxCodesPerUser: 3 },
    ],
  },
);

/** What changes a book: fields that are left out stay. */
export const BookPatch = strictObject(
  { name: Type.Optional(name), status: Type.Optional(BookStatus), ...rules },
  { examples: [{ status: 'paused' }] },
);

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
    maxCodesPerUser: nullable(Type.Integer()),
    maxRedemptionsPerCode: nullable(Type.Integer()),
    maxRedemptionsPerUser: nullable(Type.Integer()),
    maxRedemptions: nullable(Type.Integer()),
    lockTtlSeconds: Type.Integer(),
    requireLock: Type.Boolean(),
    selfService: Type.Boolean(),
    metadata: Metadata,
    counts: Type.Object({
      codes: Count,
      available: Count,
      assigned: Count,
      redemptions: Count,
      voided: Count,
    }),
    rev: Rev,
    createdAt: Time,
    updatedAt: Time,
  },
  { $id: 'Book', description: 'A campaign with its rules and counts.' },
);
