/** Attention as loops over numbers in double precision, with its gradients by hand: the oracle of the tests. */

export interface ReferenceSizes {
  readonly batch: number;
  readonly heads: number;
  readonly groups: number;
  readonly t: number;
  readonly s: number;
  readonly d: number;
  readonly e: number;
}

export interface ReferenceInputs {
  readonly q: ArrayLike<number>;
  readonly k: ArrayLike<number>;
  readonly v: ArrayLike<number>;
  /** The direction that gradients are taken of: `Σ output · dOut`. */
  readonly dOut: ArrayLike<number>;
  readonly scale: number;
  readonly sees: (b: number, h: number, i: number, j: number) => boolean;
  readonly bias: (b: number, h: number, i: number, j: number) => number;
  /** What dropout multiplies each weight by, in the order of the weights. */
  readonly kept?: ArrayLike<number>;
}

export function referenceAttention(
  { batch, heads, groups, t, s, d, e }: ReferenceSizes,
  { q, k, v, dOut, scale, sees, bias, kept }: ReferenceInputs,
) {
  const output = new Float64Array(batch * heads * t * e);
  const weights = new Float64Array(batch * heads * t * s);
  const dq = new Float64Array(q.length);
  const dk = new Float64Array(k.length);
  const dv = new Float64Array(v.length);
  const dBias = new Float64Array(weights.length);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      const g = Math.floor((h * groups) / heads);
      for (let i = 0; i < t; i++) {
        const row = (b * heads + h) * t + i;
        const scores = Array.from({ length: s }, (_, j) => {
          if (!sees(b, h, i, j)) return Number.NEGATIVE_INFINITY;
          let dot = 0;
          for (let c = 0; c < d; c++) dot += q[row * d + c]! * k[((b * groups + g) * s + j) * d + c]!;
          return dot * scale + bias(b, h, i, j);
        });
        const top = Math.max(...scores);
        if (top === Number.NEGATIVE_INFINITY) continue; // sees nothing: zeros
        const powers = scores.map((score) => Math.exp(score - top));
        const total = powers.reduce((x, y) => x + y, 0);
        const p = powers.map((power) => power / total);
        const dp = p.map((power, j) => {
          const times = kept?.[row * s + j] ?? 1;
          const weight = power * times;
          weights[row * s + j] = weight;
          let along = 0;
          for (let c = 0; c < e; c++) {
            const at = ((b * groups + g) * s + j) * e + c;
            output[row * e + c]! += weight * v[at]!;
            dv[at]! += weight * dOut[row * e + c]!;
            along += dOut[row * e + c]! * v[at]!;
          }
          return along * times;
        });
        const mean = p.reduce((sum, weight, j) => sum + weight * dp[j]!, 0);
        for (let j = 0; j < s; j++) {
          const ds = p[j]! * (dp[j]! - mean);
          dBias[row * s + j] = ds;
          for (let c = 0; c < d; c++) {
            const at = ((b * groups + g) * s + j) * d + c;
            dq[row * d + c]! += ds * scale * k[at]!;
            dk[at]! += ds * scale * q[row * d + c]!;
          }
        }
      }
    }
  }
  return { output, weights, dq, dk, dv, dBias };
}
