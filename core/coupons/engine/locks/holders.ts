import { plainArray } from '../../../db/array-text.ts';
import type { Transaction } from '../../../db/transaction.ts';
import type { Location } from '../../../decks/locate-codes.ts';
import { type Place, placeMapKey } from '../../../decks/place.ts';
import type { BookKey } from '../../../keys.ts';
import { limitedCoupons, locationArrays } from './limited-books.ts';

/** A holder that somebody else has locked, by the place of one of its coupons. */
export interface HeldHolder extends Place {
  readonly bookKey: BookKey;
  /** Null once the holder was erased. */
  readonly userId: string | null;
  readonly lockedBy: string;
}

/** Locks these holders, ascending. */
const lockText = (holders: string) => `with seen as materialized (${limitedCoupons}),
      locked as materialized (
        select from (select holder_id from (${holders}) as asked order by holder_id) as wanted
        cross join lateral (
          select from holders where tenant_id = $1 and holder_id = wanted.holder_id for no key update) as h)
      select deck_id as "deckKey", pos from seen where (select count(*) from locked) >= 0`;

const lockHoldersSql = lockText('select distinct holder_id from seen');
const lockHoldersAndRedeemersSql = lockText(`select holder_id from seen union
        select unnest(array[c.holder_id, r.redeemer])
        from unnest($5::int[], $6::bigint[], $7::bigint[]) as r (deck_id, pos, redeemer)
        cross join lateral (
          select holder_id from coupons where tenant_id = $1 and deck_id = r.deck_id and pos = r.pos limit 1) as c
        where c.holder_id <> r.redeemer`);

/**
 * Locks the holders of the coupons at these places whose books limit redemptions a user, ascending, and returns the
 * places of those coupons. A holder's redemptions are not stored but summed over its coupons: this lock is what makes
 * the sum exact, since every redeem in such a book takes it first. The holder of a coupon does not change inside the
 * book's gate, so it may be read before the coupon is locked. (What is locked is counted because PostgreSQL does not
 * run a part of a statement that nothing reads.)
 * @param reversed redemptions that are to be given back. Where their coupon has changed hands since, both the user who
 *   redeemed and the one who has it now are locked, whatever the book limits: what they carry is written
 */
export async function lockHolders(
  tx: Transaction,
  tenantId: number,
  locations: Location[],
  reversed: readonly ReversedPlace[] = [],
): Promise<Set<string>> {
  if (locations.length === 0) return new Set();
  const { rows } = await tx.query<Place>(
    reversed.length === 0
      ? {
          name: 'lock-holders',
          text: lockHoldersSql,
          values: [tenantId, ...locationArrays(locations)],
        }
      : {
          name: 'lock-holders-and-redeemers',
          text: lockHoldersAndRedeemersSql,
          values: [
            tenantId,
            ...locationArrays(locations),
            plainArray(reversed.map(({ deckKey }) => deckKey)),
            plainArray(reversed.map(({ pos }) => pos)),
            plainArray(reversed.map(({ redeemerId }) => redeemerId)),
          ],
        },
  );
  return new Set(rows.map(placeMapKey));
}

/** Where a redemption was made, and by which holder. */
export interface ReversedPlace extends Place {
  readonly redeemerId: number;
}

/**
 * Of the coupons at these places whose holder lockHolders would lock, those whose holder somebody else holds, and who
 * that is.
 */
export async function findHeldHolders(tx: Transaction, tenantId: number, locations: Location[]): Promise<HeldHolder[]> {
  if (locations.length === 0) return [];
  const { rows } = await tx.query<HeldHolder>({
    name: 'find-held-holders',
    text: `select seen.deck_id as "deckKey", seen.pos, h.book_id as "bookKey", h.user_id as "userId", h.xmax::text as "lockedBy"
      from (${limitedCoupons}) as seen
      cross join lateral (
        select book_id, user_id, xmax from holders where tenant_id = $1 and holder_id = seen.holder_id limit 1) as h
      where not exists (
        select from holders where tenant_id = $1 and holder_id = seen.holder_id for no key update skip locked)`,
    values: [tenantId, ...locationArrays(locations)],
  });
  return rows;
}
