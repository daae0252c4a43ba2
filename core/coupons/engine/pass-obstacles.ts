import { heldUp, type MemberAnswer } from '../../batching/batch.ts';
import type { LockWait } from '../../db/lock-wait.ts';
import { isLockTimeout } from '../../db/sql-errors.ts';
import type { CouponError } from '../../errors.ts';
import type { Held, Obstacles } from './obstacles.ts';

/**
 * How often a batch runs at most, each time without the members that were found to be held up. Each run that fails
 * costs a lock timeout.
 */
const roundsMax = 3;

/** How a kind of batch runs, what it locks, and how to find out which of that is held. */
export interface BatchWithLocks<Target, Answer> {
  /** The names of all that the target's transaction locks, as far as they are known before. */
  needsOf(target: Target): string[];
  /** Which of the things that these targets need are held by others now. It waits for no row. */
  findHeld(targets: Target[]): Promise<Held>;
  /** Runs one transaction. */
  run(targets: Target[], lockWait: LockWait): Promise<(Answer | CouponError)[]>;
}

/**
 * Runs those members of a batch whose way is free, as far as is known. Where their transaction waits too long for a
 * lock all the same, it looks at what is held, and runs the others again at once. With nothing held this costs nothing.
 * @returns `heldUp` for the others; nothing was begun for them
 * @throws what `run` throws, the time-out of a lock included where nothing explains it
 */
export async function passObstacles<Target, Answer>(
  obstacles: Obstacles,
  targets: Target[],
  { needsOf, findHeld, run }: BatchWithLocks<Target, Answer>,
  hasTimedOut: boolean,
): Promise<MemberAnswer<Answer>[]> {
  const answers: MemberAnswer<Answer>[] = targets.map(() => heldUp);
  const isOpen = (index: number) => obstacles.isEmpty || obstacles.areFree(needsOf(targets[index]!));
  let open = [...targets.keys()].filter(isOpen);
  for (let round = 1; open.length > 0 && round <= roundsMax; round += 1) {
    const members = open.map((index) => targets[index]!);
    const isBusy = () => !obstacles.isEmpty && obstacles.areBusy(members.flatMap(needsOf));
    const wasBusy = isBusy();
    try {
      const got = await run(members, lockWaitFor(hasTimedOut, wasBusy, round));
      for (const [at, index] of open.entries()) answers[index] = got[at]!;
      break;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      await noteObstacles(obstacles, members, { needsOf, findHeld });
      open = open.filter(isOpen);
      const isNews = open.length < members.length || (isBusy() && !wasBusy);
      if (!isNews) throw error;
    }
  }
  return answers;
}

function lockWaitFor(hasTimedOut: boolean, isBusy: boolean, round: number): LockWait {
  if (hasTimedOut) return 'short';
  if (isBusy) return 'long';
  return round > 1 ? 'short' : 'usual';
}

/** Looks again at what members need that were held up, and says which of them could run. */
export async function findFree<Target, Answer>(
  obstacles: Obstacles,
  targets: Target[],
  batch: Pick<BatchWithLocks<Target, Answer>, 'needsOf' | 'findHeld'>,
): Promise<boolean[]> {
  await noteObstacles(obstacles, targets, batch);
  return targets.map((target) => obstacles.areFree(batch.needsOf(target)));
}

async function noteObstacles<Target>(
  obstacles: Obstacles,
  targets: Target[],
  { needsOf, findHeld }: Pick<BatchWithLocks<Target, never>, 'needsOf' | 'findHeld'>,
): Promise<void> {
  obstacles.note(targets.flatMap(needsOf), await findHeld(targets));
}
