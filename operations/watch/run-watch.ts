import { lineOf } from '../checklists/run-checks.ts';
import type { Time } from '../checklists/time.ts';
import { judge, type Verdicts } from './judge.ts';
import { type Source, type Watched, WatchLost } from './watched.ts';

/** What a watch is told. */
export interface WatchOptions {
  minutes: number;
  everySeconds: number;
  /** Whether no request at all is as it should be. */
  isIdleFine: boolean;
}

const minuteMillis = 60_000;

/**
 * Looks again and again, prints a line each time, and ends early where what was seen can't become a yes any more.
 * @returns whether nothing was a no
 */
export async function runWatch(
  source: Source,
  time: Time,
  options: WatchOptions,
  print: (line: string) => void,
): Promise<boolean> {
  const begin = time.now();
  const totalMillis = options.minutes * minuteMillis;
  const say = (watched: Watched) =>
    print(progressOf(new Date(time.now()), Math.min(time.now() - begin, totalMillis), options.minutes, watched));
  try {
    for (;;) {
      const left = begin + totalMillis - time.now();
      if (left <= 0) break;
      await time.sleep(Math.min(options.everySeconds * 1000, left));
      const watched = await source.read();
      say(watched);
      const elapsed = time.now() - begin;
      const verdicts = judge(watched, Math.max(totalMillis - elapsed, 0) / elapsed, options.isIdleFine);
      if (isNo(verdicts)) return tell(verdicts, print);
    }
    await time.sleep(source.lateMillis);
    const watched = await source.read();
    if (source.lateMillis > 0) say(watched);
    return tell(judge(watched, 0, options.isIdleFine), print);
  } catch (error) {
    if (!(error instanceof WatchLost)) throw error;
    print(lineOf('watch', { verdict: 'no', text: error.message }));
    return false;
  }
}

function tell(verdicts: Verdicts, print: (line: string) => void): boolean {
  for (const [name, finding] of verdicts) print(lineOf(name, finding));
  return !isNo(verdicts);
}

function isNo(verdicts: Verdicts): boolean {
  return verdicts.some(([, { verdict }]) => verdict === 'no');
}

/** `12:03:15  3.0 of 30 min  1204 requests, 0 errors, p99 at most 50 ms, 0 error lines`. */
function progressOf(now: Date, millis: number, minutes: number, { requests, errors, slow, errorLines }: Watched) {
  const lines = errorLines === null ? '' : `, ${errorLines.count} error lines`;
  const clock = now.toISOString().slice(11, 19);
  const done = (millis / minuteMillis).toFixed(1);
  return `${clock}  ${done} of ${minutes} min  ${requests} requests, ${errors} errors, p99 ${slow.p99}${lines}`;
}
