import type pg from 'pg';
import type { MemberAnswer } from '../../batching/batch.ts';
import type { LockWait } from '../../db/lock-wait.ts';
import { retryTransaction } from '../../db/retry-transaction.ts';
import { together } from '../../db/together.ts';
import { inTwoSteps, type Transaction } from '../../db/transaction.ts';
import { CouponError } from '../../errors.ts';
import type { KeyedRequest } from '../../idempotency/key-hash.ts';
import type { Random } from '../../random.ts';
import type { BatchTrace } from '../../trace.ts';
import type { CouponState } from '../rules/coupon-state.ts';
import { answerOf, type CouponAnswer, type RecordedChange } from '../rules/recorded-change.ts';
import { type IdempotencyMemory, openIdempotencyMemory } from './idempotency-memory.ts';
import type { LockTokens } from './lock-tokens.ts';
import type { Obstacles } from './obstacles.ts';
import { type BatchWithLocks, findFree, passObstacles } from './pass-obstacles.ts';
import type { ClockAndKeys } from './read-clock-and-keys.ts';

/** What the transaction of a batch works with, whatever it decides. */
export interface BatchCore {
  readonly pool: pg.Pool;
  readonly random: Random;
  readonly lockTokens: LockTokens;
  readonly obstacles: Obstacles;
  /** Of a batch with a member that is traced. */
  readonly trace?: BatchTrace;
}

/** What a command is about, as `find` says. Each kind of batch adds what it has to know before it locks anything. */
interface KeyedTarget {
  readonly command: { readonly keyed: KeyedRequest | null };
}

/** Finds what the commands of a batch are about, and which locks they need. */
export interface BatchTargets<Command, Target>
  extends Pick<BatchWithLocks<Target, CouponAnswer>, 'needsOf' | 'findHeld'> {
  /** Finds what each command is about, in their order. That never changes, and so needs no lock. */
  find(commands: Command[]): Promise<Target[]>;
  /** Why a member belongs into another batch, as far as that is known before anything is locked; or null. */
  redirect?(target: Target): CouponError | null;
}

/**
 * How the members of a batch are decided. `Seen` is what the database says under the locks, `State` what members are
 * decided on, kept up to date as they change it, and `Made` what a member comes to.
 */
export interface Decisions<Target, Seen, State, Made> {
  /**
   * Takes the locks in the order of takeLock, then reads what is decided on. All statements are sent at once and run
   * one after the other: each one runs with the locks of those before it, and sees what the earlier owners of these
   * locks have committed.
   */
  read(tx: Transaction, targets: Target[], lockWait: LockWait): Promise<Seen>;
  /** Reads what turns out to be needed only once those answers are there. */
  prepare(tx: Transaction, targets: Target[], seen: Seen): Promise<State>;
  /** A refusal that comes before trouble with the member's key, or null. */
  refuseFirst?(state: State, target: Target): CouponError | null;
  /** Decides one member on what those before it left, and makes its change true for those that follow. */
  decide(state: State, target: Target): Made | CouponError;
  /** Sends all that is to be written, and returns how each thing made is recorded. COMMIT goes out with it. */
  write(tx: Transaction, state: State): Promise<RecordOf<Made>>;
}

/** One kind of batch. */
export type BatchKind<Command, Target, Seen, State, Made> = BatchTargets<Command, Target> &
  Decisions<Target, Seen, State, Made>;

/**
 * What goes into the transaction of a batch beside its members: all of it is there afterwards, or nothing. A batch may
 * run several times before it commits, and its companion with it.
 */
export interface BatchCompanion<Command> {
  /** Sends one statement, which runs before all others and may lock. What this throws ends the transaction. */
  read(tx: Transaction): Promise<void>;
  /** Sends what is to be written beside the members that the transaction has, each with what became of it. */
  write(tx: Transaction, answers: ReadonlyMap<Command, CouponAnswer | CouponError>): void;
}

/** Makes the record of what a member has made. What an earlier batch made is a record already. */
export type RecordOf<Made> = (made: Made | RecordedChange) => RecordedChange;

/** What became of a member: what it made, or what an earlier one with the same key had made; or why nothing. */
type Decided<Made> = { made: Made | RecordedChange; replayed: boolean } | CouponError;

/**
 * Decides a batch of one tenant in one transaction: the locks are taken, then what they guard is read, then each member
 * is decided in the order of arrival, then everything is written, set by set. It waits for the database twice where all
 * goes well. Answers are made once all of it is committed.
 *
 * Members that need what another session holds are left out, and answered `heldUp`: proved by
 * test/integration/held-up.test.ts.
 * @param hasTimedOut whether a transaction of these members has timed out on a lock before; then it waits only a short
 *   time
 * @param companion what is committed with them; its own `read` may throw
 */
export async function decideBatch<Command, Target extends KeyedTarget, Seen, State extends ClockAndKeys, Made>(
  core: BatchCore,
  tenantId: number,
  commands: Command[],
  kind: BatchKind<Command, Target, Seen, State, Made>,
  hasTimedOut: boolean,
  companion?: BatchCompanion<Target['command']>,
): Promise<MemberAnswer<CouponAnswer>[]> {
  const run = (targets: Target[], lockWait: LockWait) =>
    runTransaction(core, tenantId, targets, kind, lockWait, companion);
  const targets = await kind.find(commands);
  const redirects = targets.map((target) => kind.redirect?.(target) ?? null);
  const staying = targets.filter((_target, index) => redirects[index] === null);
  const batch = { needsOf: kind.needsOf, findHeld: kind.findHeld, run };
  const answers = (await passObstacles(core.obstacles, staying, batch, hasTimedOut)).values();
  return redirects.map((redirect) => redirect ?? answers.next().value!);
}

/** Which of these commands, which were held up, nothing holds up any more. */
export async function areFree<Command, Target>(
  { obstacles }: Pick<BatchCore, 'obstacles'>,
  commands: Command[],
  kind: BatchTargets<Command, Target>,
): Promise<boolean[]> {
  return findFree(obstacles, await kind.find(commands), kind);
}

async function runTransaction<Target extends KeyedTarget, Seen, State extends ClockAndKeys, Made>(
  { pool, random, lockTokens, trace }: BatchCore,
  tenantId: number,
  targets: Target[],
  decisions: Decisions<Target, Seen, State, Made>,
  lockWait: LockWait,
  companion?: BatchCompanion<Target['command']>,
): Promise<(CouponAnswer | CouponError)[]> {
  const tokenOf = (coupon: CouponState) => lockTokens.tokenOf(tenantId, coupon);
  const answer = (decided: Decided<Made>[], recordOf: RecordOf<Made>) =>
    decided.map((one) =>
      one instanceof CouponError ? one : { body: answerOf(recordOf(one.made), tokenOf), replayed: one.replayed },
    );
  const steps = {
    read: async (tx: Transaction) => {
      if (companion === undefined) return decisions.read(tx, targets, lockWait);
      const [, seen] = await together([companion.read(tx), decisions.read(tx, targets, lockWait)]);
      return seen;
    },
    write: async (tx: Transaction, seen: Seen) => {
      const state = await decisions.prepare(tx, targets, seen);
      const memory = await openIdempotencyMemory<Made>(tx, tenantId, state.usedKeys);
      const decided = targets.map((target) => decideMember(decisions, state, memory, target));
      const recordOf = await decisions.write(tx, state);
      if (companion !== undefined) {
        const answers = answer(decided, recordOf).values();
        companion.write(tx, new Map(targets.map(({ command }) => [command, answers.next().value!])));
      }
      return { decided, recordOf };
    },
  };
  const { decided, recordOf } = await retryTransaction(random, () => inTwoSteps(pool, steps, trace));
  return answer(decided, recordOf);
}

function decideMember<Target extends KeyedTarget, State, Made>(
  decisions: Pick<Decisions<Target, never, State, Made>, 'refuseFirst' | 'decide'>,
  state: State,
  memory: IdempotencyMemory<Made | RecordedChange>,
  target: Target,
): Decided<Made> {
  const { keyed } = target.command;
  const remembered = memory.recall(keyed);
  // A replay is no refusal; but what the caller may not do at all comes before trouble with its key.
  if (remembered instanceof CouponError) return decisions.refuseFirst?.(state, target) ?? remembered;
  if (remembered !== null) return { made: remembered, replayed: true };
  const made = decisions.decide(state, target);
  if (made instanceof CouponError) return made;
  memory.remember(keyed, made);
  return { made, replayed: false };
}
