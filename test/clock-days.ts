import { spawnSync } from 'node:child_process';

/** A moment at which the tests are run: no test's outcome may hang on the day. */
export interface ClockDay {
  name: string;
  /** The machine's time when the run begins: RFC 3339, in UTC. */
  at: string;
  timeZone: string;
}

/** Days on which something was, or may be, another than on most. */
export const clockDays: ClockDay[] = [
  { name: 'Black Friday noon in Buenos Aires', at: '2026-11-27T15:00:00Z', timeZone: 'America/Argentina/Buenos_Aires' },
  { name: 'a change of clocks in Berlin', at: '2026-10-25T00:59:30Z', timeZone: 'Europe/Berlin' },
  { name: '29 February', at: '2028-02-29T12:00:00Z', timeZone: 'UTC' },
  { name: 'New Year’s midnight', at: '2026-12-31T23:59:30Z', timeZone: 'UTC' },
  { name: 'New Year’s midnight, where it comes first', at: '2026-12-31T09:59:30Z', timeZone: 'Pacific/Kiritimati' },
];

/**
 * The environment in which a process and its children, PostgreSQL and Redis among them, have the clock at the day. All
 * have one offset from the machine's clock, so that they agree; durations are the machine's own.
 * @returns null where the machine lacks libfaketime
 */
export function environmentOn(day: ClockDay): NodeJS.ProcessEnv | null {
  const library = findLibrary();
  if (library === null) return null;
  const offsetSeconds = Math.round((Date.parse(day.at) - Date.now()) / 1000);
  return {
    ...process.env,
    LD_PRELOAD: library,
    FAKETIME: `${offsetSeconds < 0 ? '' : '+'}${offsetSeconds}`,
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    NO_FAKE_STAT: '1',
    TZ: day.timeZone,
  };
}

/** The `faketime` command knows where its library is. */
function findLibrary(): string | null {
  const { status, stdout } = spawnSync('faketime', ['-m', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"']);
  const library = String(stdout ?? '').trim();
  return status === 0 && library !== '' ? library : null;
}
