import type { BookTerms } from './book-rules.ts';

/** How many codes and redemptions a book has. */
export interface BookCounts {
  /** All codes of the book's decks: those below together, but for redemptions. */
  codes: number;
  /** Those that can still be dealt or assigned by name. */
  available: number;
  /** Coupons in users' hands, voided ones excluded. */
  assigned: number;
  /** Redemptions that were not given back. */
  redemptions: number;
  /** Codes that were voided, in a user's hands or before. */
  voided: number;
}

/** A book as callers see it. Times are RFC 3339 in UTC with milliseconds. */
export interface BookDocument extends BookTerms {
  /** UUIDv7 in lower case. */
  id: string;
  counts: BookCounts;
  /** 1 for a new book, and one more for each change. */
  rev: number;
  createdAt: string;
  updatedAt: string;
}

/** A book's row with its counts, as bookSelection reads it. */
export interface BookRow extends Omit<BookTerms, 'startsAt' | 'endsAt'> {
  id: string;
  startsAt: Date | null;
  endsAt: Date | null;
  rev: number;
  createdAt: Date;
  updatedAt: Date;
  codes: number;
  available: number;
  voided: number;
  redemptions: number;
}

/**
 * Selects books, a table or a subquery, as BookRow; a `where` on `b` follows. Counts are sums over the book's decks and
 * its counter's stripes, so they cost the same whatever the number of codes, and one statement sees them at one moment.
 */
export const bookSelection = (
  books: string,
) => `select b.id, b.name, b.description, b.status, b.time_zone as "timeZone",
    b.starts_at as "startsAt", b.ends_at as "endsAt", b.max_codes_per_user as "maxCodesPerUser",
    b.max_redemptions_per_code as "maxRedemptionsPerCode", b.max_redemptions_per_user as "maxRedemptionsPerUser",
    b.max_redemptions as "maxRedemptions", b.lock_ttl_seconds as "lockTtlSeconds", b.require_lock as "requireLock",
    b.self_service as "selfService", b.metadata, b.rev, b.created_at as "createdAt", b.updated_at as "updatedAt",
    d.codes, d.available, d.voided + c.voided as voided, c.redemptions
  from ${books} b
  cross join lateral (
    select coalesce(sum(size), 0)::bigint as codes, coalesce(sum(voided), 0)::bigint as voided,
      coalesce(sum(size - next_pos - taken_ahead), 0)::bigint as available
    from (select * from decks where book_id = b.book_id offset 0) as of_book where tenant_id = b.tenant_id) d
  cross join lateral (
    select coalesce(sum(redemptions), 0)::bigint as redemptions, coalesce(sum(voided), 0)::bigint as voided
    from book_counters where tenant_id = b.tenant_id and book_id = b.book_id) c`;

/** The part of a row that callers set. */
export function bookTerms(row: BookRow): BookTerms {
  return {
    name: row.name,
    description: row.description,
    status: row.status,
    timeZone: row.timeZone,
    startsAt: row.startsAt?.toISOString() ?? null,
    endsAt: row.endsAt?.toISOString() ?? null,
    maxCodesPerUser: row.maxCodesPerUser,
    maxRedemptionsPerCode: row.maxRedemptionsPerCode,
    maxRedemptionsPerUser: row.maxRedemptionsPerUser,
    maxRedemptions: row.maxRedemptions,
    lockTtlSeconds: row.lockTtlSeconds,
    requireLock: row.requireLock,
    selfService: row.selfService,
    metadata: row.metadata,
  };
}

/** A row as callers see it. */
export function bookDocument(row: BookRow): BookDocument {
  const { id, codes, available, redemptions, voided, rev, createdAt, updatedAt } = row;
  return {
    id,
    ...bookTerms(row),
    counts: { codes, available, assigned: codes - available - voided, redemptions, voided },
    rev,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
