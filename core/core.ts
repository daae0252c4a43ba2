import type { KnownCallers } from './access/known-callers.ts';
import type { CountsBoard } from './books/book-counts.ts';
import type { KnownBooks } from './books/known-books.ts';
import type { BoundedMap } from './bounded-map.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { CouponBatches } from './coupons/engine/coupon-batches.ts';
import type { LockTokens } from './coupons/engine/lock-tokens.ts';
import type { Obstacles } from './coupons/engine/obstacles.ts';
import type { ColdTurns } from './db/cold-turns.ts';
import type { Pools } from './db/open-pools.ts';
import type { DeckMarks } from './decks/deck-marks.ts';
import type { KnownDecks } from './decks/known-decks.ts';
import type { JobBell } from './jobs/job-bell.ts';
import type { Log } from './log.ts';
import type { Sender } from './outbound/open-sender.ts';
import type { Cursors } from './paging.ts';
import type { KnownPatterns } from './patterns/known-patterns.ts';
import type { Random } from './random.ts';
import type { RedisConnection } from './redis/open-redis.ts';
import type { MarkRounds } from './restore/mark-rounds.ts';
import type { Throttle } from './throttling/open-throttle.ts';
import type { RequestPace } from './throttling/request-pace.ts';
import type { UploadSlots } from './uploads/slots.ts';
import type { Announcer } from './webhooks/announcer.ts';

/** What every operation works with: made once a process by openCore, handed to each operation as its first argument. */
export interface Core extends Pools {
  readonly config: Config;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  /** Turns among a tenant's writes off the hot path. */
  readonly coldTurns: ColdTurns;
  /** Whose the API keys are that came in lately. */
  readonly knownApiKeys: KnownCallers;
  /** Whose the console's sessions are that came in lately. */
  readonly knownSessions: KnownCallers;
  /** How often an address tries to sign in to the console. */
  readonly signInPace: RequestPace;
  /** Internal ids of tenants, by slug. */
  readonly knownTenants: BoundedMap<string, number>;
  /** What never changes of books, decks and patterns, so that the hot path need not ask for it again. */
  readonly knownBooks: KnownBooks;
  readonly knownDecks: KnownDecks;
  readonly knownPatterns: KnownPatterns;
  /** Counts of books, for screens that ask again and again. */
  readonly countsBoard: CountsBoard;
  /** Of all lists. */
  readonly cursors: Cursors;
  readonly uploadSlots: UploadSlots;
  /** Wakes the workers of this process when it has made a job. */
  readonly jobBell: JobBell;
  /** Null where none is configured; may be away at any moment. */
  readonly redis: RedisConnection | null;
  /** Slows those who guess codes, and limits the pace of a token. */
  readonly throttle: Throttle;
  /** Notes outside the database how far decks are dealt, for the day on which it is restored from a backup. */
  readonly deckMarks: DeckMarks;
  /** The tokens of coupons' locks. */
  readonly lockTokens: LockTokens;
  /** Locks that other sessions were found to hold, so that batches avoid them. */
  readonly obstacles: Obstacles;
  /** Repeats the marks of all tasks in this task's log, over a connection of its own. */
  readonly markRounds: MarkRounds;
  /** Sends webhooks to the internet. */
  readonly sender: Sender;
  /** Tells operators of books that run out; null: nobody is told but by the log and by webhooks. */
  readonly announcer: Announcer | null;
  /** The queues in front of the hot path's transactions. */
  readonly batches: CouponBatches;
}
