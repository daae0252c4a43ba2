import type { HandlerFigures } from '../parts/process-figures.ts';
import type { ScenarioResult } from '../parts/scenario.ts';
import type { SteadyLoad } from '../parts/steady-load.ts';
import type { Transfers } from '../parts/transfers.ts';
import type { DayFigures } from './day.ts';
import type { Machine } from './machine.ts';
import type { Ratios } from './ratios.ts';

/** Everything that a run found. */
export interface BenchReport {
  ratios: Ratios;
  scenarios: ScenarioResult[];
  transfers: Transfers | null;
  /** At 70 % of the highest load, p99 to p50. */
  tails: { name: string; tail: number }[];
  steady: SteadyLoad | null;
  startSeconds: number | null;
  resident: { bytes: number; operations: number } | null;
  handlers: HandlerFigures[];
  day: DayFigures | null;
  brokenInvariants: { database: string; name: string; rows: unknown[] }[];
  machine: Machine;
  quick: boolean;
  seconds: number;
}

const columns: [string, (result: ScenarioResult, echo: number | null) => string][] = [
  ['scenario', ({ name }) => name],
  ['/s', ({ perSecond }) => whole(perSecond)],
  ['to echo', ({ perSecond }, echo) => (echo === null ? '' : `${Math.round((perSecond / echo) * 100)} %`)],
  ['p50 ms', ({ p50Millis }) => decimals(p50Millis, 1)],
  ['p99 ms', ({ p99Millis }) => decimals(p99Millis, 1)],
  ['max ms', ({ maxMillis }) => decimals(maxMillis, 0)],
  ['API s/1,000', ({ serverCpu }) => decimals(serverCpu, 3)],
  ['DB s/1,000', ({ databaseCpu }) => decimals(databaseCpu, 3)],
  ['WAL B', ({ walBytes }) => whole(walBytes)],
  ['batch', ({ batch }) => decimals(batch, 0)],
  ['wrk CPU', ({ generatorShare }) => (generatorShare === null ? '' : `${Math.round(generatorShare * 100)} %`)],
  ['failed', ({ failed }) => (failed === 0 ? '' : whole(failed))],
];

/** The report as Markdown that reads well in a terminal. */
export function formatReport(report: BenchReport): string {
  return [
    formatMachine(report),
    formatScenarios(report.scenarios),
    formatRatios(report.ratios),
    formatRest(report),
  ].join('\n\n');
}

function formatMachine({ machine, quick, seconds }: BenchReport): string {
  const { processors, processor, memoryGigabytes, flushMillis, loadAtStart, settings } = machine;
  return [
    `${quick ? 'Quick' : 'Full'} run of ${Math.round(seconds)} s on ${processors} × ${processor}, ${memoryGigabytes} GB,`,
    `Linux ${machine.kernel}; Node ${machine.node}, PostgreSQL ${machine.postgres}, wrk ${machine.wrk}.`,
    `A flush to the disk takes ${flushMillis.toFixed(2)} ms; load at the start ${loadAtStart.toFixed(1)}.`,
    `PostgreSQL: ${Object.entries(settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(', ')}.`,
  ].join('\n');
}

function formatScenarios(scenarios: ScenarioResult[]): string {
  const echo = scenarios.find(({ name }) => name === 'echo assign')?.perSecond ?? null;
  return formatTable(
    columns.map(([title]) => title),
    scenarios.map((result) => columns.map(([, format]) => format(result, echo))),
  );
}

function formatRatios(ratios: Ratios): string {
  return formatTable(
    ['ratio', 'value'],
    Object.entries(ratios).map(([name, value]) => [name, decimals(value as number | null, 2)]),
  );
}

function formatRest({
  transfers,
  tails,
  steady,
  startSeconds,
  resident,
  handlers,
  day,
  brokenInvariants,
}: BenchReport): string {
  const lines = tails.map(({ name, tail }) => `${name}: p99 is ${tail.toFixed(1)} times p50.`);
  if (transfers !== null) {
    const { codes, uploadPerSecond, copyInPerSecond, exportPerSecond, copyOutPerSecond, billionMillis } = transfers;
    lines.push(
      `Upload of ${whole(codes)} codes: ${whole(uploadPerSecond)}/s, psql \\copy ${whole(copyInPerSecond)}/s.`,
      `Export: ${whole(exportPerSecond)}/s, psql \\copy ${whole(copyOutPerSecond)}/s.`,
      `A book of 10^9 generated codes: ${decimals(billionMillis, 0)} ms.`,
    );
  }
  if (steady !== null) {
    const { before, after } = steady.bytesPerEvent;
    lines.push(
      `The day’s mix without a break: the last third ran at ${Math.round(steady.drift * 100)} % of the first; ${whole(before)} bytes an event before, ${whole(after)} after; ${steady.failed} failed.`,
    );
  }
  if (startSeconds !== null) lines.push(`API from start to ready: ${startSeconds.toFixed(2)} s.`);
  if (resident !== null) {
    lines.push(`Resident after ${whole(resident.operations)} operations: ${Math.round(resident.bytes / 2 ** 20)} MB.`);
  }
  if (handlers.length === 0) lines.push('Handlers: none here, so none measured.');
  for (const { name, bundleBytes, importMillis } of handlers) {
    lines.push(`Handler ${name}: ${whole(bundleBytes / 1024)} kB, imported in ${decimals(importMillis, 0)} ms.`);
  }
  if (day !== null) {
    lines.push(
      `A million requests of the mix cost ${whole(day.serverCpuSecondsPerMillion)} CPU s of the API and ${whole(day.databaseCpuSecondsPerMillion)} of PostgreSQL; the peak of a day of 10 million (${whole(day.peakPerSecond)}/s) needs ${day.tasksAtPeak.toFixed(2)} tasks of 0.5 vCPU at that cost, which is that of full batches.`,
    );
  }
  lines.push(
    brokenInvariants.length === 0
      ? 'Invariants: all kept.'
      : `INVARIANTS BROKEN: ${brokenInvariants.map(({ database, name }) => `${database}: ${name}`).join('; ')}`,
  );
  return lines.map((line) => `- ${line}`).join('\n');
}

function formatTable(titles: string[], rows: string[][]): string {
  const widths = titles.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const line = (cells: string[]) =>
    `| ${cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(' | ')} |`;
  const rule = `|${widths.map((width, at) => (at === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(titles), rule, ...rows.map(line)].join('\n');
}

function whole(value: number | null): string {
  return value === null || Number.isNaN(value) ? '' : Math.round(value).toLocaleString('en-US');
}

function decimals(value: number | null, digits: number): string {
  return value === null || Number.isNaN(value) ? '' : value.toFixed(digits);
}
