import type { CostLine, Month } from './estimate-month.ts';

/** A line that costs another amount after a change than before it. */
export interface LineChange {
  service: string;
  item: string;
  unit: string;
  beforeCents: bigint;
  afterCents: bigint;
}

/**
 * The lines that differ between two months of the same load, in the order of the bill, those that are gone at its end.
 */
export function compareMonths(before: Month, after: Month): LineChange[] {
  const keyOf = ({ service, item, rate }: CostLine) => [service, item, rate.key].join('\n');
  const keys = [...new Set([...after.lines, ...before.lines].map(keyOf))];
  const lineOf = (month: Month, key: string) => month.lines.find((line) => keyOf(line) === key);
  return keys
    .map((key) => {
      const [earlier, later] = [lineOf(before, key), lineOf(after, key)];
      const { service, item, rate } = (later ?? earlier)!;
      return {
        service,
        item,
        unit: rate.unit,
        beforeCents: earlier?.cents ?? 0n,
        afterCents: later?.cents ?? 0n,
      };
    })
    .filter(({ beforeCents, afterCents }) => beforeCents !== afterCents);
}
