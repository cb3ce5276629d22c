import { expectBetween, expectPositive } from "./expect-values.js";
import { dotAt, type Rule, sampleBySample } from "./rule.js";

/**
 * Recursive least squares with exponential forgetting: after n samples the weights minimise
 * `Σ_i lambda^(n-i) (d_i - wᵀx_i)² + lambda^n delta ‖w - w₀‖²`.
 *
 * Unlike the textbook's recursion of the inverse `P`, which loses symmetry and then diverges, this rotates every
 * sample into the triangular factor `r` of the weighted data (Givens), whose condition number is the square root of
 * that of `P`. It cannot lose definiteness. A weight of which the samples that are not yet forgotten tell less than 1e-10
 * of the most they ever told keeps its value, where the formula would take rounding errors for data.
 *
 * @param options `lambda`: forgetting factor in (0, 1]; the memory is about 1/(1 - lambda) samples. `delta`: weight of
 *   the start, positive; 0.01 unless given.
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Haykin, "Adaptive Filter Theory", 4th edition, ch. 9 (RLS) and §12.3 (QR-RLS); Gentleman & Kung 1981,
 *   https://doi.org/10.1117/12.932507
 */
export function rls({ lambda, delta = 0.01 }: { readonly lambda: number; readonly delta?: number }): Rule {
  expectBetween("rls: lambda", lambda, 0, 1, true);
  expectPositive("rls: delta", delta);
  const root = Math.sqrt(lambda);
  return {
    name: "rls",
    parameters: { lambda, delta },
    // [r, m²; z = r w, m; the row being rotated in, m; Σ lambda^(n-i) x², m; the largest that ever was, m]
    memory(weights) {
      const m = weights.length;
      const memory = new Float64Array(m * m + 4 * m);
      for (let i = 0; i < m; i++) {
        memory[i * m + i] = Math.sqrt(delta);
        memory[m * m + i] = Math.sqrt(delta) * weights[i]!;
      }
      return memory;
    },
    advance: sampleBySample(({ weights, memory }, x, at, d) => {
      const m = weights.length;
      const z = m * m;
      const row = z + m;
      const energy = row + m;
      const peak = energy + m;
      const e = d - dotAt(weights, x, at);
      for (let i = 0; i < m; i++) {
        const xi = x[at + i]!;
        memory[row + i] = xi;
        memory[energy + i] = lambda * memory[energy + i]! + xi * xi;
        if (memory[energy + i]! > memory[peak + i]!) memory[peak + i] = memory[energy + i]!;
      }
      let wanted = d;
      for (let i = 0; i < m; i++) {
        const diagonal = root * memory[i * m + i]!;
        const head = memory[row + i]!;
        const length = hypotenuse(diagonal, head);
        const cosine = length > 0 ? diagonal / length : 1;
        const sine = length > 0 ? head / length : 0;
        memory[i * m + i] = length;
        for (let j = i + 1; j < m; j++) {
          const above = root * memory[i * m + j]!;
          const below = memory[row + j]!;
          memory[i * m + j] = cosine * above + sine * below;
          memory[row + j] = cosine * below - sine * above;
        }
        const above = root * memory[z + i]!;
        memory[z + i] = cosine * above + sine * wanted;
        wanted = cosine * wanted - sine * above;
      }
      for (let i = m - 1; i >= 0; i--) {
        const diagonal = memory[i * m + i]!;
        if (diagonal === 0 || diagonal < FORGOTTEN * Math.sqrt(memory[peak + i]!)) continue;
        let sum = memory[z + i]!;
        for (let j = i + 1; j < m; j++) sum -= memory[i * m + j]! * weights[j]!;
        weights[i] = sum / diagonal;
      }
      return e;
    }),
  };
}

/** With this much left, the rounding errors of z are 1e-6 of a weight. */
const FORGOTTEN = 1e-10;

/** `√(a² + b²)` without losing small numbers to underflow; `Math.hypot` is several times as slow. */
function hypotenuse(a: number, b: number): number {
  const square = a * a + b * b;
  return square > 1e-280 && square < 1e280 ? Math.sqrt(square) : Math.hypot(a, b);
}
