import type { LineChange } from './compare-months.ts';
import { centsOfService, type Month } from './estimate-month.ts';
import { centsText, decimalText, dollars } from './exact.ts';
import { type CostReport, monthsOf, type ScenarioMonth } from './make-report.ts';
import type { RateStatus } from './read-prices.ts';
import { services } from './rules/rule.ts';

/** Rates change a few times a year. */
const oldDays = 180;

/** The report for people. */
export function printReport(report: CostReport): string {
  const { name, prices, own } = report;
  return [
    `Cost of ${name} in a month of 730 hours, ${prices.region}, US dollars. Rates gathered on ${prices.retrieved}; ${ofWhichStatus(report)}.`,
    '',
    ...tableOf(report),
    ...(own === null ? [] : ['', `Every line at ${requests(own)}:`, ...linesOf(own)]),
    ...report.scenarios.flatMap(explain),
    '',
    'Ways to pay less, a month:',
    ...savingsOf(report),
    ...notesOf(report),
    '',
  ].join('\n');
}

/** What a change makes of the month, for people. */
export function printComparison(before: Month, after: Month, changes: LineChange[]): string {
  const difference = after.cents - before.cents;
  const head = `${requests(after)}: ${dollars(before.cents)} → ${dollars(after.cents)} a month (${signed(difference)})`;
  const rows = changes.map(({ service, item, beforeCents, afterCents }) => [
    `  ${service}: ${item}`,
    dollars(beforeCents),
    dollars(afterCents),
    signed(afterCents - beforeCents),
  ]);
  return [head, ...columns(rows), ''].join('\n');
}

/** The report for programs: amounts are decimals in quotes, so that nobody's floats change them. */
export function reportAsJson(report: CostReport): string {
  const savings = report.savings.map(({ cents, ...saving }) => ({
    ...saving,
    usd: cents.map((amount) => (amount === null ? null : centsText(amount))),
  }));
  return JSON.stringify(
    {
      name: report.name,
      region: report.prices.region,
      pricesRetrieved: report.prices.retrieved,
      scenarios: report.scenarios.map(({ scenario, month, differences }) => ({
        scenario: scenario.name,
        ...monthAsJson(month),
        strategyUsd: centsText(scenario.cents),
        differences: differences.map(({ part, strategyCents, cents, differenceCents, because }) => ({
          part,
          strategyUsd: centsText(strategyCents),
          usd: centsText(cents),
          differenceUsd: centsText(differenceCents),
          because,
        })),
      })),
      own: report.own === null ? null : monthAsJson(report.own),
      savings,
    },
    null,
    2,
  );
}

function monthAsJson(month: Month) {
  const { load, tasks, lines, cents, warnings, growthGb } = month;
  return {
    ...load,
    usd: centsText(cents),
    tasks: { always: tasks.least, atMean: Number(tasks.atMean), atPeak: Number(tasks.atPeak) },
    services: Object.fromEntries(services.map((service) => [service, centsText(centsOfService(month, service))])),
    lines: lines.map(({ service, item, rate, quantity, discount, cents: ofLine }) => ({
      service,
      item,
      quantity: decimalText(quantity, 6).replaceAll(',', ''),
      unit: rate.unit,
      rate: rate.key,
      rateUsd: rate.usd,
      status: rate.status,
      discount: discount?.key ?? null,
      usd: centsText(ofLine),
    })),
    eventGrowthGb: decimalText(growthGb, 3).replaceAll(',', ''),
    warnings,
  };
}

/** A row a service, a column a load. */
function tableOf(report: CostReport): string[] {
  const months = monthsOf(report);
  const rows = services
    .filter((service) => months.some((month) => centsOfService(month, service) > 0n))
    .map((service) => [service, ...months.map((month) => dollars(centsOfService(month, service)))]);
  const own = report.own === null ? [] : [''];
  const compared = report.isOfStrategy
    ? [
        ['The strategy', ...report.scenarios.map(({ scenario }) => dollars(scenario.cents)), ...own],
        ['Difference', ...report.scenarios.map(({ scenario, month }) => signed(month.cents - scenario.cents)), ...own],
      ]
    : [];
  return columns([
    ['', ...months.map(requests)],
    ['Tasks, in the mean and at the peak', ...months.map(({ tasks }) => `${tasks.atMean} / ${tasks.atPeak}`)],
    ...rows,
    ['In total', ...months.map(({ cents }) => dollars(cents))],
    ...compared,
  ]);
}

function linesOf({ lines }: Month): string[] {
  return columns(
    lines.map(({ service, item, rate, quantity, discount, cents }) => [
      `  ${service}: ${item}`,
      decimalText(quantity, 2),
      `${rate.unit} at ${rate.usd}${discount === null ? '' : ` less ${decimalText({ over: BigInt(Math.round(Number(discount.usd) * 100)), under: 1n }, 0)} %`}`,
      dollars(cents),
      rate.status,
    ]),
    [1, 3],
  );
}

function explain({ scenario, month, differences }: ScenarioMonth): string[] {
  if (differences.length === 0) return [];
  const head = `\nAgainst the strategy's ${dollars(scenario.cents)} for ${requests(month)} (${scenario.name}): ${signed(month.cents - scenario.cents)}`;
  const rows = differences.map(({ part, strategyCents, cents, differenceCents, because }) => [
    `  ${part}`,
    dollars(strategyCents),
    dollars(cents),
    signed(differenceCents),
    because,
  ]);
  return [head, ...columns(rows, [1, 2, 3])];
}

function savingsOf(report: CostReport): string[] {
  const months = monthsOf(report);
  const rows = report.savings.map(({ name, flag, price, isInEffect, cents }) => [
    `  ${name}`,
    ...cents.map((amount) => (amount === null ? 'no rate' : dollars(amount))),
    `${isInEffect ? 'counted above' : `with ${flag}`}; takes ${price}`,
  ]);
  const numbers = months.map((_month, index) => index + 1);
  return columns([['', ...months.map(requests), ''], ...rows], numbers);
}

function notesOf(report: CostReport): string[] {
  const notes = monthsOf(report).flatMap((month) => {
    const growth = decimalText(month.growthGb, 0);
    const kept = growth === '0' ? [] : [`each further month of events that the database keeps is ${growth} GB more`];
    return [...kept, ...month.warnings].map((note) => `  ${requests(month)}: ${note}`);
  });
  if (report.daysOld > oldDays) {
    notes.push(`  the rates are ${report.daysOld} days old: docs/costs.md says how to read them anew`);
  }
  return notes.length === 0 ? [] : ['', 'To know:', ...notes];
}

/** How much of the dearest month stands on rates of each status. */
function ofWhichStatus(report: CostReport): string {
  const dearest = monthsOf(report).reduce((a, b) => (b.cents > a.cents ? b : a));
  const sums = new Map<RateStatus, bigint>();
  for (const { rate, cents } of dearest.lines) sums.set(rate.status, (sums.get(rate.status) ?? 0n) + cents);
  const shares = [...sums].map(([status, cents]) => `${dollars(cents)} ${status}`);
  return `of the month with ${requests(dearest)}: ${shares.join(', ')}`;
}

function requests({ load }: Month): string {
  return `${load.requestsPerDay.toLocaleString('en-US')} a day`;
}

function signed(cents: bigint): string {
  return cents > 0n ? `+${dollars(cents)}` : dollars(cents);
}

/** Rows as columns of equal width. @param right columns that are numbers; all but the first unless given */
function columns(rows: string[][], right?: number[]): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length)));
  const isRight = (at: number) => (right === undefined ? at > 0 : right.includes(at));
  return rows.map((row) =>
    row
      .map((cell, at) => (isRight(at) ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  );
}
