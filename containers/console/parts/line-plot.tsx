import { useMemo } from 'preact/hooks';
import { formatNumber } from '../language/formats.ts';
import { language } from '../language/language.ts';
import { timeMarks, valueMarks } from './axis-marks.ts';

/** A line of a chart. */
export interface Series {
  label: string;
  values: readonly number[];
  /** Which of the chart's colours it has; each is also told by its label. */
  tone: 1 | 2 | 3 | 4 | 5;
}

/** What is drawn. */
export interface LinePlotProps {
  /** The beginning of each step, in seconds since 1970; at least one. */
  times: readonly number[];
  series: readonly Series[];
  /** The zone on whose clocks the marks are. */
  zone: string;
  /** The step that is pointed at. */
  at: number;
  /** Told which step a pointer is over. */
  onStep: (index: number) => void;
}

/**
 * Lines over time between two axes. All of it is placed by shares of the width and height, so that it fits whatever
 * holds it, and its colours are those of the style sheet.
 */
export function LinePlot({ times, series, zone, at, onStep }: LinePlotProps) {
  const marks = useMemo(() => timeMarks(times, zone), [times, zone, language.value]);
  const values = valueMarks(Math.max(0, ...series.flatMap((line) => line.values)));
  const top = values.at(-1)!;
  const [first, last] = [times[0]!, times.at(-1)!];
  const across = (index: number) => (last === first ? 50 : ((times[index]! - first) / (last - first)) * 100);
  const down = (value: number) => (1 - value / top) * 100;
  const lines = useMemo(
    () =>
      series.map((line) => line.values.map((value, index) => `${across(index).toFixed(2)},${down(value).toFixed(2)}`)),
    [times, series],
  );
  return (
    <div class="plot">
      <div class="plot-values" aria-hidden="true">
        {values.toReversed().map((value) => (
          <span key={value}>{formatNumber(value)}</span>
        ))}
      </div>
      <svg
        class="plot-area"
        aria-hidden="true"
        onPointerMove={(event) => onStep(stepBelow(event, times))}
        onPointerDown={(event) => onStep(stepBelow(event, times))}
        // A finger that is lifted has chosen its step; a mouse that goes away has chosen none.
        onPointerLeave={(event) => event.pointerType === 'mouse' && onStep(times.length - 1)}
      >
        {values.map((value) => (
          <line key={value} class="plot-grid" x1="0" x2="100%" y1={`${down(value)}%`} y2={`${down(value)}%`} />
        ))}
        {marks.map(({ index, label }, count) => (
          // On a narrow screen there is room for every second one.
          <g key={index} class={count % 2 === 0 ? undefined : 'plot-mark-between'}>
            <line class="plot-grid" x1={`${across(index)}%`} x2={`${across(index)}%`} y1="0" y2="100%" />
            <text x={`${across(index)}%`} y="100%" dy="1.5em" text-anchor="middle">
              {label}
            </text>
          </g>
        ))}
        <svg aria-hidden="true" viewBox="0 0 100 100" preserveAspectRatio="none" width="100%" height="100%">
          {/* The first is the one that the others are a part of. */}
          <polygon class="plot-fill" points={`0,100 ${lines[0]!.join(' ')} 100,100`} />
          {/* The first ones last, above the others: locks run close to redemptions, which are what is looked for. */}
          {series
            .map(({ label, tone }, line) => (
              <polyline key={label} class={`plot-line tone-${tone}`} points={lines[line]!.join(' ')} />
            ))
            .reverse()}
        </svg>
        <line class="plot-cursor" x1={`${across(at)}%`} x2={`${across(at)}%`} y1="0" y2="100%" />
        {series
          .map(({ label, tone, values: all }) => (
            <circle
              key={label}
              class={`plot-point tone-${tone}`}
              cx={`${across(at)}%`}
              cy={`${down(all[at]!)}%`}
              r="4"
            />
          ))
          .reverse()}
      </svg>
    </div>
  );
}

/** The step that a pointer is nearest to. */
function stepBelow(event: PointerEvent & { currentTarget: SVGSVGElement }, times: readonly number[]): number {
  const { left, width } = event.currentTarget.getBoundingClientRect();
  const [first, last] = [times[0]!, times.at(-1)!];
  const seconds = first + ((event.clientX - left) / Math.max(1, width)) * (last - first);
  const after = times.findIndex((time) => time >= seconds);
  if (after === -1) return times.length - 1;
  return after > 0 && seconds - times[after - 1]! < times[after]! - seconds ? after - 1 : after;
}
