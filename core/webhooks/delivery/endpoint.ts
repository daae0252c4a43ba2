import type { DeliveryDocument } from '../delivery-document.ts';
import type { EventReference } from '../delivery-row.ts';
import type { DisableReason } from '../retry-rules.ts';

/** An endpoint that this process serves, by a lease in the database. */
export interface Endpoint {
  readonly tenantId: number;
  readonly webhookKey: number;
  /** The lease's number: writes under an earlier one change nothing. */
  readonly fence: number;
  /** When the lease ends at the latest, by this process's own monotonic clock, read before it was asked for. */
  leaseEndsAt: number;
  /** Failures in a row, with those that are not recorded yet. */
  failures: number;
  /** Since when it has failed, by the monotonic clock; null: the last request succeeded. */
  failingSince: number | null;
  /** How many requests it may have in flight. */
  window: number;
  /** How long it is sent nothing, from the moment at which this is recorded; null: sending goes on. */
  pauseMillis: number | null;
  /** Why it is to be disabled; null: it is not. */
  disable: DisableReason | null;
  /** What is read and not sent yet, and when it was read. */
  waiting: Outgoing[];
  readAt: number;
  inFlight: number;
  results: Result[];
}

/** A delivery that is about to be sent. */
export interface Outgoing {
  deliveryKey: number;
  attempts: number;
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What came of a delivery. */
export interface Result {
  deliveryKey: number;
  status: DeliveryDocument['status'];
  /** Until when it rests, for one that is pending. */
  pauseMillis: number;
  statusCode: number | null;
  error: string | null;
  millis: number | null;
}

/** A delivery that is due. */
export interface Due extends EventReference {
  deliveryKey: number;
  attempts: number;
  at: Date;
}
