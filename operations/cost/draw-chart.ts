import { centsOfService, type Month } from './estimate-month.ts';
import { dollars } from './exact.ts';
import type { Service } from './rules/rule.ts';
import { scenarios } from './strategy.ts';

/** Parts of the bill that are one band of the chart, from the bottom up. */
const bands: { name: string; colour: string; services: Service[] }[] = [
  { name: 'Database and backups', colour: '#2f6f8f', services: ['Database', 'Backups'] },
  { name: 'Tasks', colour: '#5b8c5a', services: ['Fargate', 'Container Insights'] },
  { name: 'Cache', colour: '#8f5b8c', services: ['Cache'] },
  {
    name: 'Load balancer, network',
    colour: '#c08a3e',
    services: ['Load balancer', 'Endpoints and NAT', 'Public addresses', 'Data transfer', 'Names'],
  },
  { name: 'Firewall', colour: '#b0534a', services: ['Firewall'] },
  { name: 'Logs, metrics, alarms', colour: '#7a8794', services: ['Logs', 'Metrics and alarms'] },
  {
    name: 'Keys, secrets, storage, functions',
    colour: '#c9ced3',
    services: ['Keys', 'Secrets', 'Storage', 'Registry', 'Functions and schedules'],
  },
];

const size = { width: 880, height: 480, left: 70, right: 230, top: 50, bottom: 60 };
const ink = '#1f2933';
const leastLoad = 1_000;
const mostLoad = 20_000_000;

/** The loads at which the chart needs a month, in requests a day, evenly apart on a logarithmic axis. */
export const loadsOfChart = Array.from({ length: 49 }, (_, index) =>
  Math.round(leastLoad * (mostLoad / leastLoad) ** (index / 48)),
);

/**
 * A chart of a month's cost against the load, as SVG: the parts of the bill one on another.
 * @param months one for each of loadsOfChart, in their order
 * @param ofScenarios those of the strategy's scenarios, whose totals are written beside the bands
 * @param isOfStrategy whether the strategy's own totals are shown beside them
 */
export function drawChart(title: string, months: Month[], ofScenarios: Month[], isOfStrategy: boolean): string {
  const points = isOfStrategy ? scenarios : [];
  const totals = [...months.map(({ cents }) => cents), ...points.map(({ cents }) => cents)].map(dollarsOf);
  const most = Math.ceil(Math.max(...totals) / 500) * 500;
  const x = (requests: number) =>
    size.left +
    (Math.log(requests / leastLoad) / Math.log(mostLoad / leastLoad)) * (size.width - size.left - size.right);
  const y = (usd: number) => size.height - size.bottom - (usd / most) * (size.height - size.top - size.bottom);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${size.width}" height="${size.height}" fill="#ffffff"/>`,
    text(12, 24, title, { size: 15 }),
    ...gridOf(most, x, y),
    ...areasOf(months, x, y),
    ...points.flatMap(({ name, requestsPerDay, cents }) => [
      `<path d="M${round(x(requestsPerDay))} ${round(y(dollarsOf(cents)) - 6)}l6 6l-6 6l-6 -6z" fill="#ffffff" stroke="${ink}" stroke-width="2"/>`,
      text(x(requestsPerDay) - 11, y(dollarsOf(cents)) - 8, `strategy, ${name}: ${wholeDollars(cents)}`, {
        anchor: 'end',
      }),
    ]),
    ...totalsOf(ofScenarios, x, y),
    ...legendOf(),
    '</svg>',
    '',
  ].join('\n');
}

type Scale = (value: number) => number;

function gridOf(most: number, x: Scale, y: Scale): string[] {
  const right = size.width - size.right;
  const rows = Array.from({ length: most / 500 + 1 }, (_, index) => index * 500).flatMap((usd) => [
    `<line x1="${size.left}" x2="${right}" y1="${round(y(usd))}" y2="${round(y(usd))}" stroke="#e3e7ea"/>`,
    text(size.left - 8, y(usd) + 4, `$${usd.toLocaleString('en-US')}`, { anchor: 'end' }),
  ]);
  const columns = [1_000, 10_000, 100_000, 1_000_000, 10_000_000].flatMap((requests) => [
    `<line x1="${round(x(requests))}" x2="${round(x(requests))}" y1="${round(y(0))}" y2="${round(y(0) + 5)}" stroke="${ink}"/>`,
    text(x(requests), y(0) + 20, requests.toLocaleString('en-US'), { anchor: 'middle' }),
  ]);
  return [...rows, ...columns, text((size.left + right) / 2, size.height - 14, 'requests a day', { anchor: 'middle' })];
}

/** Each band lies on those before it. */
function areasOf(months: Month[], x: Scale, y: Scale): string[] {
  const below = months.map(() => 0);
  return bands.map(({ name, colour, services }) => {
    const lower = months.map((_month, at) => [x(loadsOfChart[at]!), y(below[at]!)]);
    for (const [at, month] of months.entries()) below[at]! += dollarsOf(centsOfService(month, ...services));
    const upper = months.map((_month, at) => [x(loadsOfChart[at]!), y(below[at]!)]);
    const points = [...upper, ...lower.reverse()].map((point) => point.map(round).join(',')).join(' ');
    return `<polygon points="${points}" fill="${colour}"><title>${escapeXml(name)}</title></polygon>`;
  });
}

/** The total as a figure above the bands, at each of the strategy's loads. */
function totalsOf(ofScenarios: Month[], x: Scale, y: Scale): string[] {
  return ofScenarios.map(({ load, cents }) =>
    text(x(load.requestsPerDay) - 12, y(dollarsOf(cents)) - 6, wholeDollars(cents), { anchor: 'end', weight: 'bold' }),
  );
}

function legendOf(): string[] {
  const left = size.width - size.right + 14;
  return bands
    .toReversed()
    .flatMap(({ name, colour }, index) => [
      `<rect x="${left}" y="${size.top + index * 22}" width="14" height="14" fill="${colour}"/>`,
      text(left + 20, size.top + index * 22 + 11, name),
    ]);
}

/** For pixels alone. */
function dollarsOf(cents: bigint): number {
  return Number(cents) / 100;
}

function wholeDollars(cents: bigint): string {
  return dollars(((cents + 50n) / 100n) * 100n).replace(/\.00$/, '');
}

function text(
  x: number,
  y: number,
  value: string,
  style: { anchor?: string; size?: number; weight?: string } = {},
): string {
  const { anchor = 'start', size: points = 12, weight = 'normal' } = style;
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${points}" font-weight="${weight}" fill="${ink}">${escapeXml(value)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
