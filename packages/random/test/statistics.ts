/** What the statistical tests have in common. All seeds are fixed: a test passes always or never. */

/**
 * The quantile at 1 - 1e-6 of the chi-square distribution, by degrees of freedom
 * (`scipy.stats.chi2.isf(1e-6, df)`): a good generator fails one such test with probability 1e-6.
 */
export const CHI_SQUARE_LIMIT = {
  1: 23.93,
  2: 27.63,
  3: 30.66,
  9: 44.81,
  23: 70.55,
  255: 377.08,
  1023: 1252.58,
} as const;

export function chiSquare(counts: ArrayLike<number>, probabilities?: readonly number[]): number {
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  return Array.from(counts).reduce((sum, count, i) => {
    const expected = probabilities ? total * probabilities[i]! : total / counts.length;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

/** The counts of `draw()` in [0, cells). */
export function countDraws(cells: number, draws: number, draw: () => number): Uint32Array {
  const counts = new Uint32Array(cells);
  for (let i = 0; i < draws; i++) counts[draw()]!++;
  return counts;
}

/**
 * The Kolmogorov-Smirnov distance of a sample from a distribution function, times √n. By the inequality of
 * Dvoretzky, Kiefer, Wolfowitz and Massart (1990) it exceeds x with probability at most 2 exp(-2 x²) for every n.
 */
export function kolmogorovSmirnov(
  sample: Float32Array | Float64Array,
  distribution: (x: number) => number,
): number {
  const sorted = sample.toSorted();
  let distance = 0;
  for (let i = 0; i < sorted.length; i++) {
    const probability = distribution(sorted[i]!);
    distance = Math.max(distance, probability - i / sorted.length, (i + 1) / sorted.length - probability);
  }
  return distance * Math.sqrt(sorted.length);
}

/** √(ln(2 / 1e-6) / 2) */
export const KOLMOGOROV_SMIRNOV_LIMIT = 2.6935;

/** The correlation coefficient times √n: nearly standard normal for independent samples. */
export function correlation(x: Float64Array, y: Float64Array): number {
  const n = x.length;
  const meanX = x.reduce((sum, value) => sum + value, 0) / n;
  const meanY = y.reduce((sum, value) => sum + value, 0) / n;
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < n; i++) {
    const dx = x[i]! - meanX;
    const dy = y[i]! - meanY;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return (xy / Math.sqrt(xx * yy)) * Math.sqrt(n);
}

/** A standard normal number is farther from 0 with probability 1e-6. */
export const NORMAL_LIMIT = 4.892;

/** Φ(x) = ½ + φ(x) (x + x³/3 + x⁵/(3·5) + …), Marsaglia 2004; absolute error below 1e-15. */
export function normalDistribution(x: number): number {
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI);
}
