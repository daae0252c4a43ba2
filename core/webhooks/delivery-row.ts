import type { DeliveryDocument } from './delivery-document.ts';
import { eventTypeOf } from './event-types.ts';
import { messageId } from './sign-message.ts';

/** What a delivery is about: a reference. The migration says what part, pos and rev are for each subject. */
export interface EventReference {
  subject: number;
  part: number;
  pos: number;
  rev: number;
  type: number;
}

/** A delivery's row with the public id of its tenant, as deliveryColumns reads it. */
export interface DeliveryRow extends EventReference {
  deliveryKey: number;
  tenantUuid: string;
  at: Date;
  createdAt: Date;
  nextAt: Date | null;
  attemptedAt: Date | null;
  attempts: number;
  isReplay: boolean;
  status: DeliveryDocument['status'];
  statusCode: number | null;
  error: DeliveryDocument['error'];
  millis: number | null;
}

/** The columns of webhook_deliveries `d` and tenants `t` that make a DeliveryRow. */
export const deliveryColumns = `d.delivery_id as "deliveryKey", t.id as "tenantUuid", d.subject, d.part, d.pos, d.rev, d.type,
  d.at, d.created_at as "createdAt", d.next_at as "nextAt", d.attempted_at as "attemptedAt", d.attempts,
  d.is_replay as "isReplay", d.status, d.status_code as "statusCode", d.error, d.millis`;

/**
 * The id of what is sent about something. It depends on nothing but what happened, so that a replay has the same.
 * @param tenantUuid the tenant's public id: a hash of small numbers alone could be guessed back
 */
export function idOfEvent(tenantUuid: string, { subject, part, pos, rev, type }: EventReference): string {
  return messageId([tenantUuid, subject, part, pos, rev, type].join(' '));
}

/** A row as callers see it. */
export function deliveryDocument(row: DeliveryRow): DeliveryDocument {
  return {
    id: idOfEvent(row.tenantUuid, row),
    type: eventTypeOf(row.type),
    status: row.status,
    at: row.at.toISOString(),
    createdAt: row.createdAt.toISOString(),
    replay: row.isReplay,
    attempts: row.attempts,
    attemptedAt: row.attemptedAt?.toISOString() ?? null,
    nextAttemptAt: row.nextAt?.toISOString() ?? null,
    statusCode: row.statusCode,
    error: row.error,
    durationMillis: row.millis,
  };
}
