import type { Queryable } from '../db/pool.ts';
import type { BookKey } from '../keys.ts';

/** The statuses of a book. `closed` is final. */
export type BookStatus = 'draft' | 'active' | 'paused' | 'closed';

/** What a decision about a coupon needs to know of its book. Null limits mean no limit. */
export interface BookRules {
  bookKey: BookKey;
  /** The id that callers know: a UUID in lower case. */
  bookId: string;
  status: BookStatus;
  /** The window is half-open, `[startsAt, endsAt)`; null is open on that side. */
  startsAt: Date | null;
  endsAt: Date | null;
  /** 1 to limits.perUserLimitMax. */
  maxCodesPerUser: number | null;
  /** 1 to limits.redemptionsPerCodeMax. */
  maxRedemptionsPerCode: number | null;
  /** 1 to limits.perUserLimitMax. */
  maxRedemptionsPerUser: number | null;
  /** 1 to limits.redemptionsPerBookMax. */
  maxRedemptions: number | null;
  /** How long a lock lasts unless its request says: 1 to limits.lockTtlMaxSeconds. */
  lockTtlSeconds: number;
  requireLock: boolean;
  selfService: boolean;
}

/**
 * Reads the rules of these books, one row each by internal id; a book that the tenant does not have is not in the map.
 * Binding only inside the books' gates and in a statement after enterBookGate: then no rule changes until COMMIT.
 */
export async function readBooksForDecision(
  db: Queryable,
  tenantId: number,
  bookKeys: readonly BookKey[],
): Promise<Map<BookKey, BookRules>> {
  if (bookKeys.length === 0) return new Map();
  const answer = await db.query<BookRules>({
    name: 'read-books-for-decision',
    text: `select book_id as "bookKey", id as "bookId", status, starts_at as "startsAt", ends_at as "endsAt",
        max_codes_per_user as "maxCodesPerUser", max_redemptions_per_code as "maxRedemptionsPerCode",
        max_redemptions_per_user as "maxRedemptionsPerUser", max_redemptions as "maxRedemptions",
        lock_ttl_seconds as "lockTtlSeconds", require_lock as "requireLock", self_service as "selfService"
      from unnest($2::int[]) as asked (book)
      cross join lateral (select * from books where book_id = asked.book offset 0) as b
      where tenant_id = $1`,
    values: [tenantId, bookKeys],
  });
  return new Map(answer.rows.map((book) => [book.bookKey, book]));
}
