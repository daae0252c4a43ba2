/**
 * A line without axes, so small that it says only whether something happens. The words beside it say it to everybody.
 */
export function Sparkline({ values }: { values: readonly number[] }) {
  const top = Math.max(1, ...values);
  const last = Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${((at / last) * 100).toFixed(1)},${(22 - (value / top) * 20).toFixed(1)}`);
  return (
    <svg class="sparkline tone-1" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true">
      <polyline points={points.join(' ')} fill="none" stroke="currentcolor" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
