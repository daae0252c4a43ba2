import { type Static, Type } from 'typebox';
import { Id, nullable, oneOf, shown, Time } from '../input/shapes.ts';
import { type EventType, eventTypeOf } from './event-types.ts';
import { WebhookStatus, webhookFields } from './webhook-input.ts';

const fields = {
  id: Id,
  ...shown(webhookFields),
  status: WebhookStatus,
  disabledReason: nullable(
    oneOf(['by-admin', 'failing', 'gone'], {
      description: '`failing`: nothing but failures for five days. `gone`: it answered 410. Null while it is enabled.',
    }),
  ),
  failingSince: nullable({
    ...Time,
    description: 'The first failure since the last success. Null: the last one succeeded.',
  }),
  replayMissed: nullable(
    Type.Object(
      {
        from: { ...Time, description: 'The first moment.' },
        to: { ...Time, description: 'The moment after the last one.' },
      },
      {
        description:
          'A replay came to this span when its months were not in the database any more: if there were events, they had left it, and none was sent. It is said until a replay of all of it is accepted, which takes that they were brought back. Null: no replay missed any.',
      },
    ),
  ),
  createdAt: Time,
  updatedAt: Time,
};

/** A webhook as callers see it, without its secret. */
export const WebhookDocument = Type.Object(fields);
export type WebhookDocument = Static<typeof WebhookDocument>;

/** A webhook with a secret that was just made. */
export const WebhookWithSecret = Type.Object({
  ...fields,
  secret: Type.Optional(
    Type.String({
      description: 'Signs what is sent. Shown this once; a replayed request leaves it out.',
      examples: ['whsec_…'],
    }),
  ),
});
export type WebhookWithSecret = Static<typeof WebhookWithSecret>;

/** A webhook's row, as webhookColumns reads it. */
export interface WebhookRow
  extends Omit<WebhookDocument, 'events' | 'failingSince' | 'replayMissed' | 'createdAt' | 'updatedAt'> {
  webhookKey: number;
  types: number[];
  failingSince: Date | null;
  missedFrom: Date | null;
  missedUntil: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

/** The columns of webhooks that make a WebhookRow. */
export const webhookColumns = `webhook_id as "webhookKey", id, url, types, description, status,
  disabled_reason as "disabledReason", failing_since as "failingSince", missed_from as "missedFrom", missed_until as "missedUntil",
  created_at as "createdAt", updated_at as "updatedAt"`;

/** A row as callers see it. */
export function webhookDocument(row: WebhookRow): WebhookDocument {
  const { id, url, description, status, disabledReason, missedFrom, missedUntil } = row;
  return {
    id,
    url,
    events: row.types.map(eventTypeOf) as Exclude<EventType, 'webhook.test'>[],
    description,
    status,
    disabledReason,
    failingSince: row.failingSince?.toISOString() ?? null,
    replayMissed:
      missedFrom === null || missedUntil === null
        ? null
        : { from: missedFrom.toISOString(), to: missedUntil.toISOString() },
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}
