import type { Outcome } from '../caller.ts';
import { type ColdCore, inColdTransaction } from '../db/cold-transaction.ts';
import { refusalOfConstraint } from '../db/constraints.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse, unavailable } from '../errors.ts';
import { limits } from '../limits.ts';
import type { KeyedRequest } from './key-hash.ts';

interface StoredReply<T> {
  fingerprint: number;
  reply: T | null;
}

/**
 * Does `work` once for an idempotency key, in one transaction with the key's row and the stored reply: either all of it
 * is there afterwards or nothing. A second request with the same key, at the same time and from any process, waits for
 * the first one (as inColdTransaction waits for locks) and gets its reply. A refusal rolls everything back, the key
 * included, so that the key may be used again. Replies are kept for limits.idempotencyKeptHours at least.
 *
 * What may be refused without the database is refused before this is called: the contract names `invalid-input` before
 * trouble with the key, and that before everything that `work` finds out.
 * @param request null: there is no key, and `work` is done each time
 * @param status the success's HTTP status, 200 to 299, which is kept beside the reply
 * @param work may run several times, each in a transaction of its own, and so has no other effects
 * @param stored what a replay may show of the body, where that is less than all of it (a secret is shown once)
 * @throws CouponError `idempotency-key-reused` for another request under the same key, that of a coupon's change
 *   included; what `work` throws; the refusal for a violated constraint that has one
 */
export async function runOnce<T extends object>(
  core: ColdCore,
  tenantId: number,
  request: KeyedRequest | null,
  status: number,
  work: (tx: Transaction) => Promise<T>,
  stored: (body: T) => object = (body) => body,
): Promise<Outcome<T>> {
  const once = async (tx: Transaction): Promise<Outcome<T>> => {
    if (request === null) return { body: await work(tx), replayed: false };
    if (!(await claimKey(tx, tenantId, request, status))) {
      return { body: await readReply<T>(tx, tenantId, request), replayed: true };
    }
    const body = await work(tx);
    await tx.query({
      name: 'store-idempotent-reply',
      text: 'update idempotency set reply = $3::jsonb where tenant_id = $1 and key_hash = $2',
      values: [tenantId, request.keyHash, JSON.stringify(stored(body))],
    });
    return { body, replayed: false };
  };
  try {
    return await inColdTransaction(core, tenantId, once);
  } catch (error) {
    throw refusalOfConstraint(error) ?? error;
  }
}

/**
 * Whether this transaction is the first to use the key. It waits for another transaction that has inserted the key and
 * not ended yet.
 */
async function claimKey(tx: Transaction, tenantId: number, request: KeyedRequest, status: number): Promise<boolean> {
  const answer = await tx.query({
    name: 'claim-idempotency-key',
    text: `insert into idempotency (tenant_id, key_hash, fingerprint, status, kept_until)
      values ($1, $2, $3, $4, clock_timestamp() + make_interval(hours => $5::int))
      on conflict (tenant_id, key_hash) do nothing`,
    values: [tenantId, request.keyHash, request.fingerprint, status, limits.idempotencyKeptHours],
  });
  return answer.rowCount === 1;
}

async function readReply<T>(tx: Transaction, tenantId: number, request: KeyedRequest): Promise<T> {
  const answer = await tx.query<StoredReply<T>>({
    name: 'read-idempotent-reply',
    text: 'select fingerprint, reply from idempotency where tenant_id = $1 and key_hash = $2',
    values: [tenantId, request.keyHash],
  });
  const row = answer.rows[0];
  if (row === undefined) {
    // Between the two statements the key expired and was removed.
    throw unavailable('not-begun', 'The idempotency key has just run out. Repeat the request.');
  }
  if (row.fingerprint !== request.fingerprint || row.reply === null) {
    throw refuse(
      'idempotency-key-reused',
      'This Idempotency-Key was used for another request. Use a new key for each new request.',
    );
  }
  return row.reply;
}
