import type { Core } from '../../core.ts';
import type { Queryable } from '../../db/pool.ts';
import { type EventReference, idOfEvent } from '../delivery-row.ts';
import { signedHeaders } from '../sign-message.ts';
import { readSigningKeys } from '../webhook-secrets.ts';
import { bodyOf, buildData } from './build-messages.ts';
import type { Due, Endpoint, Outgoing } from './endpoint.ts';
import { readDue } from './read-due.ts';

type OutgoingCore = Pick<Core, 'backgroundPool' | 'clock' | 'config'>;

/** What of a webhook goes into its messages. */
interface Target {
  id: string;
  tenantUuid: string;
  url: string;
  status: string;
}

/** What an endpoint is to be sent next. */
export interface NextOutgoing {
  outgoing: Outgoing[];
  /** What is due and can't be told any more. */
  gone: Due[];
}

/**
 * Reads what an endpoint is to be sent next, signed. Address, state and secrets are those of this moment.
 * @returns null where nothing may be sent by this process: it was disabled, or this process can't open its secrets
 */
export async function readOutgoing(
  core: OutgoingCore,
  endpoint: Endpoint,
  sending: readonly number[],
  most: number,
): Promise<NextOutgoing | null> {
  const { backgroundPool: db, config, clock } = core;
  const target = await readTarget(db, endpoint);
  if (target === null || target.status !== 'enabled') return null;
  const keys = await readSigningKeys(db, config, endpoint.tenantId, endpoint.webhookKey);
  if (keys === null) return null;
  const due = await readDue(db, endpoint, sending, most);
  const data = await buildData(db, endpoint.tenantId, target.id, due);
  const timestamp = Math.floor(clock.now() / 1_000);
  const outgoing = due.flatMap((each): Outgoing[] => {
    const told = data.get(each.deliveryKey);
    if (told === undefined) return [];
    const body = bodyOf(each, told);
    const id = idOfEvent(target.tenantUuid, each satisfies EventReference);
    const headers = { ...fixedHeaders, ...signedHeaders({ id, timestamp, body }, keys) };
    return [{ deliveryKey: each.deliveryKey, attempts: each.attempts, url: target.url, headers, body }];
  });
  return { outgoing, gone: due.filter(({ deliveryKey }) => !data.has(deliveryKey)) };
}

const fixedHeaders = { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'Qurable-Webhooks/1' };

async function readTarget(db: Queryable, endpoint: Endpoint): Promise<Target | null> {
  const { rows } = await db.query<Target>({
    name: 'read-webhook-target',
    text: `select w.id, t.id as "tenantUuid", url, status from webhooks w join tenants t on t.tenant_id = w.tenant_id
      where w.tenant_id = $1 and webhook_id = $2`,
    values: [endpoint.tenantId, endpoint.webhookKey],
  });
  return rows[0] ?? null;
}
