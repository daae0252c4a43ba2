import type { Place } from '../decks/place.ts';
import type { BookKey } from '../keys.ts';

/** Which redemptions are wanted; what is null wants all. */
export interface RedemptionsWanted {
  readonly bookKey: BookKey | null;
  readonly userId: string | null;
  readonly place: Place | null;
  readonly reference: string | null;
  /** The lowest id, as text: ids begin with the milliseconds of their redemption. */
  readonly fromId: string;
}

/**
 * SQL: whether a redemption `r` is wanted, by the values of wantedValues as the statement's first. The look-ups are by
 * whole keys; `offset 0` keeps PostgreSQL from making one list of a whole table out of one of them.
 */
export const isWanted = `($2::int is null or exists (
      select from decks where tenant_id = $1 and deck_id = r.deck_id and book_id = $2 offset 0))
    and ($3::text is null or exists (
      select from redeemers e cross join lateral (
        select user_id from holders where holder_id = e.holder_id and tenant_id = $1 limit 1) as h
      where e.tenant_id = $1 and e.deck_id = r.deck_id and e.pos = r.pos and e.at = r.at and e.redemption_id = r.id
        and h.user_id = $3 offset 0))
    and ($4::text is null or r.reference = $4)
    and ($5::int is null or (r.deck_id = $5 and r.pos = $6::bigint))`;

/** The first six values of a statement with isWanted. */
export function wantedValues(tenantId: number, { bookKey, userId, place, reference }: RedemptionsWanted): unknown[] {
  return [tenantId, bookKey, userId, reference, place?.deckKey ?? null, place?.pos ?? null];
}
