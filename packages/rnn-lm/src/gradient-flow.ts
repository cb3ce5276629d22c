import { expectShape } from "@gradlab/core";
import type { Tensor2D } from "@tensorflow/tfjs-core";
import { cellRules } from "./cells/cell-rules.js";
import type { CellName } from "./cells/recurrent-rule.js";
import { rangeMismatch } from "./expect-argument.js";
import type { RecurrentLayerParams } from "./recurrent-network.js";

/** How a gradient fares on its way back through time, by the distance t − k in steps. */
export interface GradientFlow {
  /** 1, 2, … */
  readonly distances: readonly number[];
  /** The largest singular value of ∂h_t/∂h_k, t the last step. */
  readonly norms: readonly number[];
  /** What the norms of the weights and the slopes of the functions allow: no norm is above it. */
  readonly bounds: readonly number[];
  /** Of an LSTM: the largest product of forget gates, which is ∂c_t/∂c_k where the gates are held; null otherwise. */
  readonly forgetting: readonly number[] | null;
  /** The largest singular value of U, of each block of columns. */
  readonly weightNorms: readonly number[];
}

/** Rows of numbers, `[rows, columns]`. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly at: Float64Array;
}

const matrixOf = (rows: number, columns: number, at = new Float64Array(rows * columns)): Matrix => ({ rows, columns, at }); // biome-ignore format: one line

/** What the gradient of a step needs, one number of each unit. */
interface Step {
  /** The activations in the order of the columns. */
  readonly gates: readonly Float64Array[];
  readonly before: { readonly h: Float64Array; readonly c: Float64Array };
  readonly c: Float64Array;
  /** Of a GRU: `h U` of the third block. */
  readonly candidate: Float64Array;
}

/**
 * The norms of the Jacobian products `∂h_t/∂h_k` of one layer over a sequence, in double precision: whether gradients
 * vanish or explode on the way back. The products are of the network's own states, so they say more than the weights
 * do: an Elman network with an eigenvalue above 1 need not explode where its units saturate.
 *
 * The bound of an Elman network is `(γ_U γ_φ)^(t − k)`, γ_U the largest singular value of U and γ_φ = 1 the steepest
 * slope of tanh; those of the other cells are made in the same way of the norms of their blocks, slopes of 1/4 for σ, and
 * the largest states of each step.
 *
 * @param params One layer. Borrowed.
 * @param x `[T, inputs]`: what the layer reads, T at least 2.
 * @returns Distances up to T − 1. It takes time in proportion to `T · hidden³`.
 * @throws {ShapeError | RangeError} when shapes do not line up.
 * @see Pascanu, Mikolov, Bengio 2013, §2, https://arxiv.org/abs/1211.5063
 */
export async function gradientFlow(
  cell: CellName,
  params: RecurrentLayerParams,
  x: Tensor2D,
): Promise<GradientFlow> {
  const { gates } = cellRules[cell];
  const [inputs, wide] = params.input.shape;
  const hidden = wide / gates;
  expectShape("gradientFlow: x", x, [null, inputs]);
  expectShape("gradientFlow: params.recurrent", params.recurrent, [hidden, wide]);
  if (x.shape[0] < 2) throw rangeMismatch("gradientFlow: x", "at least two steps", x.shape[0]);
  const read = async (tensor: { data(): Promise<ArrayLike<number>> } | undefined) =>
    tensor === undefined ? new Float64Array(wide) : Float64Array.from(await tensor.data());
  const [W, U, bias, ofState, sequence] = await Promise.all(
    [params.input, params.recurrent, params.bias, params.recurrentBias, x].map(read),
  );
  const steps = stepsOf(cell, hidden, x.shape[0], {
    W: matrixOf(inputs, wide, W!),
    U: matrixOf(hidden, wide, U!),
    bias: bias!,
    ofState: ofState!,
    x: matrixOf(x.shape[0], inputs, sequence!),
  });
  const weightNorms = Array.from({ length: gates }, (_, k) =>
    spectralNorm(block(matrixOf(hidden, wide, U!), k, hidden)),
  );
  return { ...flowBack(cell, hidden, U!, steps, weightNorms), weightNorms };
}

/** The columns of one gate. */
function block(all: Matrix, gate: number, hidden: number): Matrix {
  const result = matrixOf(all.rows, hidden);
  for (let i = 0; i < all.rows; i++) {
    for (let j = 0; j < hidden; j++) result.at[i * hidden + j] = all.at[i * all.columns + gate * hidden + j]!;
  }
  return result;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** `row · matrix`. */
function times(row: Float64Array, { rows, columns, at }: Matrix): Float64Array {
  const result = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const factor = row[i]!;
    for (let j = 0; j < columns; j++) result[j]! += factor * at[i * columns + j]!;
  }
  return result;
}

/** The forward pass from a state of zeros. */
function stepsOf(
  cell: CellName,
  hidden: number,
  count: number,
  { W, U, bias, ofState, x }: { W: Matrix; U: Matrix; bias: Float64Array; ofState: Float64Array; x: Matrix },
): Step[] {
  const steps: Step[] = [];
  let h: Float64Array = new Float64Array(hidden);
  let c: Float64Array = new Float64Array(hidden);
  for (let t = 0; t < count; t++) {
    const fromInput = times(x.at.subarray(t * x.columns, (t + 1) * x.columns), W).map((v, i) => v + bias[i]!);
    const fromState = times(h, U).map((v, i) => v + ofState[i]!);
    const z = (gate: number) =>
      Float64Array.from(
        { length: hidden },
        (_, j) => fromInput[gate * hidden + j]! + fromState[gate * hidden + j]!,
      );
    const before = { h, c };
    const candidate = fromState.slice(2 * hidden, 3 * hidden);
    if (cell === "lstm") {
      const gates = [z(0).map(sigmoid), z(1).map(sigmoid), z(2).map(Math.tanh), z(3).map(sigmoid)] as const;
      const [i, f, g, o] = gates;
      c = c.map((value, j) => f[j]! * value + i[j]! * g[j]!);
      h = c.map((value, j) => o[j]! * Math.tanh(value));
      steps.push({ gates, before, c, candidate });
    } else if (cell === "gru") {
      const [r, u] = [z(0).map(sigmoid), z(1).map(sigmoid)] as const;
      const n = candidate.map((value, j) => Math.tanh(fromInput[2 * hidden + j]! + r[j]! * value));
      h = h.map((value, j) => n[j]! + u[j]! * (value - n[j]!));
      steps.push({ gates: [r, u, n], before, c, candidate });
    } else {
      h = z(0).map(Math.tanh);
      steps.push({ gates: [h], before, c, candidate });
    }
  }
  return steps;
}

/** Rows of ∂h_t/∂h_k: the gradient of every unit of the last step at once, one step further back each time. */
function flowBack(
  cell: CellName,
  hidden: number,
  U: Float64Array,
  steps: readonly Step[],
  weightNorms: readonly number[],
): Omit<GradientFlow, "weightNorms"> {
  const n = hidden;
  const wide = U.length / n;
  // Products fall to 1e-300 and below: what they are multiplied by is kept apart.
  let dh = matrixOf(n, n);
  for (let i = 0; i < n; i++) dh.at[i * n + i] = 1;
  let dc = matrixOf(n, n);
  let exponent = 0;
  const kept = new Float64Array(n).fill(1);
  let bound: readonly [number, number] = [1, 0];
  const [norms, bounds, forgetting]: [number[], number[], number[]] = [[], [], []];
  for (let t = steps.length - 1; t >= 1; t--) {
    const step = steps[t]!;
    const nextH = matrixOf(n, n);
    const nextC = matrixOf(n, n);
    const dz = new Float64Array(wide);
    const straight = new Float64Array(n);
    for (let row = 0; row < n; row++) {
      const [own, ownC] = [dh.at.subarray(row * n, (row + 1) * n), dc.at.subarray(row * n, (row + 1) * n)];
      backward(cell, step, own, ownC, dz, straight, nextC.at.subarray(row * n, (row + 1) * n));
      for (let i = 0; i < n; i++) {
        let sum = straight[i]!;
        for (let k = 0; k < wide; k++) sum += dz[k]! * U[i * wide + k]!;
        nextH.at[row * n + i] = sum;
      }
    }
    const largest = Math.max(maxAbs(nextH.at), maxAbs(nextC.at));
    const scale = largest > 0 ? 2 ** Math.floor(Math.log2(largest)) : 1;
    exponent += Math.log2(scale);
    dh = matrixOf(
      n,
      n,
      nextH.at.map((value) => value / scale),
    );
    dc = matrixOf(
      n,
      n,
      nextC.at.map((value) => value / scale),
    );
    norms.push(spectralNorm(dh) * 2 ** exponent);
    bound = boundAfter(cell, step, weightNorms, bound);
    bounds.push(bound[0]);
    if (cell === "lstm") {
      for (let j = 0; j < n; j++) kept[j]! *= step.gates[1]![j]!;
      forgetting.push(Math.max(...kept));
    }
  }
  return {
    distances: norms.map((_, i) => i + 1),
    norms,
    bounds,
    forgetting: cell === "lstm" ? forgetting : null,
  };
}

const maxAbs = (values: Float64Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** One row: `dz` of the product `h U`, what goes straight to h, and what goes to c. */
function backward(
  cell: CellName,
  { gates, before, c, candidate }: Step,
  dh: Float64Array,
  dcAfter: Float64Array,
  dz: Float64Array,
  straight: Float64Array,
  dcBefore: Float64Array,
): void {
  const n = dh.length;
  for (let j = 0; j < n; j++) {
    if (cell === "elman") {
      dz[j] = dh[j]! * (1 - gates[0]![j]! ** 2);
    } else if (cell === "gru") {
      const [r, u, m] = [gates[0]![j]!, gates[1]![j]!, gates[2]![j]!];
      const dm = dh[j]! * (1 - u) * (1 - m * m);
      dz[j] = dm * candidate[j]! * r * (1 - r);
      dz[n + j] = dh[j]! * (before.h[j]! - m) * u * (1 - u);
      dz[2 * n + j] = dm * r;
      straight[j] = dh[j]! * u;
    } else {
      const [i, f, g, o] = [gates[0]![j]!, gates[1]![j]!, gates[2]![j]!, gates[3]![j]!];
      const squashed = Math.tanh(c[j]!);
      const dc = dcAfter[j]! + dh[j]! * o * (1 - squashed * squashed);
      dz[j] = dc * g * i * (1 - i);
      dz[n + j] = dc * before.c[j]! * f * (1 - f);
      dz[2 * n + j] = dc * i * (1 - g * g);
      dz[3 * n + j] = dh[j]! * squashed * o * (1 - o);
      dcBefore[j] = dc * f;
    }
  }
}

/** Bounds of the norms of ∂h_t/∂h_k and ∂h_t/∂c_k, one step further back. */
function boundAfter(
  cell: CellName,
  { before, candidate, c }: Step,
  norms: readonly number[],
  [ofH, ofC]: readonly [number, number],
): readonly [number, number] {
  if (cell === "elman") return [ofH * norms[0]!, 0];
  if (cell === "gru") {
    const [r, u, m] = norms as readonly [number, number, number];
    // |h - n| is at most 2.
    return [ofH * (1 + u / 2 + m + (r * maxAbs(candidate)) / 4), 0];
  }
  const [i, f, g, o] = norms as readonly [number, number, number, number];
  const through = i / 4 + (f * maxAbs(before.c)) / 4 + g;
  // All that arrives at c: straight, and through h = σ(o) tanh(c).
  const total = ofC + ofH;
  return [total * through + (ofH * o * Math.tanh(maxAbs(c))) / 4, total];
}

/**
 * The largest singular value of a matrix, by the power method on `Mᵀ M`; to twelve digits, fewer where the second one is
 * next to it.
 */
export function spectralNorm({ rows, columns, at }: Matrix): number {
  const scale = maxAbs(at);
  if (scale === 0) return 0;
  // A start that is orthogonal to nothing in particular.
  let v = Float64Array.from({ length: columns }, (_, j) => 1 + 0.5 * Math.sin(1.3 * j * j + j));
  let norm = 0;
  for (let round = 0; round < 1000; round++) {
    const length = Math.hypot(...v);
    v = v.map((value) => value / length);
    const image = new Float64Array(rows);
    for (let i = 0; i < rows; i++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) sum += (at[i * columns + j]! / scale) * v[j]!;
      image[i] = sum;
    }
    const next = Math.hypot(...image);
    const isSettled = Math.abs(next - norm) <= 1e-13 * next;
    norm = next;
    if (isSettled || next === 0) break;
    const back = new Float64Array(columns);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) back[j]! += (at[i * columns + j]! / scale) * image[i]!;
    }
    v = back;
  }
  return norm * scale;
}
