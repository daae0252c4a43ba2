import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { formatNumber, formatTick } from '../language/formats.ts';
import { theme } from '../language/theme.ts';

/** A line of a chart. */
export interface Series {
  label: string;
  values: readonly number[];
  /** Which of the chart's colours it has; each is also told by its label. */
  tone: 1 | 2 | 3 | 4 | 5;
}

/** As high as suits the width: a wall's screen has room for more. */
const heightFor = (width: number) => Math.round(Math.max(220, Math.min(380, width * 0.22)));

/** Lines that are drawn into an element. */
export interface Plot {
  /** The element, which is drawn into once it is there. */
  holder: { current: HTMLDivElement | null };
  /** Puts the cursor on a moment, as a pointer would. @param seconds since 1970 */
  pointAt(seconds: number): void;
}

/**
 * Draws lines over time on a canvas, as wide as the element that holds it.
 * @param onStep told which step a pointer is over
 */
export function usePlot(
  times: readonly number[],
  series: readonly Series[],
  zone: string,
  onStep: (index: number) => void,
): Plot {
  const holder = useRef<HTMLDivElement>(null);
  const drawn = useRef<uPlot | null>(null);
  const colours = theme.value;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    let undo = () => {};
    let isGone = false;
    // Read when the first chart is drawn: most pages have none, and it weighs as much as half of the rest.
    void import('uplot').then(({ default: Plot }) => {
      if (isGone) return;
      const options = optionsOf(Plot, element, series, zone, onStep);
      const made = new Plot(options, [[...times], ...series.map(({ values }) => [...values])], element);
      drawn.current = made;
      const watch = new ResizeObserver(() => {
        const { clientWidth: width } = element;
        made.setSize({ width, height: heightFor(width) });
      });
      watch.observe(element);
      undo = () => {
        watch.disconnect();
        made.destroy();
        drawn.current = null;
      };
    });
    return () => {
      isGone = true;
      undo();
    };
    // A new theme draws it in other colours.
  }, [times, series, zone, colours]);

  return {
    holder,
    pointAt(seconds) {
      const plot = drawn.current;
      plot?.setCursor({ left: plot.valToPos(seconds, 'x'), top: plot.height / 3 });
    },
  };
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
  // As large as the words around it, which are larger on a wall's screen.
  const { fontSize, fontFamily } = getComputedStyle(element);
  const em = Number.parseFloat(fontSize);
  const font = `${Math.round(em * 0.8125)}px ${fontFamily}`;
  const axis = { stroke: ink, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 } };
  return {
    width: element.clientWidth,
    height: heightFor(element.clientWidth),
    tzDate: (seconds) => Plot.tzDate(new Date(seconds * 1_000), zone),
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    axes: [
      {
        ...axis,
        values: (_plot, ticks) => ticks.map((seconds) => formatTick(seconds, zone)),
        // One line of text.
        size: em * 2.125,
        space: em * 3.75,
      },
      {
        ...axis,
        values: (_plot, values) => values.map((value) => (Number.isInteger(value) ? formatNumber(value) : '')),
        // As wide as the longest number: on a narrow screen the lines need the rest.
        size: (_plot, values) => em * (1 + 0.5 * Math.max(2, ...(values ?? []).map(({ length }) => length))),
        space: em * 2,
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
