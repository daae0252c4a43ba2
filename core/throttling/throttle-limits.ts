import { limits } from '../limits.ts';

/**
 * Whose failed look-ups are counted, each within its tenant:
 * - `user`: one end user, known by a customer's token: what this user did.
 * - `named`: one end user as shops' backends name it in their userId: what was said of this user. Apart from `user`, so
 *   that a backend whose userId comes from a stranger, or whose key has leaked, locks nobody out of their own coupons.
 * - `caller`: a shop's backend where it looks codes up for nobody in particular (no userId).
 * - `token`: a shop's backend with everything that it does, for all its users.
 * - `ceiling`: the same token's failures over a longer time, whatever it succeeds in beside them.
 * - `address`: where customers come from: a home, a company, a carrier's gateway, or a shop that forwards their tokens.
 */
export type FailureKind = 'user' | 'named' | 'caller' | 'token' | 'ceiling' | 'address';

/**
 * How many failures are too many. Failures fill a bucket which leaks: failures at less than the leak's pace are
 * forgiven for ever, and a guesser's pace in the long run is the leak's.
 */
export interface FailureBudget {
  /** One failure is forgotten each time this passes. */
  leakMillis: number;
  /** From this many on, look-ups are refused for a time; null: never for this reason alone. */
  blocksAtFailures: number | null;
  /** The first block. Each failure beyond the budget doubles it. */
  blockMillis: number;
  blockMaxMillis: number;
  /** From this many on, the users behind it have a smaller budget of their own; null: never. */
  tightensAtFailures: number | null;
  /** What that smaller budget is, for a key that is one user's own; null: it stays as it is. */
  tightenedAtFailures: number | null;
  /** No more than this are remembered, so that a burst in flight is not paid for during days. */
  depthFailures: number;
}

// Thirty typing errors in a row are a person with a bad print, or a developer trying things out; then half a minute,
// doubling, and six tries an hour in the long run: a right guess takes one user some nineteen years. Seven doublings
// reach the hour. Each further task that the guesses are spread over adds as many again: see open-throttle.ts.
const oneUser: FailureBudget = {
  leakMillis: 600_000,
  blocksAtFailures: 30,
  blockMillis: 30_000,
  blockMaxMillis: 3_600_000,
  tightensAtFailures: null,
  // Enough to mistype, look again and mistype once more behind an address where others are guessing.
  tightenedAtFailures: 3,
  depthFailures: 37,
};

/** The budgets. At the guess odds that the product insists on, one in a million, each says what a guesser can get. */
export const failureBudgets: Readonly<Record<FailureKind, FailureBudget>> = {
  user: oneUser,
  named: oneUser,
  // A support desk or a reconciling script meets hundreds of dead codes at once; then one a second.
  caller: {
    leakMillis: 1_000,
    blocksAtFailures: 300,
    blockMillis: 1_000,
    blockMaxMillis: 60_000,
    tightensAtFailures: null,
    tightenedAtFailures: null,
    depthFailures: 330,
  },
  // A shop at its peak has thousands of users who mistype, so its failures only make its users' budgets smaller. It is
  // refused as a whole when half an hour's worth is used up and, beside that, most of what it asks for does not exist
  // (see flood): a token that leaked, or made-up users each with a fresh budget. Then one a second in the long run.
  token: {
    leakMillis: 1_000,
    blocksAtFailures: 1_800,
    blockMillis: 30_000,
    blockMaxMillis: 30_000,
    tightensAtFailures: 300,
    tightenedAtFailures: null,
    depthFailures: 1_800,
  },
  // Whatever else a token does, so many failures in an hour are guesses: ten a second all the time, or an hour's worth
  // at once. A shop of whose users more than ten a second mistype, hour after hour, has several keys.
  ceiling: {
    leakMillis: 100,
    blocksAtFailures: 36_000,
    blockMillis: 30_000,
    blockMaxMillis: 30_000,
    tightensAtFailures: null,
    tightenedAtFailures: null,
    depthFailures: 36_000,
  },
  // Sixty at once or six a minute is more than the people behind one address mistype. It never refuses a user without
  // failures: whole countries share a carrier's addresses.
  address: {
    leakMillis: 10_000,
    blocksAtFailures: null,
    blockMillis: 0,
    blockMaxMillis: 0,
    tightensAtFailures: 60,
    tightenedAtFailures: null,
    depthFailures: 120,
  },
};

/** The other bounds of throttling. */
export const throttleLimits = {
  /** A token's failures count as a flood only where they are more than half of at least this many look-ups. */
  floodMinLookups: 20,
  /** From so many look-ups on, older ones weigh half, so that the share of failures is recent. */
  floodSpanLookups: 1_000,
  /**
   * Most look-ups that wait for one of the same user or token to end. At least as many as the queues behind them hold.
   */
  waitingMaxLookups: limits.queueMaxMembers,
  /** How long a look-up waits for others. Enough for a thousand look-ups of one user at once. */
  waitingMaxMillis: 1_500,
  /** Users, tokens and addresses with failures that a process remembers: about 5 MB, the oldest dropped first. */
  knownMaxEntries: 20_000,
  /** Tokens whose pace a process remembers; one that was dropped starts with a full second's worth. */
  rateMaxEntries: 20_000,
  /** Keys that wait to be counted for all tasks while a statement is under way; more are counted here only. */
  pendingMaxKeys: 1_000,
  /** How long the answer to a failure waits for the shared count. The counting itself goes on. */
  noteMaxWaitMillis: 100,
  /** How often a task removes what PostgreSQL no longer needs, and how much at a time. */
  cleanUpEveryMillis: 60_000,
  cleanUpMaxRows: 5_000,
  /**
   * A twentieth of a second's requests is fetched from Redis at a time: 20 round trips a second at a token's full pace.
   */
  rateLeasesPerSecond: 20,
  /** Long enough that a Redis that has stalled is recognised by its connection meanwhile. */
  rateRedisAvoidedMillis: 1_000,
} as const;
