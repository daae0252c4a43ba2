import { type BatcherOptions, type MicroBatcher, openMicroBatcher } from '../../core/batching/micro-batcher.ts';
import type { Clock } from '../../core/clock.ts';
import { CouponError } from '../../core/errors.ts';
import { silentLog } from '../../core/log.ts';

/** A transaction that a test ends. */
interface Run {
  tenantId: number;
  commands: string[];
  /** Ends the run with one answer a command: the command in upper case unless told. */
  finish(answers?: (string | CouponError)[]): void;
  fail(error: unknown): void;
}

/** A batcher with what a test moves and sees of it. */
export interface Harness {
  batcher: MicroBatcher<string, string>;
  /** The lanes of commands; of any other it is 'lane'. */
  lanes: Map<string, number | string>;
  runs: Run[];
  time: { millis: number };
}

/** A batcher whose transactions end when the test says so, on a clock that the test moves. */
export function openHarness(options: Partial<BatcherOptions<string, string>> = {}): Harness {
  const runs: Run[] = [];
  const lanes = new Map<string, number | string>();
  const time = { millis: 1000 };
  const clock: Clock = { now: () => time.millis, monotonic: () => time.millis };
  const batcher = openMicroBatcher<string, string>({
    name: 'test',
    clock,
    log: silentLog,
    laneOf: (command) => lanes.get(command) ?? 'lane',
    maxMembers: 4,
    maxInFlight: 1,
    slowMillis: 100,
    maxSlow: 0,
    worthwhileMembers: 1,
    answeredATurn: 100,
    gatherMillis: 0,
    maxWaiting: 100,
    maxWaitMillis: 5000,
    shedAgeMillis: 2000,
    heldUpEveryMillis: 5,
    heldUpMaxMillis: 1000,
    heldUpMaxOfTenant: 10,
    heldUpMaxOfAll: 15,
    isFree: async (_tenantId, commands) => commands.map(() => false),
    run: (tenantId, commands) =>
      new Promise((resolve, reject) => {
        const finish = (answers: (string | CouponError)[] = commands.map((command) => command.toUpperCase())) =>
          resolve(answers);
        runs.push({ tenantId, commands, finish, fail: reject });
      }),
    ...options,
  });
  return { batcher, lanes, runs, time };
}

/** Lets the batcher do all that it can do by itself. */
export async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Pushes commands of one lane and returns what becomes of each. */
export function pushAll(
  harness: Harness,
  commands: string[],
  lane: number | string = 'lane',
  tenantId = 1,
): Promise<string>[] {
  return commands.map((command) => {
    harness.lanes.set(command, lane);
    return outcomeOf(harness.batcher.push(tenantId, command));
  });
}

/** The answer, or `refused:` and the kind of the refusal. */
export function outcomeOf(answer: Promise<string>): Promise<string> {
  return answer.catch((error: unknown) => {
    if (error instanceof CouponError) return `refused: ${error.kind}`;
    throw error;
  });
}
