import type { FieldName } from '../calls/problem.ts';
import { messages } from '../messages/messages.ts';

/** What the fields that the API names are called in the console's forms, in the language in use. */
export function fieldLabels(): Record<FieldName, string> {
  const { terms, decks, keys, webhooks, code, redemptions } = messages();
  return {
    bookId: redemptions.book,
    code: redemptions.code,
    count: decks.count.label,
    description: terms.description.label,
    endsAt: terms.endsAt.label,
    events: webhooks.events,
    expiresAt: keys.expiresAt.label,
    from: redemptions.from,
    lockTtlSeconds: terms.lockTtlSeconds.label,
    maxCodesPerUser: terms.maxCodesPerUser.label,
    maxRedemptions: terms.maxRedemptions.label,
    maxRedemptionsPerCode: terms.maxRedemptionsPerCode.label,
    maxRedemptionsPerUser: terms.maxRedemptionsPerUser.label,
    name: terms.name.label,
    pattern: decks.pattern.label,
    publicCode: terms.publicCode.label,
    reason: code.reason.label,
    reference: redemptions.reference,
    startsAt: terms.startsAt.label,
    timeZone: terms.timeZone.label,
    to: redemptions.to,
    url: webhooks.url.label,
    userId: redemptions.user,
    validForDays: terms.validForDays.label,
  };
}
