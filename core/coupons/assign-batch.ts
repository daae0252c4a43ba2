import type { Caller, Outcome } from '../caller.ts';
import type { Queryable } from '../db/pool.ts';
import { isConnectionLoss, isTimeout } from '../db/sql-errors.ts';
import { CouponError, type Refusal, refuse, unavailable } from '../errors.ts';
import { derivedKeyHash, type KeyedRequest } from '../idempotency/key-hash.ts';
import { type AssignCore, assignCoupon } from './assign-coupon.ts';
import type { AssignBatchInput, AssignInput } from './coupon-inputs.ts';
import type { CouponView } from './rules/coupon-view.ts';

/** An item of the answer: the user's coupon, or why it got none. */
export type BatchResult = CouponView | { refusal: Refusal };

/** Items of one request under way at a time: enough to fill batches, few enough to leave room for others. */
const itemsAtOnce = 512;

/**
 * Assigns a random code to each of up to limits.assignBatchMaxUsers users. Each item is an assign of its own, with an
 * idempotency key derived from the request's: a request that broke off is repeated and goes on where it stopped. Once
 * it has come to its end, refusals are remembered too, and a repeat gets the same answer to the letter.
 * @param onAssigned told of each code that this call put into a user's hands, as soon as that is committed
 * @throws CouponError `book-not-found`, `idempotency-key-reused`, and `unavailable` when an item could not be decided
 */
export async function assignBatch(
  core: AssignCore & { pool: Queryable },
  caller: Caller,
  { bookId, userIds }: AssignBatchInput,
  whole: KeyedRequest | null = null,
  onAssigned: () => void = () => {},
): Promise<Outcome<{ results: BatchResult[] }>> {
  const exists = (await core.knownBooks.presentBookKeyOf(caller.tenantId, bookId)) !== null;
  // Trouble with the key is named before the missing book; but a request that is refused leaves its key free.
  if (whole !== null && exists) await claimWhole(core.pool, caller.tenantId, whole);
  const remembered = whole === null ? null : await recallWhole(core.pool, caller.tenantId, whole);
  if (!exists) throw refuse('book-not-found', 'There is no such book.');
  const results: BatchResult[] = [];
  let replayed = whole !== null;
  for (let from = 0; from < userIds.length; from += itemsAtOnce) {
    const slice = userIds.slice(from, from + itemsAtOnce);
    const outcomes = await allOrUnavailable(
      from,
      slice.map(async (userId, offset): Promise<Outcome<BatchResult>> => {
        const index = from + offset;
        const refusal = remembered?.[index];
        if (refusal !== undefined) return { body: { refusal }, replayed: true };
        const outcome = await assignItem(core, caller, { bookId, userId }, itemKey(whole, index));
        if (!outcome.replayed && !('refusal' in outcome.body)) onAssigned();
        return outcome;
      }),
    );
    for (const outcome of outcomes) {
      results.push(outcome.body);
      replayed &&= outcome.replayed;
    }
  }
  if (whole !== null && remembered === null) {
    await rememberRefusals(core.pool, caller.tenantId, whole, results).catch((error: unknown) => {
      throw isConnectionLoss(error) || isTimeout(error) ? partlyDone() : error;
    });
  }
  return { body: { results }, replayed };
}

/**
 * Waits for all items, since what is under way goes on whatever becomes of the others. Overload or a lost database is
 * the whole request's: it is repeated, and what was done is not done twice. `not-begun` is said only where nothing was.
 * @param before how many items are done already
 */
async function allOrUnavailable<T>(before: number, items: Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(items);
  const failures = settled.flatMap((item) => (item.status === 'rejected' ? [item.reason as unknown] : []));
  if (failures.length === 0) return settled.map((item) => (item as PromiseFulfilledResult<T>).value);
  const isNotBegun = (error: unknown) => error instanceof CouponError && error.refusal.outcome === 'not-begun';
  const first = failures.find((error) => !isNotBegun(error)) ?? failures[0];
  if (!isNotBegun(first) || (before === 0 && failures.length === items.length)) throw first;
  throw partlyDone();
}

function partlyDone(): CouponError {
  const detail = 'A part of the users may have got a coupon. Repeat the request with the same Idempotency-Key.';
  return unavailable('unknown', detail);
}

function itemKey(whole: KeyedRequest | null, index: number): KeyedRequest | null {
  return whole === null ? null : { keyHash: derivedKeyHash(whole, index), fingerprint: whole.fingerprint };
}

async function assignItem(
  core: AssignCore,
  caller: Caller,
  input: AssignInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<BatchResult>> {
  try {
    return await assignCoupon(core, caller, input, keyed);
  } catch (error) {
    if (!(error instanceof CouponError) || error.refusal.kind === 'unavailable') throw error;
    return { body: { refusal: error.refusal }, replayed: false };
  }
}

/** Refusals of a finished request by index; null when it has not come to its end. */
type Remembered = Record<number, Refusal> | null;

/** Takes the request's key, unless it was used before. */
async function claimWhole(db: Queryable, tenantId: number, whole: KeyedRequest): Promise<void> {
  await db.query({
    name: 'claim-batch-key',
    text: `insert into idempotency (tenant_id, key_hash, fingerprint, status) values ($1, $2, $3, 200)
      on conflict (tenant_id, key_hash) do nothing`,
    values: [tenantId, whole.keyHash, whole.fingerprint],
  });
}

/** What is remembered of the same request; throws where another one used the key. */
async function recallWhole(db: Queryable, tenantId: number, whole: KeyedRequest): Promise<Remembered> {
  const { rows } = await db.query<{ fingerprint: number; status: number | null; reply: Remembered }>({
    name: 'read-batch-key',
    text: 'select fingerprint, status, reply from idempotency where tenant_id = $1 and key_hash = $2',
    values: [tenantId, whole.keyHash],
  });
  const row = rows[0];
  if (row === undefined) return null;
  if (row.fingerprint !== whole.fingerprint) {
    throw refuse('idempotency-key-reused', 'This Idempotency-Key was used for another request. Use a new key.');
  }
  return row.reply;
}

/**
 * The first of two equal requests that comes to its end decides which refusals are remembered; but where the other one
 * got the user a coupon in the meantime, the coupon is what a repeat must answer with.
 */
async function rememberRefusals(
  db: Queryable,
  tenantId: number,
  whole: KeyedRequest,
  results: BatchResult[],
): Promise<void> {
  const entries = results.map((result, index) => [String(index), result] as const);
  const refusals = entries.flatMap(([index, result]) =>
    'refusal' in result ? [[index, result.refusal] as const] : [],
  );
  const assigned = entries.flatMap(([index, result]) => ('refusal' in result ? [] : [index]));
  await db.query({
    name: 'remember-batch-refusals',
    text: `update idempotency set reply = coalesce(reply, $3::jsonb) - $4::text[] where tenant_id = $1 and key_hash = $2`,
    values: [tenantId, whole.keyHash, JSON.stringify(Object.fromEntries(refusals)), assigned],
  });
}
