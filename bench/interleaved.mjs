/** Milliseconds that one call takes. */
export function milliseconds(task) {
  const start = performance.now();
  task();
  return performance.now() - start;
}

export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * Medians of ours and of the reference, run one after the other so that other
 * load on the machine weighs on both, and the median of their ratios.
 */
export function interleaved(ours, reference, { pairs = 9, warmups = 3 } = {}) {
  for (let i = 0; i < warmups; i++) {
    ours();
    reference();
  }
  const times = Array.from({ length: pairs }, () => [milliseconds(ours), milliseconds(reference)]);
  return {
    ours: median(times.map(([mine]) => mine)),
    reference: median(times.map(([, other]) => other)),
    ratio: median(times.map(([mine, other]) => mine / other)),
  };
}
