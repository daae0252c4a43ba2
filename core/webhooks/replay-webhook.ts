import { type Static, Type } from 'typebox';
import type { Caller, Outcome } from '../caller.ts';
import type { Core } from '../core.ts';
import type { ColdCore } from '../db/cold-transaction.ts';
import type { Transaction } from '../db/transaction.ts';
import { refuse } from '../errors.ts';
import type { KeyedRequest } from '../idempotency/key-hash.ts';
import { runOnce } from '../idempotency/run-once.ts';
import { Time } from '../input/shapes.ts';
import { findRemovedMonths } from './find-removed-months.ts';
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
 * it. Events that leave the database before it comes to them are not sent, and the webhook says so (`replayMissed`).
 * @throws CouponError `invalid-input` naming the field; `not-found`; `idempotency-key-reused`; `conflict` where the
 *   webhook is disabled, or a month of the span has left the database
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
    await forgetMissed(tx, tenantId, webhook.webhookKey, from, to);
    return { from: from.toISOString(), to: to.toISOString() };
  };
  return runOnce(core, tenantId, keyed, 202, replay);
}

async function refuseRemovedEvents(tx: Transaction, tenantId: number, from: Date, to: Date): Promise<void> {
  const [gone] = await findRemovedMonths(tx, tenantId, from.toISOString(), to.toISOString());
  if (gone === undefined) return;
  const detail = `No events of ${gone.month} are in the database: if there were any, they have left it. Begin after that month, or have whoever runs the installation bring it back (npm run import-events).`;
  throw refuse('conflict', detail, { reason: 'events-removed' });
}

/** What an earlier replay has missed is no longer said once all of it is to be sent. */
async function forgetMissed(tx: Transaction, tenantId: number, webhookKey: number, from: Date, to: Date) {
  await tx.query({
    name: 'forget-missed',
    text: `update webhooks set missed_from = null, missed_until = null
      where tenant_id = $1 and webhook_id = $2 and missed_from >= $3 and missed_until <= $4`,
    values: [tenantId, webhookKey, from, to],
  });
}
