import { type ErrorKind, errorKinds } from '../../../core/index.ts';

/** What each kind means and how to go on, for the developer who follows a problem's `type`. */
export const problemTexts: Record<ErrorKind, { meaning: string; remedy: string }> = {
  'invalid-input': {
    meaning: 'The body, a parameter or a header is not what this address takes. Nothing was changed.',
    remedy: 'Each entry of errors names a field and how to mend it. Send the request again once all are mended.',
  },
  unauthenticated: {
    meaning: 'The request carries no credentials, or they are unknown, malformed, expired or revoked.',
    remedy:
      'Send Authorization: Bearer with an API key or a JWT that is still valid. For a well-signed JWT the WWW-Authenticate header says what is wrong with it; for others the operator’s log does, under the X-Request-Id.',
  },
  forbidden: {
    meaning: 'The credentials are good, but their role may not do this, or a customer named another user.',
    remedy: 'Use credentials whose role may do it; a customer acts for its own sub only.',
  },
  'not-found': {
    meaning: 'There is no route or thing at this address.',
    remedy: 'Compare the path with the API’s documentation at /docs.',
  },
  'book-not-found': {
    meaning: 'The tenant has no book with this id.',
    remedy: 'List the books to find the id; credentials see the books of their own tenant only.',
  },
  'deck-not-found': {
    meaning: 'The book has no deck with this id.',
    remedy: 'List the decks of the book to find the id.',
  },
  'coupon-not-found': {
    meaning: 'There is no such coupon. A customer gets this too where a code is void or in another user’s hands.',
    remedy: 'Check the code for typing errors.',
  },
  'redemption-not-found': {
    meaning: 'The tenant has no redemption with this id.',
    remedy: 'Use the redemption.id that the redeem answered with.',
  },
  'method-not-allowed': {
    meaning: 'The address exists, but does not take this method.',
    remedy: 'Use one of the methods in the Allow header.',
  },
  'book-not-active': {
    meaning: 'The book is a draft, paused or closed. (Codes are refused by closed books alone.)',
    remedy: 'Make the book active, or wait until its owner does. A closed book stays closed.',
  },
  'book-outside-window': {
    meaning: 'The book’s window of time has not begun, or is over.',
    remedy: 'Come back within the window, or let an admin change startsAt or endsAt.',
  },
  'no-codes-left': {
    meaning: 'Every code of the book is dealt or void.',
    remedy: 'Generate or upload more codes into the book.',
  },
  'user-limit-reached': {
    meaning: 'The user has as many codes or redemptions of this book as the book allows.',
    remedy: 'Nothing, unless the book’s limit is raised, a coupon of the user is voided or a redemption given back.',
  },
  'redemption-limit-reached': {
    meaning: 'The book has had as many redemptions as it allows.',
    remedy: 'Nothing, unless the book’s limit is raised or a redemption is given back.',
  },
  'code-already-assigned': {
    meaning: 'The code is in a user’s hands already.',
    remedy: 'Assign another code, or let the book choose one.',
  },
  'code-already-redeemed': {
    meaning: 'The coupon has no redemption left.',
    remedy: 'Nothing, unless a redemption is given back.',
  },
  'code-locked': {
    meaning: 'A live lock is on the coupon, and the request did not bring its current token.',
    remedy: 'Bring the token of the lock, or come back after Retry-After seconds.',
  },
  'lock-required': {
    meaning: 'The book wants a lock before a redemption, and the request brought no token.',
    remedy: 'Lock the coupon, then redeem with the lockToken.',
  },
  'lock-expired': {
    meaning: 'The request brought a token, but no lock is live: it expired, was let go or was never there.',
    remedy: 'Lock the coupon again and use the new token.',
  },
  'coupon-void': {
    meaning: 'The coupon was voided. That is final.',
    remedy: 'Assign the user another code.',
  },
  'held-by-another-user': {
    meaning: 'The coupon is in another user’s hands than the one named.',
    remedy: 'Check userId and the code.',
  },
  conflict: {
    meaning: 'A code, pattern, slug or state that is there already stands in the way.',
    remedy:
      'The member reason says what it is, and the detail more of it. already-reversed is as good as done: the redemption has been given back.',
  },
  'revision-mismatch': {
    meaning: 'The book has changed since the revision named in If-Match.',
    remedy: 'Read the book again, apply the change to what it is now, and send its new revision.',
  },
  'body-too-large': {
    meaning: 'The body is larger than this address takes. Nothing was changed.',
    remedy: 'Send less in one request.',
  },
  'unsupported-media-type': {
    meaning: 'The Content-Type is missing or not one this address takes.',
    remedy: 'Send application/json; an upload of codes may be text/csv or application/x-ndjson as well.',
  },
  'idempotency-key-reused': {
    meaning: 'The Idempotency-Key was used before with another body or at another address.',
    remedy: 'Use a new key for each new request, and the same key only to repeat one.',
  },
  'pattern-too-small': {
    meaning: 'The pattern has fewer combinations than asked for, or so few that codes could be guessed.',
    remedy: 'Add # symbols to the pattern; where they are enough in number, ask for fewer codes.',
  },
  'rate-limited': {
    meaning: 'Too many requests, or too many codes that do not exist.',
    remedy: 'Slow down, and come back after Retry-After seconds.',
  },
  internal: {
    meaning: 'Something went wrong on our side. It has been logged with the request’s id.',
    remedy: 'Repeat the request with the same Idempotency-Key; if it stays, name the x-request-id to the operator.',
  },
  unavailable: {
    meaning:
      'The service is overloaded, shutting down, has lost its database, or something that the request needs is held by another one for longer than usual.',
    remedy:
      'Repeat the request with the same Idempotency-Key after Retry-After seconds. Where outcome is “not-begun”, nothing was done, and giving up is safe, unless an earlier attempt with this key ended otherwise. Where it is “unknown”, it may have been carried out: only a repeat with the same key can tell, so do not give up or use another key before one has.',
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
