// The statistics that the benchmark needs. Medians, because a busy machine only ever makes a measurement slower.

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What is reported of repeated measurements of the same thing. */
export const summary = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });
