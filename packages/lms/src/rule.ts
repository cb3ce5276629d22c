/**
 * How a filter learns. A rule is made by `lms`, `nlms`, `rls` and the like, or is one of your own; it holds parameters
 * and functions, and no state.
 */
export interface Rule {
  /** What it is called, the name of the function that made it. */
  readonly name: string;
  /** What it was made with: plain data. */
  readonly parameters: Readonly<Record<string, number | string>>;
  /**
   * What the rule keeps beside the weights: numbers only, so that a state is plain data.
   */
  readonly memory: (weights: Float64Array) => Float64Array;
  /**
   * The core that streaming and batch share. For `k = 0 … count - 1`: row k of `x` gives the error
   * `e = d[k] - wᵀx` before the update, which goes to `errors[from + k]`; then the weights move, and where
   * `trajectory` is kept they go to its row `from + k + 1`.
   */
  readonly advance: (
    state: FilterState,
    x: Float64Array,
    d: Float64Array,
    count: number,
    errors: Float64Array,
    from: number,
    trajectory: Float64Array | null,
  ) => void;
}

/** All that a filter has learned: plain data, which a copy resumes to the last bit. */
export interface FilterState {
  /** `[m]`. */
  readonly weights: Float64Array;
  /** What the rule keeps beside them; empty for most. */
  readonly memory: Float64Array;
}

export const noMemory = (): Float64Array => new Float64Array(0);

/** The core of a rule that is defined by its update of one sample, `update(state, x, at, d) = e`. */
export function sampleBySample(
  update: (state: FilterState, x: Float64Array, at: number, d: number) => number,
): Rule["advance"] {
  return (state, x, d, count, errors, from, trajectory) => {
    const { weights } = state;
    const m = weights.length;
    for (let k = 0; k < count; k++) {
      errors[from + k] = update(state, x, k * m, d[k]!);
      if (trajectory !== null) {
        const row = (from + k + 1) * m;
        for (let i = 0; i < m; i++) trajectory[row + i] = weights[i]!;
      }
    }
  };
}

/** `Σ_i w_i x_{at+i}`, in four sums at once: one sum alone would wait for every addition before it. */
export function dotAt(w: Float64Array, x: Float64Array, at: number): number {
  const m = w.length;
  let y0 = 0;
  let y1 = 0;
  let y2 = 0;
  let y3 = 0;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    y0 += w[i]! * x[at + i]!;
    y1 += w[i + 1]! * x[at + i + 1]!;
    y2 += w[i + 2]! * x[at + i + 2]!;
    y3 += w[i + 3]! * x[at + i + 3]!;
  }
  for (; i < m; i++) y0 += w[i]! * x[at + i]!;
  return y0 + y1 + (y2 + y3);
}

/** `w_i += g x_{at+i}`. */
export function addAt(w: Float64Array, g: number, x: Float64Array, at: number): void {
  const m = w.length;
  let i = 0;
  for (; i + 3 < m; i += 4) {
    w[i]! += g * x[at + i]!;
    w[i + 1]! += g * x[at + i + 1]!;
    w[i + 2]! += g * x[at + i + 2]!;
    w[i + 3]! += g * x[at + i + 3]!;
  }
  for (; i < m; i++) w[i]! += g * x[at + i]!;
}

/** `Σ_i x_{at+i}²` over `m` entries. */
export function energyAt(x: Float64Array, at: number, m: number): number {
  let sum = 0;
  for (let i = at; i < at + m; i++) sum += x[i]! * x[i]!;
  return sum;
}
