import type { BookRules } from '../../books/read-book-rules.ts';
import { plainArray, textArray, uuidArray } from '../../db/array-text.ts';
import { ofTenant } from '../../db/of-tenant.ts';
import type { Transaction } from '../../db/transaction.ts';
import { placeMapKey } from '../../decks/place.ts';
import type { BookKey } from '../../keys.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { lockExpiryArray } from '../rules/lock-expiry.ts';
import type { PendingChange } from '../rules/recorded-change.ts';
import { stripeOf } from './locks/counters.ts';
import { writeEvents } from './write-events.ts';

/** What a batch of changes wants written. */
export interface ChangesToWrite {
  now: Date;
  books: Map<BookKey, BookRules>;
  /** In the order in which they were decided; several may be of one coupon. */
  pending: PendingChange[];
  /** A counter stripe drawn for this transaction. */
  stripe: number;
  /** The places whose coupons the transaction makes itself, and writes as the last of their changes leaves them. */
  made?: ReadonlySet<string>;
}

/**
 * Writes the changes of a batch. Every row it updates is locked or made by the transaction already, except counters of
 * books without a limit: those are taken after all other locks and ascending, so that no two transactions wait in a
 * circle.
 */
export function writeChanges(tx: Transaction, tenantId: number, changes: ChangesToWrite): void {
  if (changes.pending.length === 0) return;
  updateCoupons(tx, tenantId, changes);
  insertRedemptions(tx, tenantId, changes);
  markReversed(tx, tenantId, changes);
  addToCounters(tx, tenantId, changes);
  writeEvents(tx, tenantId, changes.now, changes.pending);
}

/** Each coupon as the last of its changes left it, by its place. */
export function lastOf(pending: readonly PendingChange[]): Map<string, CouponState> {
  return new Map(pending.map(({ change }) => [placeMapKey(change.next), change.next]));
}

const updateCouponsSql = `update coupons c set rev = n.rev, redemptions = n.redemptions, reversals = n.reversals, fence = n.fence,
        lock_expires_at = n.lock_expires_at, voided = n.voided
      from unnest($2::int[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::timestamptz[], $9::boolean[])
        as n (deck_id, pos, rev, redemptions, reversals, fence, lock_expires_at, voided)
      cross join lateral (
        select ctid from coupons where tenant_id = $1 and deck_id = n.deck_id and pos = n.pos limit 1) as place
      where c.ctid = place.ctid and c.${ofTenant}`;

/**
 * A row is written once, as its last change left it: an UPDATE that joins two rows to one keeps either. Each row is
 * looked up by its key and written where it lies, so that the plan does not depend on statistics (see lockCoupons).
 */
function updateCoupons(tx: Transaction, tenantId: number, { pending, made }: ChangesToWrite): void {
  const last = [...lastOf(pending)].flatMap(([place, next]) => (made?.has(place) ? [] : [next]));
  if (last.length === 0) return;
  tx.send({
    name: 'update-coupons',
    text: updateCouponsSql,
    values: [
      tenantId,
      plainArray(last.map((next) => next.deckKey)),
      plainArray(last.map((next) => next.pos)),
      plainArray(last.map((next) => next.rev)),
      plainArray(last.map((next) => next.redemptions)),
      plainArray(last.map((next) => next.reversals)),
      plainArray(last.map((next) => next.fence)),
      lockExpiryArray(last),
      plainArray(last.map((next) => next.voided)),
    ],
  });
}

function insertRedemptions(tx: Transaction, tenantId: number, { now, pending }: ChangesToWrite): void {
  const made = pending.flatMap(({ change: { redemption, next } }) =>
    redemption === null ? [] : [{ redemption, next }],
  );
  if (made.length === 0) return;
  tx.send({
    name: 'insert-redemptions',
    text: `insert into redemptions (tenant_id, at, id, deck_id, pos, seq, reference, metadata)
      select $1::int, $2::timestamptz, * from unnest($3::uuid[], $4::int[], $5::bigint[], $6::int[], $7::text[], $8::jsonb[])`,
    values: [
      tenantId,
      now,
      uuidArray(made.map(({ redemption }) => redemption.id)),
      plainArray(made.map(({ next }) => next.deckKey)),
      plainArray(made.map(({ next }) => next.pos)),
      plainArray(made.map(({ redemption }) => redemption.seq)),
      textArray(made.map(({ redemption }) => redemption.reference)),
      textArray(
        made.map(({ redemption }) => (redemption.metadata === null ? null : JSON.stringify(redemption.metadata))),
      ),
    ],
  });
}

const markReversedSql = `update redemptions r set reversed_at = $2
      from unnest($3::uuid[]) as n (id)
      cross join lateral (select ctid from redemptions where tenant_id = $1 and id = n.id limit 1) as place
      where r.ctid = place.ctid and r.${ofTenant}`;

function markReversed(tx: Transaction, tenantId: number, { now, pending }: ChangesToWrite): void {
  const ids = pending.flatMap(({ change }) => change.reversedRedemptionId ?? []);
  if (ids.length === 0) return;
  tx.send({
    name: 'mark-reversed',
    // Nothing else touches a redemption whose coupon is locked, save an erasure, which the book's gate keeps out.
    text: markReversedSql,
    values: [tenantId, now, uuidArray(ids)],
  });
}

/**
 * Not every row is locked before, so a row can't be named by its place, as in updateCoupons: one that another
 * transaction has just written would be passed over. The rows are there; ON CONFLICT finds them by their key, whatever
 * the plan.
 */
function addToCounters(tx: Transaction, tenantId: number, changes: ChangesToWrite): void {
  const sums = new Map<BookKey, { redemptions: number; voided: number }>();
  for (const { change } of changes.pending) {
    const sum = sums.get(change.next.bookKey) ?? { redemptions: 0, voided: 0 };
    if (change.kind === 'redeemed') sum.redemptions += 1;
    if (change.kind === 'reversed') sum.redemptions -= 1;
    // A code that nobody had is counted by its deck.
    if (change.kind === 'voided' && change.next.holderId !== null) sum.voided += 1;
    sums.set(change.next.bookKey, sum);
  }
  const counted = [...sums].filter(([, sum]) => sum.redemptions !== 0 || sum.voided !== 0).sort(([a], [b]) => a - b);
  if (counted.length === 0) return;
  tx.send({
    name: 'add-to-counters',
    text: `insert into book_counters as c (tenant_id, book_id, stripe, redemptions, voided)
      select $1::int, * from unnest($2::int[], $3::smallint[], $4::bigint[], $5::bigint[])
      on conflict (tenant_id, book_id, stripe)
        do update set redemptions = c.redemptions + excluded.redemptions, voided = c.voided + excluded.voided`,
    values: [
      tenantId,
      plainArray(counted.map(([bookKey]) => bookKey)),
      plainArray(counted.map(([bookKey]) => stripeOf(changes.books.get(bookKey)!, changes.stripe))),
      plainArray(counted.map(([, sum]) => sum.redemptions)),
      plainArray(counted.map(([, sum]) => sum.voided)),
    ],
  });
}
