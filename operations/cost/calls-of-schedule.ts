import { BadInput } from './bad-input.ts';
import { divide, type Exact, exact, multiply } from './exact.ts';
import { hoursOfMonth } from './measured.ts';

const minutesOf: Record<string, number> = { minute: 1, hour: 60, day: 1440 };

/**
 * How often a schedule of EventBridge calls in a month: `rate(5 minutes)`, `cron(0 6 * * ? *)` for each day at six.
 * @param name of the schedule, for what is said of it
 * @throws BadInput where it is of a form that is not counted here
 */
export function callsOfSchedule(expression: string, name: string): Exact {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    return divide(multiply(hoursOfMonth, exact(60)), exact(Number(rate[1]) * minutesOf[rate[2]!]!));
  }
  if (/^at\(/.test(expression)) return exact(1);
  const cron = /^cron\((\d+) (\d+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(expression);
  if (cron === null) {
    throw new BadInput(
      `${name}: how often does ${expression} call? operations/cost/calls-of-schedule.ts counts rates and fixed times of a day`,
    );
  }
  const [, , , dayOfMonth, month, dayOfWeek] = cron;
  const isOnceAMonth = /^\d+$|^L$/.test(dayOfMonth!) || /#/.test(dayOfWeek!);
  if (isOnceAMonth || month !== '*') return exact(1);
  if (/^[*?]$/.test(dayOfWeek!)) return divide(hoursOfMonth, exact(24));
  return divide(hoursOfMonth, exact(24 * 7));
}
