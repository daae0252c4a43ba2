/** A line without axes, so small that it says only whether something happens. What it means, its label says. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }) {
  const top = Math.max(1, ...values);
  const last = Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${((at / last) * 100).toFixed(1)},${(22 - (value / top) * 20).toFixed(1)}`);
  return (
    <svg class="sparkline tone-1" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label={label}>
      <polyline points={points.join(' ')} fill="none" stroke="currentcolor" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
