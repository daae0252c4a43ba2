import { type Static, Type } from 'typebox';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { Time } from '../input/shapes.ts';
import { findWebhook } from './find-webhook.ts';
import { refuseDisabled } from './test-webhook.ts';
import { type ReplayInput, readReplaySpan } from './webhook-input.ts';

/** A replay that was asked for. */
export const ReplayDocument = Type.Object({
  from: { ...Time, description: 'The first moment whose events are sent again.' },
  to: { ...Time, description: 'The moment after the last one.' },
});
export type ReplayDocument = Static<typeof ReplayDocument>;

/**
 * Sends again what happened to coupons and books in a span of time and the webhook wants to be told of, whether it was
 * sent before or not, under the ids of the first time. It is done in the background, no faster than the endpoint takes
 * it.
 * @throws CouponError `invalid-input` naming the field; `not-found`; `idempotency-key-reused`; `conflict` where the
 *   webhook is disabled, or events of the span have left the database
 */
export async function replayWebhook(
  core: ColdCore & Pick<Core, 'clock'>,
  caller: Caller,
  id: string,
  input: ReplayInput,
  keyed: KeyedRequest | null,
): Promise<Outcome<ReplayDocument>> {
  const { from, to } = readReplaySpan(input, core.clock.now());
  const { tenantId } = caller;
  const replay = async (tx: Transaction): Promise<ReplayDocument> => {
    const webhook = await findWebhook(tx, tenantId, id, 'locked');
    refuseDisabled(webhook);
    await refuseRemovedEvents(tx, tenantId, from, to);
    await tx.query({
      name: 'insert-replay',
      text: 'insert into webhook_replays (tenant_id, webhook_id, read_until, ends_at) values ($1, $2, $3, $4)',
      values: [tenantId, webhook.webhookKey, from, to],
    });
    return { from: from.toISOString(), to: to.toISOString() };
  };
  return runOnce(core, tenantId, keyed, 202, replay);
}

/**
 * Events of a month leave the database with their partition. Since the tenant was made each month has had one, and one
 * that is missing has been removed.
 */
async function refuseRemovedEvents(tx: Transaction, tenantId: number, from: Date, to: Date): Promise<void> {
  const { rows } = await tx.query<{ month: string }>({
    name: 'find-removed-events',
    text: `select to_char(month, 'YYYY-MM') as month
      from tenants t cross join generate_series(
        date_trunc('month', greatest($2::timestamptz, t.created_at) at time zone 'UTC'),
        ($3::timestamptz at time zone 'UTC') - interval '1 microsecond', interval '1 month') as month
      where t.tenant_id = $1 and to_regclass('events_' || to_char(month, 'YYYY_MM')) is null
        and not exists (
          select from events_default where tenant_id = $1 and at >= month at time zone 'UTC'
            and at < (month + interval '1 month') at time zone 'UTC')
      order by 1 desc limit 1`,
    values: [tenantId, from, to],
  });
  const gone = rows[0];
  if (gone === undefined) return;
  const detail = `The events of ${gone.month} have left the database. Begin after that month, or have whoever runs the installation bring it back (npm run import-events).`;
  throw refuse('conflict', detail, { reason: 'events-removed' });
}
