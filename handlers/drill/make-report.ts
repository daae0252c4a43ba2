import { type RestoredAnswers, reasonsAgainst } from '../../core/index.ts';
import type { DrillState, StepError } from './read-step.ts';

/** What a drill found. Moments are ISO 8601; null where it did not get so far. */
export interface DrillReport {
  instance: string;
  run: string;
  /** Whether the restored database could be served from, and nothing of the drill is left. */
  good: boolean;
  /** What speaks against it, one sentence each. */
  against: string[];
  beganAt: string;
  restoredTo: string | null;
  /** How far the newest moment that could be restored lay behind when the drill began: what would have been lost. */
  rpoSeconds: number | null;
  /** From the beginning until the restored database had answered the first question. */
  rtoSeconds: number | null;
  answers: RestoredAnswers | null;
}

/** Judges what the steps of a drill found. */
export function makeDrillReport(drill: {
  instance: string;
  run: string;
  beganAt: number;
  state: DrillState;
}): DrillReport {
  const { instance, run, beganAt, state } = drill;
  const { begun, asked, failed, notRemoved } = state;
  const restoredTo = begun === undefined ? null : Date.parse(begun.restoreTo);
  const rpoMillis = restoredTo === null ? null : Math.max(0, beganAt - restoredTo);
  const against = [
    ...(asked === undefined || restoredTo === null ? [] : reasonsAgainst(asked, restoredTo, rpoMillis ?? 0)),
    ...(failed === undefined ? [] : [messageOf(failed)]),
    ...(asked === undefined && failed === undefined ? ['nothing was asked'] : []),
    ...(notRemoved === undefined ? [] : [`the instance ${instance} is not deleted: ${messageOf(notRemoved)}`]),
  ];
  return {
    ...{ instance, run, good: against.length === 0, against, beganAt: new Date(beganAt).toISOString() },
    restoredTo: begun?.restoreTo ?? null,
    rpoSeconds: rpoMillis === null ? null : seconds(rpoMillis),
    rtoSeconds: asked === undefined ? null : seconds(asked.answeredAt - beganAt),
    answers: asked ?? null,
  };
}

/** What went wrong, without the stack of a function's error. */
function messageOf({ Error: name = 'failed', Cause = '' }: StepError): string {
  try {
    const { errorMessage } = JSON.parse(Cause) as { errorMessage?: unknown };
    if (typeof errorMessage === 'string') return errorMessage;
  } catch {
    // Not every cause is JSON.
  }
  return Cause === '' ? name : `${name}: ${Cause}`.slice(0, 500);
}

function seconds(millis: number): number {
  return Math.round(millis / 100) / 10;
}
