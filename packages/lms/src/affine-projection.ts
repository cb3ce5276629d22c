import { expectAtLeast0, expectBetween, expectInteger } from "./expect-values.js";
import { dotAt, type Rule, sampleBySample } from "./rule.js";

/**
 * Affine projection: with `A` the last `order` rows and `e` their errors under the present weights,
 * `w += mu Aᵀ (A Aᵀ + epsilon I)⁻¹ e`. With `epsilon` 0 all these errors shrink to `(1 - mu) e` at once; `order` 1
 * is NLMS.
 *
 * Rows that depend linearly on newer ones within rounding take no part in an update, so that repeated samples
 * are harmless also without `epsilon`. Before `order` samples have come, there are fewer rows.
 *
 * @param options `mu`: step size in (0, 2). `order`: number of rows, at least 1. `epsilon`: at least 0; 0 unless given.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Ozeki & Umeda 1984, https://doi.org/10.1002/ecja.4400670503; Sayed, "Adaptive Filters", §13
 */
export function affineProjection({
  mu,
  order,
  epsilon = 0,
}: {
  readonly mu: number;
  readonly order: number;
  readonly epsilon?: number;
}): Rule {
  expectBetween("affineProjection: mu", mu, 0, 2);
  expectInteger("affineProjection: order", order, 1);
  expectAtLeast0("affineProjection: epsilon", epsilon);
  const n = order;
  return {
    name: "affineProjection",
    parameters: { mu, order, epsilon },
    // [seen, wanted outputs n, Gram matrix n², its factor n², multipliers n, rows n·m; slots newest first]
    memory: ({ length: m }) => new Float64Array(1 + 2 * n + 2 * n * n + n * m),
    advance: sampleBySample(({ weights, memory }, x, at, d) => {
      const m = weights.length;
      const gram = 1 + n;
      const factor = gram + n * n;
      const multiplier = factor + n * n;
      const rows = multiplier + n;
      // The newest row goes in front; Gram entries of older rows move along the diagonal.
      memory.copyWithin(2, 1, n);
      memory.copyWithin(rows + m, rows, rows + (n - 1) * m);
      for (let i = n - 1; i > 0; i--) {
        for (let j = i; j > 0; j--) memory[gram + i * n + j] = memory[gram + (i - 1) * n + j - 1]!;
      }
      memory[1] = d;
      for (let i = 0; i < m; i++) memory[rows + i] = x[at + i]!;
      const count = Math.min(n, memory[0]! + 1);
      memory[0] = count;
      for (let i = 0; i < count; i++) memory[gram + i * n] = dotAt2(memory, rows, rows + i * m, m);
      // L D Lᵀ without the rows that have no pivot, then the multipliers.
      for (let i = 0; i < count; i++) {
        let sum = memory[1 + i]! - dotAt(weights, memory, rows + i * m);
        for (let j = 0; j <= i; j++) {
          let entry = memory[gram + i * n + j]! + (i === j ? epsilon : 0);
          for (let k = 0; k < j; k++) {
            entry -= memory[factor + i * n + k]! * memory[factor + j * n + k]! * memory[factor + k * n + k]!;
          }
          if (j < i) {
            const pivot = memory[factor + j * n + j]!;
            memory[factor + i * n + j] = pivot > 0 ? entry / pivot : 0;
            sum -= memory[factor + i * n + j]! * memory[multiplier + j]!;
          } else {
            const own = memory[gram + i * n + i]! + epsilon;
            memory[factor + i * n + i] = entry > 1e-12 * own ? entry : 0;
          }
        }
        memory[multiplier + i] = sum;
      }
      const e = memory[multiplier]!;
      for (let i = count - 1; i >= 0; i--) {
        const pivot = memory[factor + i * n + i]!;
        let value = pivot > 0 ? memory[multiplier + i]! / pivot : 0;
        if (pivot > 0) {
          for (let j = i + 1; j < count; j++) value -= memory[factor + j * n + i]! * memory[multiplier + j]!;
        }
        memory[multiplier + i] = value;
      }
      for (let j = 0; j < count; j++) {
        const g = mu * memory[multiplier + j]!;
        for (let i = 0; i < m; i++) weights[i]! += g * memory[rows + j * m + i]!;
      }
      return e;
    }),
  };
}

function dotAt2(values: Float64Array, a: number, b: number, m: number): number {
  let sum = 0;
  for (let i = 0; i < m; i++) sum += values[a + i]! * values[b + i]!;
  return sum;
}
