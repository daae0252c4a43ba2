import type { Clock } from '../clock.ts';
import { isConnectionLoss, isLockTimeout, isPoison, isTimeout, loggable } from '../db/sql-errors.ts';
import { CouponError, refuse } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BatchTrace } from '../trace.ts';
import { type BatchRun, commandsOf, heldTooLong, heldUp, type Member, notBegun } from './batch.ts';

/** What batches of a queue are settled with. */
export interface SettleParts<Command, Answer> {
  /** The queue's name, for the log. */
  name: string;
  run: BatchRun<Command, Answer>;
  /**
   * How many members are answered in one turn of the event loop, 1 and up. An answer is made and sent in its member's
   * turn, so those of a whole batch hold up the next one, which may have its locks by now, for milliseconds.
   */
  answeredATurn: number;
  /** Takes a member that needs what another session holds. */
  setAside(tenantId: number, member: Member<Command, Answer>): void;
  clock: Clock;
  log: Log;
  /** A batch with a member that arrived so long ago is not halved for a held lock any more, in milliseconds. */
  heldUpMaxMillis: number;
}

/** Members of one tenant that go through one transaction. */
export interface Batch<Command, Answer> {
  tenantId: number;
  members: Member<Command, Answer>[];
  /** Whether a transaction with these members has timed out on a lock before. */
  hasTimedOut: boolean;
  /** Null where none of them is traced. */
  trace: BatchTrace | null;
}

/** Runs a batch, and answers or sets aside each of its members. Never rejects. */
export async function settleBatch<Command, Answer>(
  parts: SettleParts<Command, Answer>,
  batch: Batch<Command, Answer>,
): Promise<void> {
  const { tenantId, members, hasTimedOut, trace } = batch;
  try {
    const answers = await parts.run(tenantId, commandsOf(members), hasTimedOut, trace);
    for (const [index, member] of members.entries()) {
      if (index > 0 && index % parts.answeredATurn === 0) await nextTurn();
      const answer = answers[index]!;
      if (answer === heldUp) parts.setAside(tenantId, member);
      else if (answer instanceof CouponError) member.reject(answer);
      else member.resolve(answer);
    }
  } catch (error) {
    await settleFailed(parts, batch, error);
  }
}

/** Lets everything that has come from outside meanwhile go first. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Runs both halves of a batch that failed. One member's data may have broken the whole transaction, or one member waits
 * for a lock that the check could not name. Halving finds it, and the others are answered as if it had not been there.
 */
async function settleFailed<Command, Answer>(
  parts: SettleParts<Command, Answer>,
  batch: Batch<Command, Answer>,
  error: unknown,
): Promise<void> {
  const { members, hasTimedOut } = batch;
  const isHeld = isLockTimeout(error) && !isLate(parts, members);
  if (members.length > 1 && (isPoison(error) || isHeld)) {
    const half = members.length >> 1;
    await settleBatch(parts, { ...batch, members: members.slice(0, half), hasTimedOut: hasTimedOut || isHeld });
    await settleBatch(parts, { ...batch, members: members.slice(half), hasTimedOut: hasTimedOut || isHeld });
    return;
  }
  if (isHeld && !hasTimedOut) return settleBatch(parts, { ...batch, hasTimedOut: true });
  const answer = answerToFailure(error);
  parts.log.error({ queue: parts.name, members: members.length, error: loggable(error) }, 'a batch failed');
  for (const member of members) member.reject(answer);
}

/** Halving for a held member must end before the others have waited too long. */
function isLate({ clock, heldUpMaxMillis }: { clock: Clock; heldUpMaxMillis: number }, members: { since: number }[]) {
  const now = clock.monotonic();
  return members.some(({ since }) => now - since > heldUpMaxMillis);
}

/**
 * What failed before COMMIT was sent has been rolled back. A transaction whose COMMIT was lost throws its own error.
 */
function answerToFailure(error: unknown): CouponError {
  if (error instanceof CouponError) return error;
  if (isLockTimeout(error)) return notBegun(heldTooLong);
  if (isConnectionLoss(error) || isTimeout(error)) return notBegun('The database can’t be reached or is too slow.');
  return refuse('internal', 'This request could not be carried out, and nothing was changed.');
}
