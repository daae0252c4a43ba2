import { describe, expect, test } from '@jest/globals';
import { callsOfSchedule } from '../../../operations/cost/calls-of-schedule.ts';
import { compareMonths } from '../../../operations/cost/compare-months.ts';
import { drawChart, loadsOfChart } from '../../../operations/cost/draw-chart.ts';
import { asPackaged, estimateMonth } from '../../../operations/cost/estimate-month.ts';
import { decimalText } from '../../../operations/cost/exact.ts';
import { findSavings } from '../../../operations/cost/find-savings.ts';
import { makeReport } from '../../../operations/cost/make-report.ts';
import { printComparison, printReport, reportAsJson } from '../../../operations/cost/print-report.ts';
import { readOptions } from '../../../operations/cost/read-options.ts';
import { readPrices } from '../../../operations/cost/read-prices.ts';
import { differencesFrom, loadOf, scenarios } from '../../../operations/cost/strategy.ts';
import { smallTemplate } from './small-template.ts';

const prices = readPrices('us-east-1');
/** The day on which the rates were gathered. */
const gathered = Date.parse(prices.retrieved);
const shared = { requestsPerConnection: 10, monthsKept: 1 };
const Cache = (engine: string, nodes = 2) => ({
  Type: 'AWS::ElastiCache::ReplicationGroup',
  Properties: { Engine: engine, CacheNodeType: 'cache.t4g.small', NumCacheClusters: nodes, SnapshotRetentionLimit: 0 },
});

describe('the strategy’s scenarios', () => {
  test('are its own tables: its lines come to $474.16, $647.85 and $2,111.45 beside totals of $474, $740 and $2,200', () => {
    const sums = scenarios.map(({ lines }) => Object.values(lines).reduce((sum, cents) => sum + cents, 0n));
    expect(sums).toEqual([47_416n, 64_785n, 211_145n]);
    expect(scenarios.map(({ cents }) => cents)).toEqual([47_400n, 74_000n, 220_000n]);
  });

  test('differ from a month by differences that add up to the cent, each with its reason', () => {
    for (const scenario of scenarios) {
      const month = estimateMonth(smallTemplate({ Cache: Cache('redis') }), loadOf(scenario, shared), prices);
      const differences = differencesFrom(scenario, month);
      const sum = differences.reduce((total, { differenceCents }) => total + differenceCents, 0n);
      expect(sum).toBe(month.cents - scenario.cents);
      for (const { because } of differences) expect(because.length).toBeGreaterThan(8);
    }
  });
});

describe('the report', () => {
  const template = smallTemplate({ Cache: Cache('valkey') });
  const options = readOptions(['--requests-per-day', '250000']);
  const report = makeReport(template, prices, options, gathered);

  test('shows every load beside the strategy, every line of the load that was asked for, and what each way saves', () => {
    const text = printReport(report);
    expect(text).toMatch(/10,000 a day +1,000,000 a day +10,000,000 a day +250,000 a day/);
    expect(text).toMatch(/The strategy +\$474\.00 +\$740\.00 +\$2,200\.00/);
    expect(text).toContain('Every line at 250,000 a day:');
    expect(text).toMatch(/Fargate: 2 tasks that always run .* 730 {2}vCPU-hour at 0\.04048 +\$29\.55 {2}second-hand/);
    expect(text).toMatch(/in none of its lines +\$92\.15/);
    expect(text).toMatch(/Graviton tasks .* with --graviton; takes an image for ARM/);
    expect(text).toContain('each further month of events that the database keeps is 140 GB more');
  });

  test('says when its rates are more than half a year old', () => {
    const printedAfter = (days: number) =>
      printReport(makeReport(template, prices, options, gathered + days * 86_400_000));
    expect(printedAfter(180)).not.toContain('days old');
    expect(printedAfter(181)).toContain('the rates are 181 days old');
  });

  test('as JSON has amounts as decimals in quotes that add up', () => {
    const json = JSON.parse(reportAsJson(report));
    expect(json.scenarios.map(({ strategyUsd }: { strategyUsd: string }) => strategyUsd)).toEqual([
      '474.00',
      '740.00',
      '2200.00',
    ]);
    for (const { usd, lines } of [...json.scenarios, json.own]) {
      const cents = lines.map((line: { usd: string }) => Number(line.usd.replace('.', '')));
      expect(cents.reduce((a: number, b: number) => a + b)).toBe(Number(usd.replace('.', '')));
      for (const line of lines) expect(line.usd).toMatch(/^\d+\.\d\d$/);
    }
    expect(json.own.requestsPerDay).toBe(250_000);
  });

  test('of another stage than the strategy’s compares nothing with it', () => {
    const text = printReport(makeReport(template, prices, readOptions(['--stage', 'dev']), gathered));
    expect(text).not.toContain('strategy');
  });

  test('as a chart has a band for every part of the bill, up to the total', () => {
    const months = loadsOfChart.map((requestsPerDay) =>
      estimateMonth(template, { ...shared, requestsPerDay, hasBlackFriday: false }, prices),
    );
    const svg = drawChart(
      'Cost',
      months,
      report.scenarios.map(({ month }) => month),
      true,
    );
    expect(svg.match(/<polygon/g)).toHaveLength(7);
    expect(svg).toContain('strategy, Black Friday: $2,200');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('a way to pay less', () => {
  test('is said to be in effect where the template has it, and what it saves does not hang on that', () => {
    const load = { ...shared, requestsPerDay: 10_000, hasBlackFriday: false };
    const savingsOf = (engine: string) => {
      const savings = findSavings(smallTemplate({ Cache: Cache(engine) }), [load], prices, asPackaged);
      return savings.find(({ name }) => name === 'Valkey');
    };
    // 2 × 730 × (0.032 − 0.0256) = 9.344.
    expect(savingsOf('redis')).toMatchObject({ isInEffect: false, cents: [934n] });
    expect(savingsOf('valkey')).toMatchObject({ isInEffect: true, cents: [934n] });
  });
});

describe('a change', () => {
  test('is shown by the lines that differ, those that came and those that went', () => {
    const load = { ...shared, requestsPerDay: 10_000, hasBlackFriday: false };
    const [before, after] = [Cache('redis'), Cache('valkey', 3)].map((one) =>
      estimateMonth(smallTemplate({ Cache: one }), load, prices),
    );
    const changes = compareMonths(before!, after!);
    expect(changes.map(({ item, beforeCents, afterCents }) => [item, beforeCents, afterCents])).toEqual([
      // 3 × 730 × 0.0256 and 2 × 730 × 0.032.
      ['3 × cache.t4g.small, valkey', 0n, 5606n],
      ['2 × cache.t4g.small, redis', 4672n, 0n],
    ]);
    const text = printComparison(before!, after!, changes);
    expect(text).toMatch(/10,000 a day: \$\d+\.\d\d → \$\d+\.\d\d a month \(\+\$9\.34\)/);
    expect(compareMonths(after!, after!)).toEqual([]);
  });
});

describe('a schedule', () => {
  test.each([
    ['rate(5 minutes)', '8,760'],
    ['rate(1 hour)', '730'],
    ['rate(1 day)', '30.42'],
    ['cron(0 6 * * ? *)', '30.42'],
    ['cron(0 9 ? * 3#1 *)', '1'],
    ['cron(0 9 1 * ? *)', '1'],
    ['cron(0 9 ? * MON *)', '4.35'],
    ['at(2026-11-27T08:00)', '1'],
  ])('of %s calls %s times a month', (expression, calls) => {
    expect(decimalText(callsOfSchedule(expression, 'Schedule'), 2)).toBe(calls);
  });

  test('of another form stops the estimate with its name', () => {
    expect(() => callsOfSchedule('cron(*/5 * * * ? *)', 'Often')).toThrow(
      'Often: how often does cron(*/5 * * * ? *) call?',
    );
  });
});
