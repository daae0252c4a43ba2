import { createHash } from 'node:crypto';
import type { RestoredAnswers } from '../../core/index.ts';
import type { Begun } from './begin-drill.ts';

/** The steps of a drill, and `watch`, which a schedule calls between drills. */
export type StepName = 'begin' | 'look' | 'remove' | 'report' | 'watch';

/** What the state machine (resources/drill.yml) keeps of the steps before. */
export interface DrillState {
  begun?: Begun;
  asked?: RestoredAnswers;
  /** Why a step failed, as the state machine says it. */
  failed?: StepError;
  /** Why the instance could not be deleted. */
  notRemoved?: StepError;
}

/** An error of a step. Of a function, the cause is JSON with its message. */
export interface StepError {
  Error?: string;
  Cause?: string;
}

/** A step of a drill. */
export interface Step {
  name: StepName;
  /** Of the drill's execution: the same for all of its steps, and for whatever is tried again. */
  run: string;
  /** When the drill began, in milliseconds since the Unix epoch. */
  beganAt: number;
  state: DrillState;
}

const names: readonly string[] = ['begin', 'look', 'remove', 'report', 'watch'] satisfies StepName[];

/**
 * Reads what the function was called with: `{"step": …, "run": …, "beganAt": …, "state": {…}}` by the state machine,
 * `{"step": "watch"}` by the schedule.
 * @throws Error that says what is missing
 */
export function readStep(event: unknown): Step {
  const { step, run, beganAt, state } = (typeof event === 'object' && event !== null ? event : {}) as Record<
    string,
    unknown
  >;
  if (typeof step !== 'string' || !names.includes(step)) throw new Error(`step must be one of ${names.join(', ')}`);
  const began = Date.parse(String(beganAt));
  if (step !== 'watch' && (typeof run !== 'string' || run === '' || Number.isNaN(began)))
    throw new Error('run and beganAt must be those of an execution of the state machine');
  return {
    name: step as StepName,
    run: String(run),
    beganAt: began,
    state: typeof state === 'object' && state !== null ? state : {},
  };
}

/** The instance of a drill: an execution's name may be what RDS takes for no name. */
export function instanceName(prefix: string, run: string): string {
  return `${prefix}${createHash('sha256').update(run).digest('hex').slice(0, 12)}`;
}
