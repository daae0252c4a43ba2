import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScenarioResult } from '../parts/scenario.ts';
import type { BenchReport } from './report.ts';

const width = 760;
const labelWidth = 270;
const rowHeight = 24;
const colours = { product: '#2f6f8f', reference: '#b0b7bd', flatness: '#5b8c5a', ink: '#1f2933' };

/** Writes a run's plots as SVG files: throughput, flatness, and the unbroken run where there was one. */
export function writePlots(report: BenchReport, directory: string): void {
  mkdirSync(directory, { recursive: true });
  const of = (part: string) => report.scenarios.filter((scenario) => scenario.part === part);
  const speed = [...of('reference'), ...of('product')];
  if (speed.length > 0) {
    writeFileSync(join(directory, 'throughput.svg'), plotBars('Requests a second, median of the repeats', speed));
  }
  if (of('flatness').length > 0) {
    writeFileSync(
      join(directory, 'flatness.svg'),
      plotBars('Requests a second by codes in the book and coupons there', of('flatness')),
    );
  }
  if (report.steady !== null) {
    const rates = report.steady.stretches.map(({ perSecond }) => perSecond);
    writeFileSync(join(directory, 'steady.svg'), plotLine('The day’s mix at full rate, requests a second', rates));
  }
}

/** A bar a scenario, with a thin line from the slowest to the fastest repeat. */
function plotBars(title: string, results: ScenarioResult[]): string {
  const most = Math.max(...results.flatMap(({ repeats, perSecond }) => [...repeats, perSecond]));
  const scale = (width - labelWidth - 90) / most;
  const rows = results.map(({ name, part, perSecond, repeats }, at) => {
    const y = 40 + at * rowHeight;
    const middle = y + rowHeight / 2 - 2;
    const [low, high] = [Math.min(...repeats), Math.max(...repeats)].map((rate) => labelWidth + rate * scale);
    const colour = colours[part as keyof typeof colours] ?? colours.product;
    return [
      text(labelWidth - 8, middle + 4, name, 'end'),
      `<rect x="${labelWidth}" y="${y}" width="${round(perSecond * scale)}" height="${rowHeight - 6}" fill="${colour}"/>`,
      `<line x1="${round(low!)}" x2="${round(high!)}" y1="${middle}" y2="${middle}" stroke="${colours.ink}"/>`,
      text(
        Math.max(high!, labelWidth + perSecond * scale) + 6,
        middle + 4,
        Math.round(perSecond).toLocaleString('en-US'),
      ),
    ].join('');
  });
  return frame(title, 50 + results.length * rowHeight, rows.join('\n'));
}

function plotLine(title: string, values: number[]): string {
  const height = 220;
  const most = Math.max(...values) * 1.1;
  const x = (at: number) => 60 + (at / Math.max(1, values.length - 1)) * (width - 90);
  const y = (value: number) => height - 30 - (value / most) * (height - 80);
  const points = values.map((value, at) => `${round(x(at))},${round(y(value))}`).join(' ');
  const marks = [0, 0.5, 1].map((share) => {
    const value = (most / 1.1) * share;
    return text(52, y(value) + 4, Math.round(value).toLocaleString('en-US'), 'end');
  });
  const line = `<polyline points="${points}" fill="none" stroke="${colours.product}" stroke-width="2"/>`;
  return frame(title, height, [line, ...marks].join('\n'));
}

function frame(title: string, height: number, content: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">
<title>${escapeXml(title)}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
<text x="12" y="22" font-size="14" fill="${colours.ink}">${escapeXml(title)}</text>
${content}
</svg>
`;
}

function text(x: number, y: number, value: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" fill="${colours.ink}">${escapeXml(value)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escapeXml(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
