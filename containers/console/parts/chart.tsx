import { useState } from 'preact/hooks';
import { formatNumber } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { LinePlot, type Series } from './line-plot.tsx';
import { Table } from './list-table.tsx';

/** What a chart shows. */
export interface ChartProps {
  /** What is to be seen, in words: the chart's name for those who do not see it, and its caption. */
  caption: string;
  /** The beginning of each step, in seconds since 1970. */
  times: readonly number[];
  series: readonly Series[];
  /** The zone on whose clocks the steps are. */
  zone: string;
  /** The name of a step, such as `28 Nov 2026, 21:00`. */
  nameStep: (seconds: number) => string;
  /** The heading of the table's first column. */
  stepTitle: string;
}

/**
 * Lines over time, with a table of the same numbers. The arrow keys go from step to step, as on a slider, and a screen
 * reader says the numbers of each.
 */
export function Chart(props: ChartProps) {
  const { caption, times, series, zone, nameStep } = props;
  const [at, setAt] = useState(Math.max(0, times.length - 1));
  const index = Math.min(at, times.length - 1);
  const words = describe(index, times, series, nameStep);
  return (
    <figure class="chart">
      <figcaption>{caption}</figcaption>
      {times.length > 0 && (
        <div
          class="chart-plot"
          role="slider"
          tabIndex={0}
          aria-label={caption}
          aria-valuemin={0}
          aria-valuemax={times.length - 1}
          aria-valuenow={index}
          aria-valuetext={words}
          onKeyDown={(event) => {
            const step = stepOfKey(event.key, index, times.length);
            if (step === null) return;
            event.preventDefault();
            setAt(step);
          }}
        >
          <LinePlot times={times} series={series} zone={zone} at={index} onStep={setAt} />
        </div>
      )}
      <p class="chart-reading">{words}</p>
      <Legend series={series} />
      <ChartTable {...props} />
    </figure>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  return (
    <ul class="legend">
      {series.map(({ label, tone }) => (
        <li key={label} class={`tone-${tone}`}>
          <span class="legend-mark" aria-hidden="true" />
          <span class="legend-label">{label}</span>
        </li>
      ))}
    </ul>
  );
}

/** The same numbers for those who would rather read them. */
function ChartTable({ caption, times, series, nameStep, stepTitle }: ChartProps) {
  return (
    <details>
      <summary>{messages().common.asTable}</summary>
      <Table
        caption={caption}
        columns={[
          // Above its time, a day leaves room for every column of numbers on a phone.
          { title: stepTitle, cell: (row: number) => nameStep(times[row]!).replace(',\u00A0', ', '), isHead: true },
          ...series.map(({ label, values }) => ({
            title: label,
            cell: (row: number) => formatNumber(values[row]!),
            isNumber: true,
          })),
        ]}
        rows={times.map((_time, row) => row)}
        keyOf={String}
        staysGrid
      />
    </details>
  );
}

function describe(
  index: number,
  times: readonly number[],
  series: readonly Series[],
  nameStep: (seconds: number) => string,
): string {
  const time = times[index];
  if (time === undefined) return '';
  return `${nameStep(time)}: ${series.map(({ label, values }) => `${label} ${formatNumber(values[index]!)}`).join('\u00a0· ')}`;
}

/** The step that a key leads to, within those that are there; null: the key leads nowhere. */
function stepOfKey(key: string, index: number, count: number): number | null {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return Math.max(0, index - 1);
    case 'ArrowRight':
    case 'ArrowUp':
      return Math.min(count - 1, index + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
