import { type Finding, no, ok, skipped } from '../checklists/check.ts';
import type { SlowRequests, Watched } from './watched.ts';

/** The strategy's bound, as the alarm error-rate has it: one in a thousand. */
const requestsAnError = 1000;
/** As the alarm p99: more than a second, in three of five minutes. */
const slowWindow = 5;
const slowInWindow = 3;

/** A watch's verdict, by the name of each check. */
export type Verdicts = [name: string, finding: Finding][];

/**
 * What was seen, judged.
 * @param left how many times what was seen is to come yet, as nothing else is known: 0 at the end. A no is then a no
 *   only if it stays one when from now on all goes well.
 */
export function judge(watched: Watched, left: number, isIdleFine = false): Verdicts {
  return [
    ['error rate', judgeErrors(watched, left, isIdleFine)],
    ['p99', judgeLatency(watched, left)],
    ['error lines', judgeLines(watched)],
    ['database', judgeDatabase(watched)],
  ];
}

function judgeErrors({ requests, errors }: Watched, left: number, isIdleFine: boolean): Finding {
  const text = `${errors} of ${requests} requests ended in a 5xx (${percent(errors, requests)})`;
  if (requests === 0) {
    if (isIdleFine) return skipped('no request was seen');
    return left > 0 ? ok(text) : no('no request was seen: does traffic come through? --idle-is-fine where none is due');
  }
  if (errors * requestsAnError < requests * (1 + left)) return ok(text);
  return no(`${text}, and 0.1 % is the bound: see the log, or go back (.github/scripts/roll-back.sh)`);
}

function judgeLatency({ requests, slow }: Watched, left: number): Finding {
  if (requests === 0) return skipped('no request was seen');
  const text = `p99 ${slow.p99}`;
  if (!isSlow(slow, requests * (1 + left))) return ok(text);
  const which = 'count' in slow ? `${slow.count} of ${requests} requests` : 'in three of five minutes one in a hundred';
  return no(`${text}: ${which} took more than a second; see the queue age, then the database`);
}

function isSlow(slow: SlowRequests, requests: number): boolean {
  if ('count' in slow) return slow.count * 100 > requests;
  return slow.slowMinutes.some((_, at) => {
    const window = slow.slowMinutes.slice(at, at + slowWindow);
    return window.filter(Boolean).length >= slowInWindow;
  });
}

function judgeLines({ errorLines }: Watched): Finding {
  if (errorLines === null) return skipped('an address has no log to ask; --stage has');
  if (errorLines.count === 0) return ok('none in the log');
  return no(`${errorLines.count} in the log, such as "${errorLines.message}"`);
}

function judgeDatabase({ databaseFailures }: Watched): Finding {
  if (databaseFailures === null) return skipped('its failures are among the error lines');
  return databaseFailures === 0 ? ok('no failure') : no(`${databaseFailures} failures: see the log for the reason`);
}

/** `0.052 %`. */
function percent(part: number, whole: number): string {
  return `${((100 * part) / (whole || 1)).toFixed(3)} %`;
}
