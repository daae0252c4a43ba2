import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatNumber, formatTick } from '../language/formats.ts';
import { theme } from '../language/theme.ts';
import { messages } from '../messages/messages.ts';
import { Table } from './list-table.tsx';

/** A line of a chart. */
export interface Series {
  label: string;
  values: readonly number[];
  /** Which of the chart's colours it has; each is also told by its label. */
  tone: 1 | 2 | 3 | 4 | 5;
}

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

/** As high as suits the width: a wall's screen has room for more. */
const heightFor = (width: number) => Math.round(Math.max(220, Math.min(380, width * 0.22)));
/** One line of text below the axis. */
const axisPixels = 34;

/**
 * Lines over time, with a table of the same numbers. The arrow keys go from step to step, as on a slider, and a screen
 * reader says the numbers of each.
 */
export function Chart({ caption, times, series, zone, nameStep, stepTitle }: ChartProps) {
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [at, setAt] = useState(Math.max(0, times.length - 1));
  const colours = theme.value;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    let undo = () => {};
    let isGone = false;
    // Read when the first chart is drawn: most pages have none, and it weighs as much as half of the rest.
    void import('uplot').then(({ default: Plot }) => {
      if (isGone) return;
      const options = optionsOf(Plot, element, series, zone, setAt);
      const made = new Plot(options, [[...times], ...series.map(({ values }) => [...values])], element);
      plot.current = made;
      const watch = new ResizeObserver(() => {
        const { clientWidth: width } = element;
        made.setSize({ width, height: heightFor(width) });
      });
      watch.observe(element);
      undo = () => {
        watch.disconnect();
        made.destroy();
        plot.current = null;
      };
    });
    return () => {
      isGone = true;
      undo();
    };
    // A new theme draws it in other colours.
  }, [times, series, zone, colours]);

  const index = Math.min(at, times.length - 1);
  const goTo = (step: number) => {
    const next = Math.max(0, Math.min(times.length - 1, step));
    setAt(next);
    const drawn = plot.current;
    drawn?.setCursor({ left: drawn.valToPos(times[next]!, 'x'), top: drawn.height / 3 });
  };
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
            goTo(step);
          }}
        >
          <div ref={holder} />
        </div>
      )}
      <p class="chart-reading">{words}</p>
      <ul class="legend">
        {series.map(({ label, tone }) => (
          <li key={label} class={`tone-${tone}`}>
            <span class="legend-mark" aria-hidden="true" />
            <span class="legend-label">{label}</span>
          </li>
        ))}
      </ul>
      <details>
        <summary>{messages().common.asTable}</summary>
        <Table
          caption={caption}
          columns={[
            { title: stepTitle, cell: (row: number) => nameStep(times[row]!), isHead: true },
            ...series.map(({ label, values }) => ({
              title: label,
              cell: (row: number) => formatNumber(values[row]!),
              isNumber: true,
            })),
          ]}
          rows={times.map((_time, row) => row)}
          keyOf={String}
        />
      </details>
    </figure>
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
  return `${nameStep(time)}: ${series.map(({ label, values }) => `${label} ${formatNumber(values[index]!)}`).join(' · ')}`;
}

function stepOfKey(key: string, index: number, count: number): number | null {
  switch (key) {
    case 'ArrowLeft':
    case 'ArrowDown':
      return index - 1;
    case 'ArrowRight':
    case 'ArrowUp':
      return index + 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}

function optionsOf(
  Plot: typeof uPlot,
  element: HTMLElement,
  series: readonly Series[],
  zone: string,
  onStep: (index: number) => void,
): uPlot.Options {
  const ink = colourOf(element, 'chart-ink');
  const grid = colourOf(element, 'chart-grid');
  const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width: element.clientWidth,
    height: heightFor(element.clientWidth),
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1_000), zone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    axes: [
      { ...axis, size: axisPixels, values: (_plot, ticks) => ticks.map((seconds) => formatTick(seconds, zone)) },
      {
        ...axis,
        values: (_plot, values) => values.map((value) => (Number.isInteger(value) ? formatNumber(value) : '')),
        size: 64,
      },
    ],
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(1, high * 1.05)] } },
    series: [
      {},
      ...series.map(({ label, tone }, at) => ({
        label,
        stroke: colourOf(element, `tone-${tone}`),
        // The first is the one that the others are a part of.
        ...(at === 0 ? { fill: colourOf(element, 'chart-fill') } : {}),
        width: 2,
        points: { show: false },
      })),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          if (typeof plot.cursor.idx === 'number') onStep(plot.cursor.idx);
        },
      ],
    },
  };
}

/** The colour that a class gives at this moment, which a canvas can't look up for itself. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.className = name;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
