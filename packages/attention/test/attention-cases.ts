import { randomStream, uniformFloat32 } from "@gradlab/random";
import { type Tensor, type Tensor2D, tensor } from "@tensorflow/tfjs-core";
import type { AttendOptions } from "../src/index.js";
import { type ReferenceInputs, type ReferenceSizes, referenceAttention } from "./reference-attention.js";
import { Draw } from "./tensors.js";

export interface AttentionCase {
  readonly sizes: ReferenceSizes;
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly dOut: Tensor;
  readonly options: AttendOptions;
  readonly known: ReturnType<typeof referenceAttention>;
  /** Rows that see no key. */
  readonly empty: number;
}

/** A drawn attention, with drawn masks of every kind, and what the oracle says of it; also with dropout, where asked for. */
export function attentionCase(index: number, rate?: number): AttentionCase {
  const draw = new Draw("attention case", index);
  const heads = draw.pick([1, 2, 3, 4, 6]);
  const groups = draw.pick([1, 2, 3, 4, 6].filter((g) => heads % g === 0));
  const t = draw.integer(1, 9);
  const s = draw.integer(1, 9);
  const sizes = {
    batch: draw.integer(1, 3),
    heads,
    groups,
    t,
    s,
    d: draw.integer(1, 8),
    e: draw.integer(1, 8),
  };
  const { batch, d, e } = sizes;
  const shapes = {
    q: [batch, heads, t, d],
    k: [batch, groups, s, d],
    v: [batch, groups, s, e],
    dOut: [batch, heads, t, e],
  };
  const values = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, draw.normal(shape.reduce((a, b) => a * b, 1))]),
  ) as Record<keyof typeof shapes, Float32Array>;
  const options: { -readonly [K in keyof AttendOptions]: AttendOptions[K] } = {};
  const scale = draw.pick([undefined, 0.5, 1]);
  if (scale !== undefined) options.scale = scale;
  const tests: ReferenceInputs["sees"][] = [];
  if (draw.integer(0, 1) === 1) {
    const shape = draw.pick([
      [t, s],
      [batch, heads, t, s],
      [1, heads, 1, s],
      [batch, 1, t, 1],
    ]);
    const bits = Uint8Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw.integer(0, 1));
    options.mask = tensor(bits, shape, "bool");
    tests.push((...at) => bits[indexIn(shape, at)] === 1);
  }
  if (draw.integer(0, 2) === 0) {
    const lengths = Array.from({ length: batch }, () => draw.integer(0, s));
    const bits = Uint8Array.from({ length: batch * s }, (_, i) => +(i % s < lengths[Math.floor(i / s)]!));
    options.keyMask = tensor(bits, [batch, s], "bool") as Tensor2D;
    tests.push((b, _, __, j) => j < lengths[b]!);
  }
  let bias: ReferenceInputs["bias"] = () => 0;
  if (draw.integer(0, 2) === 0) {
    const shape = draw.pick([
      [t, s],
      [batch, heads, t, s],
      [1, heads, t, s],
    ]);
    const numbers = draw.normal(shape.reduce((a, b) => a * b, 1));
    if (draw.integer(0, 1) === 1) numbers[0] = Number.NEGATIVE_INFINITY; // counts as masked
    options.bias = tensor(numbers, shape);
    bias = (...at) => numbers[indexIn(shape, at)]!;
  }
  const placed = draw.pick(["no", "causal", "window", "both"]);
  if (placed !== "no") {
    const start = t === s ? draw.pick([0, 2]) : draw.integer(0, 4);
    if (start !== 0 || t !== s) options.queryStart = start;
    if (placed !== "window") {
      options.causal = true;
      tests.push((_, __, i, j) => j <= start + i);
    }
    if (placed !== "causal") {
      const [before, after] = [draw.integer(0, 3), draw.integer(0, 3)];
      options.window = [before, after];
      tests.push((_, __, i, j) => j >= start + i - before && j <= start + i + after);
    }
  }
  let kept: number[] | undefined;
  if (rate !== undefined) {
    const key = { seed: 1, purpose: "attention case", index };
    options.dropout = { rate, ...key };
    // A word of the stream for each weight, in their order.
    const stream = randomStream(key);
    kept = Array.from({ length: batch * heads * t * s }, () =>
      uniformFloat32(stream) < rate ? 0 : 1 / (1 - rate),
    );
  }
  const sees: ReferenceInputs["sees"] = (...at) => tests.every((test) => test(...at));
  const known = referenceAttention(sizes, {
    ...values,
    scale: scale ?? 1 / Math.sqrt(d),
    sees,
    bias,
    ...(kept && { kept }),
  });
  let empty = 0;
  for (let row = 0; row < batch * heads * t; row++) {
    if (known.weights.subarray(row * s, (row + 1) * s).every((weight) => weight === 0)) empty++;
  }
  const of = (name: keyof typeof shapes) => tensor(values[name], shapes[name]);
  return { sizes, q: of("q"), k: of("k"), v: of("v"), dOut: of("dOut"), options, known, empty };
}

function indexIn(shape: readonly number[], [b, h, i, j]: readonly number[]): number {
  const at = shape.length === 2 ? [i!, j!] : [b!, h!, i!, j!];
  return shape.reduce((index, size, axis) => index * size + (size === 1 ? 0 : at[axis]!), 0);
}
