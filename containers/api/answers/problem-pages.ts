import { type ErrorKind, errorKinds } from '../../../core/index.ts';

/** What each kind means and how to go on, for the developer who follows a problem's `type`. */
export const problemTexts: Record<ErrorKind, { meaning: string; remedy: string }> = {
  'invalid-input': {
    meaning: 'The body, a parameter or a header is not valid for this address. Nothing was changed.',
    remedy:
      'Each entry of errors names a field and says how to correct it. Correct all of them and send the request again.',
  },
  unauthenticated: {
    meaning: 'The request carries no credentials, or they are unknown, malformed, expired or revoked.',
    remedy:
      'Send Authorization: Bearer with an API key or a JWT that is still valid. If the signature of the JWT is good, the WWW-Authenticate header says what else is wrong with it. Otherwise the operator’s log does, under the X-Request-Id.',
  },
  forbidden: {
    meaning: 'The credentials are valid, but their role may not do this, or a customer named another user.',
    remedy: 'Use credentials with a role that may do it. A customer can act for its own sub only.',
  },
  'not-found': {
    meaning: 'There is no route and no resource at this address.',
    remedy: 'Compare the path with the API’s documentation at /docs.',
  },
  'book-not-found': {
    meaning: 'The tenant has no book with this id.',
    remedy: 'List the books to find the id. Credentials see only the books of their own tenant.',
  },
  'deck-not-found': {
    meaning: 'The book has no deck with this id.',
    remedy: 'List the decks of the book to find the id.',
  },
  'coupon-not-found': {
    meaning:
      'There is no such coupon. A customer gets this answer also for a code that is void or belongs to another user.',
    remedy: 'Check the code for typing errors.',
  },
  'redemption-not-found': {
    meaning: 'The tenant has no redemption with this id.',
    remedy: 'Use the redemption.id from the answer to the redeem.',
  },
  'method-not-allowed': {
    meaning: 'The address exists, but does not take this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  'book-not-active': {
    meaning: 'The book is a draft, paused or closed. (Only a closed book refuses new codes.)',
    remedy: 'Set the book to active, or wait until its owner does. A closed book stays closed.',
  },
  'book-outside-window': {
    meaning: 'The book has not started yet, or has ended.',
    remedy: 'Try again within the book’s time, or ask an admin to change startsAt or endsAt.',
  },
  'coupon-expired': {
    meaning: 'The coupon’s own time is over: its book lets a coupon be used for some days after its assignment.',
    remedy: 'Assign the user another code. The time of a coupon that is assigned can’t be changed.',
  },
  'no-codes-left': {
    meaning: 'All codes of the book have been assigned or are void.',
    remedy: 'Generate or upload more codes for the book.',
  },
  'user-limit-reached': {
    meaning: 'The user already has as many codes or redemptions as the book allows for one user.',
    remedy:
      'You can do nothing, unless the book’s limit is raised, or a coupon of the user is voided or a redemption reversed.',
  },
  'redemption-limit-reached': {
    meaning: 'The book already has as many redemptions as it allows. A lock reserves none of them.',
    remedy: 'You can do nothing, unless the book’s limit is raised or a redemption is reversed.',
  },
  'code-already-assigned': {
    meaning: 'The code already belongs to a user; for a transfer: to the very user who is to get it.',
    remedy: 'Assign another code, or let the book draw one. After a transfer’s refusal there is nothing to do.',
  },
  'code-already-redeemed': {
    meaning: 'The coupon has no redemption left.',
    remedy: 'You can do nothing, unless a redemption is reversed.',
  },
  'code-locked': {
    meaning: 'The coupon is locked, and the request has not the current token of the lock.',
    remedy: 'Send the token of the lock as lockToken, or try again after Retry-After seconds.',
  },
  'lock-required': {
    meaning: 'The book requires a lock before a redemption, and the request has no token.',
    remedy: 'Lock the coupon, then redeem with the lockToken.',
  },
  'lock-expired': {
    meaning: 'The request has a lock token, but there is no lock: it expired, was released, or never existed.',
    remedy: 'Lock the coupon again and use the new token.',
  },
  'coupon-void': {
    meaning: 'The coupon was voided. That is final.',
    remedy: 'Assign the user another code.',
  },
  'held-by-another-user': {
    meaning: 'The coupon belongs to another user than the one in userId.',
    remedy: 'Check userId and the code.',
  },
  conflict: {
    meaning: 'The request conflicts with an existing code, public code, pattern or slug, or with the present state.',
    remedy:
      'The member reason says what the conflict is, and detail says more. With already-reversed there is nothing to do: the redemption has been reversed before. With public-code, name a coupon by its own code: many users may hold one for the public code.',
  },
  'revision-mismatch': {
    meaning: 'The book has changed since the revision in If-Match.',
    remedy: 'Read the book again, apply your change to it, and send its new revision.',
  },
  'body-too-large': {
    meaning: 'The body is larger than this address allows. Nothing was changed.',
    remedy: 'Send less in one request.',
  },
  'unsupported-media-type': {
    meaning: 'The Content-Type is missing or not supported at this address.',
    remedy: 'Send application/json. An upload of codes may also be text/csv or application/x-ndjson.',
  },
  'idempotency-key-reused': {
    meaning: 'The Idempotency-Key was used before with another body or at another address.',
    remedy: 'Use a new key for each new request, and the same key only to repeat one.',
  },
  'pattern-too-small': {
    meaning: 'The pattern has fewer combinations than codes asked for, or so few that codes could be guessed.',
    remedy: 'Add # symbols to the pattern, or ask for fewer codes.',
  },
  'rate-limited': {
    meaning: 'Too many requests, or too many codes that do not exist.',
    remedy: 'Slow down, and try again after Retry-After seconds.',
  },
  internal: {
    meaning: 'The service failed. The failure has been logged with the request’s id.',
    remedy: 'Repeat the request with the same Idempotency-Key. If it fails again, tell the operator the X-Request-Id.',
  },
  unavailable: {
    meaning:
      'The service is overloaded, is shutting down or has lost its database, or another request holds something that this one needs for longer than usual.',
    remedy:
      'Repeat the request with the same Idempotency-Key after Retry-After seconds. If outcome is “not-begun”, nothing was done, and you may give up, unless an earlier attempt with this key ended differently. If outcome is “unknown”, the request may have been carried out. Only a repeat with the same key can tell, so do not give up and do not use another key before a repeat has.',
  },
};

/** The page about a kind of problem. */
export function problemPage(kind: ErrorKind): string {
  const { status, title } = errorKinds[kind];
  const { meaning, remedy } = problemTexts[kind];
  return page(
    kind,
    `<h1>${kind}</h1><p>HTTP ${status} · ${title}</p><h2>What it means</h2><p>${meaning}</p>` +
      `<h2>What to do</h2><p>${remedy}</p><p><a href="/problems">All kinds</a></p>`,
  );
}

/** The list of all kinds. */
export function problemIndex(): string {
  const rows = Object.entries(errorKinds).map(
    ([kind, { status, title }]) => `<li><a href="/problems/${kind}">${kind}</a> (${status}): ${title}</li>`,
  );
  return page('Problems', `<h1>Problems</h1><ul>${rows.join('')}</ul>`);
}

function page(title: string, body: string): string {
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>` +
    `<meta name="viewport" content="width=device-width"></head><body>${body}</body></html>`
  );
}
