import { type Static, Type } from 'typebox';
import type { Config } from '../config.ts';
import { invalidInput } from '../errors.ts';
import { Fault } from '../input/field-rules.ts';
import { givenTime, nullable, oneOf, optional, strictObject } from '../input/shapes.ts';
import { readTime } from '../input/time-rules.ts';
import { limits } from '../limits.ts';
import { targetUrlProblem } from '../outbound/target-url.ts';
import { subscribableTypes } from './event-types.ts';

/** What callers set of a webhook, beside its status: requests are checked by it, and answers show it. */
export const webhookFields = {
  url: Type.String({
    minLength: 1,
    maxLength: 2_048,
    description: 'Where events are sent to: an `https://` URL that leads to a public address.',
    examples: ['https://shop.example/webhooks/qurable'],
  }),
  events: Type.Array(oneOf(subscribableTypes), {
    minItems: 1,
    maxItems: subscribableTypes.length,
    uniqueItems: true,
    description: 'Of what it is told.',
    examples: [['coupon.redeemed', 'book.low-stock']],
  }),
  description: nullable(
    Type.String({ maxLength: limits.descriptionMaxChars, description: 'For people.', examples: ['Till system'] }),
  ),
};

/** Whether a webhook is sent events. */
export const WebhookStatus = oneOf(['enabled', 'disabled'], {
  description:
    '`disabled`: nothing is sent. An operator does it, or an endpoint that failed for five days, or said 410.',
  examples: ['enabled'],
});
export type WebhookStatus = Static<typeof WebhookStatus>;

/** What makes a webhook. */
export const WebhookInput = strictObject(
  { ...webhookFields, ...optional({ description: webhookFields.description }) },
  { examples: [{ url: 'https://shop.example/webhooks/qurable', events: ['coupon.redeemed', 'book.low-stock'] }] },
);
export type WebhookInput = Static<typeof WebhookInput>;

/** What of a webhook may be changed. */
export const WebhookPatch = strictObject(optional({ ...webhookFields, status: WebhookStatus }), {
  examples: [{ status: 'enabled' }],
});
export type WebhookPatch = Static<typeof WebhookPatch>;

const bound = (what: string) => givenTime(`${what} RFC 3339.`, '2026-11-27T00:00:00Z');

/** Which events to send again. */
export const ReplayInput = strictObject(
  {
    from: bound('The first moment whose events are sent again.'),
    to: bound('The moment after the last one, at most now.'),
  },
  { examples: [{ from: '2026-11-27T00:00:00Z', to: '2026-11-28T00:00:00Z' }] },
);
export type ReplayInput = Static<typeof ReplayInput>;

/** @throws CouponError `invalid-input` naming `/url` */
export function checkTargetUrl(config: Pick<Config, 'webhookAllowLoopback'>, text: string): void {
  const problem = targetUrlProblem(text, config.webhookAllowLoopback);
  if (problem !== null) throw invalidInput('/url', problem);
}

/**
 * Reads a span of time, `[from, to)`.
 * @param now milliseconds since the Unix epoch
 * @throws CouponError `invalid-input` naming the field
 */
export function readReplaySpan(input: ReplayInput, now: number): { from: Date; to: Date } {
  const [from, to] = (['from', 'to'] as const).map((field) => {
    const time = readTime(input[field]);
    if (time instanceof Fault || !('instant' in time))
      throw invalidInput(`/${field}`, 'must be a time with an offset, such as 2026-11-27T00:00:00Z');
    return new Date(time.instant);
  }) as [Date, Date];
  if (to <= from) throw invalidInput('/to', 'must be after from');
  if (to.getTime() > now + limits.tokenMaxSecondsAhead * 1_000) throw invalidInput('/to', 'must not be in the future');
  return { from, to };
}
