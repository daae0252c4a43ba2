import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A moment at which the tests are run: no test's outcome may hang on the day. */
export interface ClockDay {
  name: string;
  /** The machine's time when the run begins: RFC 3339. */
  at: string;
  timeZone: string;
}

/** Days on which something is, or may be, another than on most. */
export const clockDays: ClockDay[] = [
  {
    name: 'Black Friday in Buenos Aires',
    at: '2029-11-23T12:00:00-03:00',
    timeZone: 'America/Argentina/Buenos_Aires',
  },
  { name: 'the end of summer time in Berlin', at: '2029-10-28T02:59:30+02:00', timeZone: 'Europe/Berlin' },
  { name: '29 February', at: '2028-02-29T12:00:00Z', timeZone: 'UTC' },
  { name: 'New Year’s midnight', at: '2029-12-31T23:59:30Z', timeZone: 'UTC' },
  { name: 'New Year’s midnight where it comes first', at: '2029-12-31T23:59:30+14:00', timeZone: 'Pacific/Kiritimati' },
];

const atDay = fileURLToPath(new URL('at-day.sh', import.meta.url));

/** The command that runs another one, which follows it, on the day. */
export function commandOn({ at, timeZone }: ClockDay): string[] {
  return ['bash', atDay, at, timeZone];
}

/** Whether this machine can run anything on another day. */
export function hasOtherClocks(): boolean {
  return spawnSync('cc', ['--version']).status === 0;
}
