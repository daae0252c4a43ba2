import type { FieldName } from '../calls/problem.ts';
import { messages } from '../messages/messages.ts';

/**
 * What the fields that the API names are called in the console's forms, in the language in use; in the order in which
 * forms have them, which no two forms have otherwise.
 */
export function fieldLabels(): Record<FieldName, string> {
  const { terms, decks, keys, webhooks, code, redemptions } = messages();
  return {
    name: terms.name.label,
    url: webhooks.url.label,
    description: terms.description.label,
    events: webhooks.events,
    publicCode: terms.publicCode.label,
    timeZone: terms.timeZone.label,
    startsAt: terms.startsAt.label,
    endsAt: terms.endsAt.label,
    validForDays: terms.validForDays.label,
    maxCodesPerUser: terms.maxCodesPerUser.label,
    maxRedemptionsPerCode: terms.maxRedemptionsPerCode.label,
    maxRedemptionsPerUser: terms.maxRedemptionsPerUser.label,
    maxRedemptions: terms.maxRedemptions.label,
    lockTtlSeconds: terms.lockTtlSeconds.label,
    count: decks.count.label,
    pattern: decks.pattern.label,
    bookId: redemptions.book,
    userId: redemptions.user,
    code: redemptions.code,
    reference: redemptions.reference,
    from: redemptions.from,
    to: redemptions.to,
    reason: code.reason.label,
    expiresAt: keys.expiresAt.label,
  };
}
