import { type CouponError, unavailable } from '../errors.ts';
import type { BatchTrace } from '../trace.ts';

/** Stands in place of an answer: the member needs a row that another session holds. Nothing was begun for it. */
export const heldUp: unique symbol = Symbol('held up');

/** What a batch gives a member: its answer, its refusal, or `heldUp`. */
export type MemberAnswer<Answer> = Answer | CouponError | typeof heldUp;

/**
 * Runs one batch of one tenant in one transaction and answers every member, in order.
 * @param hasTimedOut whether a transaction of these members has timed out on a lock before; then it waits only a short
 *   time
 */
export type BatchRun<Command, Answer> = (
  tenantId: number,
  commands: Command[],
  hasTimedOut: boolean,
  trace: BatchTrace | null,
) => Promise<MemberAnswer<Answer>[]>;

/** A command on its way, and who waits for its answer. */
export interface Member<Command, Answer> {
  command: Command;
  lane: number | string;
  /** When its request arrived, in milliseconds of the monotonic clock. */
  since: number;
  /** When it came into the queue: later than `since` where it was set aside. */
  queuedAt: number;
  resolve: (answer: Answer) => void;
  reject: (error: unknown) => void;
}

/** The commands of some members, in their order. */
export function commandsOf<Command>(members: { command: Command }[]): Command[] {
  return members.map(({ command }) => command);
}

/** The refusal of a member for which nothing was begun. */
export function notBegun(reason: string): CouponError {
  return unavailable('not-begun', `${reason} Repeat the request with the same Idempotency-Key.`);
}

/** Why a member is refused whose lock is not released in time. */
export const heldTooLong = 'What this request needs is held by another one for longer than usual.';
