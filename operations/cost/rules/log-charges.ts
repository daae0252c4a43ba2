import { divide, type Exact, exact, multiply } from '../exact.ts';
import { hoursOfMonth } from '../measured.ts';
import { wholeOf } from '../template.ts';
import type { Charge, RuleContext } from './rule.ts';

/**
 * What it costs to write so much to a log group in a month, and to keep it for the group's days. CloudWatch stores it
 * compressed, to about a seventh; it is counted whole here.
 * @param group the name of the group's resource; null where another stack has it, and then a month is kept
 * @param ingest the key of the rate by which the writer is charged
 */
export function logCharges(
  item: string,
  gigabytesOfMonth: Exact,
  group: string | null,
  { template }: RuleContext,
  ingest: 'logs.ingest' | 'logs.ingest.vended' = 'logs.ingest',
): Charge[] {
  const found = group === null ? undefined : template.find(group);
  const days = exact(found === undefined ? 30 : wholeOf(found, 'RetentionInDays'));
  const monthsKept = divide(multiply(days, exact(24)), hoursOfMonth);
  return [
    { service: 'Logs', item: `${item}, written`, rate: ingest, quantity: gigabytesOfMonth },
    {
      service: 'Logs',
      item: 'all of them, kept',
      rate: 'logs.storage',
      quantity: multiply(gigabytesOfMonth, monthsKept),
    },
  ];
}
