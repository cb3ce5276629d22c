interface Setup {
  readonly x: readonly number[];
  readonly degree: number;
  readonly testAt: readonly number[];
  /** Standard deviation. */
  readonly noise: number;
  readonly draws: number;
}

/**
 * The mean test error of a least-squares polynomial whose degree is high enough for what is sampled, and the standard
 * error of its mean over draws. The fit is off by Σ e_i l_i(x), e the noise: its mean square over x is the quadratic
 * form eᵀ M e with M_ij = mean of l_i l_j, which has the mean σ² tr M and the variance 2 σ⁴ tr M². The l_i come from
 * polynomials that are orthogonal on the samples (Forsythe's recurrence), without solving a system.
 */
export function expectedTestError({ x, degree, testAt, noise, draws }: Setup): {
  readonly expected: number;
  readonly standardError: number;
} {
  const q = { samples: [x.map(() => 1)], test: [testAt.map(() => 1)] };
  const sizes = [x.length];
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  for (let k = 0; k < degree; k++) {
    const [last, before] = [q.samples[k]!, q.samples[k - 1]];
    const shift =
      dot(
        x.map((at, i) => at * last[i]!),
        last,
      ) / sizes[k]!;
    const back = before === undefined ? 0 : sizes[k]! / sizes[k - 1]!;
    const next = (at: readonly number[], values: readonly number[], older: readonly number[] | undefined) =>
      at.map((one, i) => (one - shift) * values[i]! - back * (older?.[i] ?? 0));
    q.test.push(next(testAt, q.test[k]!, q.test[k - 1]));
    q.samples.push(next(x, last, before));
    sizes.push(dot(q.samples[k + 1]!, q.samples[k + 1]!));
  }
  // tr M and tr M² are those of the Gram matrix of the orthonormal polynomials over the test points.
  let [trace, traceOfSquare] = [0, 0];
  for (let j = 0; j <= degree; j++) {
    for (let k = 0; k <= degree; k++) {
      const entry = dot(q.test[j]!, q.test[k]!) / testAt.length / Math.sqrt(sizes[j]! * sizes[k]!);
      if (j === k) trace += entry;
      traceOfSquare += entry * entry;
    }
  }
  return { expected: noise ** 2 * trace, standardError: noise ** 2 * Math.sqrt((2 * traceOfSquare) / draws) };
}
