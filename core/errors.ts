/** All kinds of refusal, with HTTP status and title. They are a part of the API's contract. */
export const errorKinds = {
  'invalid-input': { status: 400, title: 'The request is not valid' },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, title: 'These credentials may not do this' },
  'not-found': { status: 404, title: 'There is nothing at this address' },
  'book-not-found': { status: 404, title: 'There is no such book' },
  'deck-not-found': { status: 404, title: 'There is no such deck' },
  'coupon-not-found': { status: 404, title: 'There is no such coupon' },
  'redemption-not-found': { status: 404, title: 'There is no such redemption' },
  'method-not-allowed': { status: 405, title: 'This address does not support this method' },
  'book-not-active': { status: 409, title: 'The book is not active' },
  'book-outside-window': { status: 409, title: 'The book has not started or has ended' },
  'coupon-expired': { status: 409, title: 'The coupon has expired' },
  'no-codes-left': { status: 409, title: 'The book has no codes left' },
  'user-limit-reached': { status: 409, title: 'The user has reached a limit of the book' },
  'redemption-limit-reached': { status: 409, title: 'The book has reached its limit of redemptions' },
  'code-already-assigned': { status: 409, title: 'The code already belongs to a user' },
  'code-already-redeemed': { status: 409, title: 'The coupon has no redemption left' },
  'code-locked': { status: 409, title: 'The coupon is locked by another checkout' },
  'lock-required': { status: 409, title: 'The book requires a lock before a redemption' },
  'lock-expired': { status: 409, title: 'The lock is no longer live' },
  'coupon-void': { status: 409, title: 'The coupon is void' },
  'held-by-another-user': { status: 409, title: 'The coupon belongs to another user' },
  conflict: { status: 409, title: 'The request conflicts with what exists' },
  'revision-mismatch': { status: 412, title: 'The book has changed since it was read' },
  'body-too-large': { status: 413, title: 'The request body is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported here' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used for another request' },
  'pattern-too-small': { status: 422, title: 'The pattern has too few combinations' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The service failed' },
  unavailable: { status: 503, title: 'The service can’t take this request now' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A refusal's name, for clients to branch on. */
export type ErrorKind = keyof typeof errorKinds;

/** One thing wrong with the input: a JSON pointer into the body, or a parameter's name, and how to mend it. */
export interface InputProblem {
  path: string;
  message: string;
}

/** What may stand in the way, for clients to branch on where the kind is `conflict`. */
export const conflictReasons = [
  'already-reversed',
  'book-closed',
  'book-in-use',
  'book-status',
  'code-exists',
  'events-removed',
  'job-finished',
  'job-unfinished',
  'pattern-overlaps',
  'public-code',
  'slug-taken',
  'too-many-webhooks',
  'try-again',
  'webhook-disabled',
] as const;

/** One of them. */
export type ConflictReason = (typeof conflictReasons)[number];

/** What a refusal tells beside its kind. */
export interface RefusalFacts {
  /** The coupon's revision, where the coupon is known and the caller may see it. */
  rev?: number;
  /** For `invalid-input`. */
  errors?: InputProblem[];
  /** Whole seconds, at least 1, after which a retry makes sense. */
  retryAfterSeconds?: number;
  /** For `conflict`: what stands in the way. */
  reason?: ConflictReason;
  /** For `method-not-allowed`: the value of the Allow header. */
  allow?: string;
  /** For `unauthenticated`, where the token was signed by the right key: what else is wrong with it, in ASCII. */
  tokenFault?: string;
  /**
   * For `coupon-not-found`, and shown to nobody: whoever asked named a public code, and so was not guessing.
   */
  isKnownCode?: true;
  /** Why, for the log alone: fixed words, which hold nothing of the request. */
  refused?: string;
}

/** What may have become of a request that is `unavailable`. */
export const unavailableOutcomes = ['not-begun', 'unknown'] as const;

/**
 * One of them. `not-begun`: nothing was done. `unknown`: it may have been carried out, in part or whole. Only a repeat
 * with the same key can tell.
 */
export type UnavailableOutcome = (typeof unavailableOutcomes)[number];

/** All kinds but `unavailable`. They changed nothing, so they need no outcome. */
export type PlainKind = Exclude<ErrorKind, 'unavailable'>;

/** A refusal as a value, as rules return it. With `unavailable` it has an outcome. */
export type Refusal = RefusalFacts & {
  /** A sentence for the caller's developer, without secrets and without data of other users. */
  detail: string;
} & ({ kind: PlainKind; outcome?: never } | { kind: 'unavailable'; outcome: UnavailableOutcome });

/** The error that operations throw. Any other error is a bug or a broken machine. */
export class CouponError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    // Refusals are ordinary answers, thousands a second at peak. Nobody reads their stacks, so none are collected.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(refusal.detail);
    Error.stackTraceLimit = limit;
    this.name = 'CouponError';
    this.refusal = refusal;
  }

  get kind(): ErrorKind {
    return this.refusal.kind;
  }
}

/** Makes a CouponError in one call: `throw refuse('book-not-found', 'There is no book …')`. */
export function refuse(kind: PlainKind, detail: string, facts: RefusalFacts = {}): CouponError {
  return new CouponError({ kind, detail, ...facts });
}

/**
 * An `unavailable`, which says whether anything was begun.
 * @param retryAfterSeconds whole, at least 1
 */
export function unavailable(outcome: UnavailableOutcome, detail: string, retryAfterSeconds = 1): CouponError {
  return new CouponError({ kind: 'unavailable', outcome, detail, retryAfterSeconds });
}

/** An `invalid-input` about one field. */
export function invalidInput(path: string, message: string): CouponError {
  return invalidInputs([{ path, message }]);
}

/** An `invalid-input` about everything that is wrong, at least one thing: the first in words, and all of it listed. */
export function invalidInputs(errors: InputProblem[]): CouponError {
  const { path, message } = errors[0]!;
  const more = errors.length === 1 ? '' : ` (and ${errors.length - 1} more)`;
  return refuse('invalid-input', `${path}: ${message}${more}`, { errors });
}
