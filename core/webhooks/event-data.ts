import { type Static, Type } from 'typebox';
import { RedemptionView } from '../coupons/redemption-view.ts';
import { CouponView } from '../coupons/rules/coupon-view.ts';
import { Id, nullable, oneOf, Rev, Time } from '../input/shapes.ts';
import { EventType } from './event-types.ts';

const { id, seq, reference, metadata } = RedemptionView.properties;
const reason = nullable(Type.String({ description: 'What whoever did it wrote.' }));
const userOrNull = nullable(Type.String({ description: 'Null once that user was erased.', examples: ['u-1'] }));

/** What is told of a coupon: how it was right after the event, and what the event adds. */
export const CouponEventData = Type.Object({
  ...CouponView.properties,
  actor: Type.String({ description: 'Who did it, as in the coupon’s events.', examples: ['customer'] }),
  redemption: Type.Optional(
    Type.Object({ id, seq, reference, metadata }, { description: 'With `coupon.redeemed` and `coupon.reversed`.' }),
  ),
  reason: Type.Optional(reason),
  fromUserId: Type.Optional({
    ...userOrNull,
    description: 'With `coupon.transferred`. Null once that user was erased.',
  }),
});
export type CouponEventData = Static<typeof CouponEventData>;

/** What is told of a book. */
export const BookEventData = Type.Object({
  bookId: Id,
  name: Type.String({ description: 'Its name when this was sent.', examples: ['Summer'] }),
  status: Type.Optional(
    oneOf(['active', 'paused', 'closed'], { description: 'With `book.opened`, `paused`, `closed`.' }),
  ),
  rev: Type.Optional({ ...Rev, description: 'The book’s revision, with the same types.' }),
  codes: Type.Optional(Type.Integer({ minimum: 0, description: 'With `book.low-stock` and `book.exhausted`.' })),
  available: Type.Optional(Type.Integer({ minimum: 0, description: 'Of them, those that can still be assigned.' })),
});
export type BookEventData = Static<typeof BookEventData>;

/** What is told of a job that has ended. */
export const JobEventData = Type.Object({
  jobId: Id,
  kind: Type.String({ examples: ['assign'] }),
  status: Type.String({ description: '`done`, `failed` or `cancelled`.', examples: ['done'] }),
  total: nullable(Type.Integer({ minimum: 0 })),
  done: Type.Integer({ minimum: 0 }),
  refused: Type.Integer({ minimum: 0 }),
});
export type JobEventData = Static<typeof JobEventData>;

/** What is told of a test: which webhook it was for. */
export const TestEventData = Type.Object({ webhookId: Id });
export type TestEventData = Static<typeof TestEventData>;

/** Everything that may be told. */
export type EventData = CouponEventData | BookEventData | JobEventData | TestEventData;

/** The body of what is sent. */
export const WebhookEvent = Type.Object({
  type: EventType,
  timestamp: { ...Time, description: 'When it happened.' },
  data: Type.Unsafe<EventData>({
    type: 'object',
    additionalProperties: true,
    description: 'By type: a CouponEventData, BookEventData, JobEventData or TestEventData.',
  }),
});
export type WebhookEvent = Static<typeof WebhookEvent>;
