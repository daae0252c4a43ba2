import { closeBookGate } from '../books/book-gate.ts';
import type { Caller } from '../caller.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import { ofTenant } from '../db/of-tenant.ts';
import type { Transaction } from '../db/transaction.ts';
import { eraseFromEndedJobs, eraseFromOpenJobs } from '../jobs/erase-from-jobs.ts';
import type { BookKey } from '../keys.ts';

/**
 * Erases a user's personal data from the caller's tenant: the user's id, and what callers wrote beside the user's
 * redemptions, voids and reversals. Coupons, redemptions and events stay, without a name, so that every count stays
 * true. Whether the user was known is not told, and erasing again is a success.
 *
 * The gates of the user's books are closed meanwhile: a redeem that had read the user's id before could otherwise
 * write a reference after the erasure had looked. Stored replies hold no user's data: an effect on a coupon is replayed
 * from its event and the holder's row; what is stored of a batch is its refusals, by number; and the cold calls that
 * store a reply (books, decks, keys, tenants, jobs) name no user. The user goes out of the files and results of jobs
 * too, and what a job was still to do for the user is not done. What a deck is called, and why it was voided, stays: it
 * is about codes that nobody has. The time it takes grows with the user's coupons; past
 * databaseLimits.statementTimeoutMillis nothing is erased.
 */
export async function eraseUser(core: ColdCore, caller: Caller, userId: string): Promise<void> {
  const { tenantId } = caller;
  const user = { tenantId, userId };
  await inColdTransaction(core, tenantId, async (tx) => {
    await eraseFromOpenJobs(tx, user);
    const bookKeys = await booksOf(tx, tenantId, userId);
    for (const bookKey of bookKeys) await closeBookGate(tx, tenantId, bookKey);
    const holderIds = await forgetHolders(tx, tenantId, userId, bookKeys);
    if (holderIds.length > 0) await emptyTexts(tx, tenantId, holderIds);
  });
  // Those that ended before; a step that ended a job meanwhile had its part in the transaction.
  await eraseFromEndedJobs(core.coldPool, user);
}

/** Ascending, the order in which everyone goes through several gates. */
async function booksOf(tx: Transaction, tenantId: number, userId: string): Promise<BookKey[]> {
  const answer = await tx.query<{ bookKey: BookKey }>({
    name: 'books-of-user',
    text: 'select book_id as "bookKey" from holders where tenant_id = $1 and user_id = $2 order by book_id',
    values: [tenantId, userId],
  });
  return answer.rows.map((row) => row.bookKey);
}

/** In the books whose gates are closed: what comes into another one meanwhile comes after the erasure. */
async function forgetHolders(
  tx: Transaction,
  tenantId: number,
  userId: string,
  bookKeys: BookKey[],
): Promise<number[]> {
  const answer = await tx.query<{ holderId: number }>({
    name: 'forget-holders',
    text: `update holders set user_id = null where tenant_id = $1 and user_id = $2 and book_id = any($3::int[])
      returning holder_id as "holderId"`,
    values: [tenantId, userId, bookKeys],
  });
  return answer.rows.map((row) => row.holderId);
}

/**
 * Found by the coupons that are or were in the user's hands; a redemption is named by its event, or by what is left of
 * it in `archived_redemptions`. Of a coupon that has passed through several hands, what was written beside the others'
 * redemptions stays. Reasons all go: the one of a transfer, or of a redemption given back later, may be about any of
 * them.
 */
async function emptyTexts(tx: Transaction, tenantId: number, holderIds: number[]): Promise<void> {
  const couponsOfHolders = `(
        select deck_id, pos from coupons where holder_id = any($2::bigint[]) and ${ofTenant}
        union
        select deck_id, pos from former_holders where holder_id = any($2::bigint[]) and ${ofTenant} offset 0) as c`;
  await tx.query({
    name: 'empty-redemption-texts',
    text: `update redemptions r set reference = null, metadata = null
      from (select distinct e.redemption_id from ${couponsOfHolders} cross join lateral (
          select redemption_id, holder_id from redeemers
          where tenant_id = $1 and deck_id = c.deck_id and pos = c.pos offset 0) as e
        where coalesce(e.holder_id = any($2::bigint[]), true)) found
      where r.tenant_id = $1 and r.id = found.redemption_id and (r.reference is not null or r.metadata is not null)`,
    values: [tenantId, holderIds],
  });
  await tx.query({
    name: 'empty-event-reasons',
    text: `update events target set reason = null
      from (select e.deck_id, e.pos, e.rev, e.at from ${couponsOfHolders} join events e
          on e.tenant_id = $1 and e.deck_id = c.deck_id and e.pos = c.pos
        where e.reason is not null) found
      where target.tenant_id = $1
        and (target.deck_id, target.pos, target.rev, target.at) = (found.deck_id, found.pos, found.rev, found.at)`,
    values: [tenantId, holderIds],
  });
}
