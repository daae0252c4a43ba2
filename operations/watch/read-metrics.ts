/** A sample of a metric: its labels and its value. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus' text format: the samples of each metric by its name. What is no sample is left out. */
export function readMetrics(text: string): Map<string, Sample[]> {
  const metrics = new Map<string, Sample[]>();
  for (const [, name, labels = '', value] of text.split('\n').flatMap((one) => [line.exec(one) ?? []])) {
    if (name === undefined) continue;
    const found = Object.fromEntries([...labels.matchAll(label)].map(([, key, given]) => [key!, given!]));
    const samples = metrics.get(name) ?? [];
    samples.push({ labels: found, value: Number(value) });
    metrics.set(name, samples);
  }
  return metrics;
}
