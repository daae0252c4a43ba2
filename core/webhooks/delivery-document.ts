import { type Static, Type } from 'typebox';
import { nullable, oneOf, Time } from '../input/shapes.ts';
import { outboundErrors } from '../outbound/open-sender.ts';
import { EventType } from './event-types.ts';

/** What became of a delivery. */
export const DeliveryStatus = oneOf(['pending', 'delivered', 'failed'], {
  description: '`pending`: still to be sent, or again. `failed`: given up after ten attempts, or more than three days.',
  examples: ['delivered'],
});

/** Something that a webhook was told, or is to be. */
export const DeliveryDocument = Type.Object({
  id: Type.String({
    description: 'The header `webhook-id` of what is sent, the same for ever for one event.',
    examples: ['evt_0193a6f07c3e7b1a9d523f1f6f0c8a11'],
  }),
  type: EventType,
  status: DeliveryStatus,
  at: { ...Time, description: 'When it happened.' },
  createdAt: { ...Time, description: 'When it began to wait.' },
  replay: Type.Boolean({ description: 'Whether a replay asked for it.' }),
  attempts: Type.Integer({ minimum: 0, description: 'How often it was sent.', examples: [1] }),
  attemptedAt: nullable({ ...Time, description: 'When it was sent last.' }),
  nextAttemptAt: nullable({ ...Time, description: 'When it is due again. Null: never.' }),
  statusCode: nullable(Type.Integer({ description: 'Of the last answer; null where none came.', examples: [200] })),
  error: nullable(
    oneOf([...outboundErrors, 'too-old', 'event-removed'], {
      description:
        'Why no answer came the last time, or none was asked for. `too-old`: it waited behind an endpoint that did not live. `event-removed`: what it was about has left the database.',
    }),
  ),
  durationMillis: nullable(Type.Integer({ minimum: 0, description: 'How long the last answer took.', examples: [87] })),
});
export type DeliveryDocument = Static<typeof DeliveryDocument>;
