import { expectShape } from "@gradlab/core";
import {
  abs,
  add,
  cast,
  conv2d,
  conv2dTranspose,
  div,
  greater,
  matMul,
  maximum,
  min,
  minimum,
  mul,
  neg,
  relu,
  reshape,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tensor2d,
  tidy,
} from "@tensorflow/tfjs-core";
import { type Bounds, type Classifier, expectBounds } from "../classifier.js";
import { type Labels, type PerSample, readEpsilon, readLabels } from "../driver/read-arguments.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";

/** A layer of a network whose bounds can be computed. Tensors are borrowed. */
export type ReluLayer =
  | {
      readonly op: "conv";
      /** `[height, width, in, out]`. */
      readonly kernel: Tensor4D;
      readonly bias?: Tensor1D;
      /** 1 unless given. */
      readonly stride?: number;
      /** `"valid"` unless given. */
      readonly padding?: "same" | "valid";
    }
  | {
      readonly op: "dense";
      /** `[in, out]`; maps are flattened in the order height, width, channels. */
      readonly kernel: Tensor2D;
      readonly bias?: Tensor1D;
    }
  | { readonly op: "relu" };

/** Convolutions, dense layers and ReLUs, one after the other; logits of a dense layer at the end. */
export interface ReluNetwork {
  readonly layers: readonly ReluLayer[];
  readonly bounds: Bounds;
  readonly classes: number;
}

export interface CertifyOptions {
  readonly epsilon: PerSample;
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2";
}

/** What no image within ε can fall below: `min z_y - z_k` over the other classes. Positive: proven robust. */
export interface CertifiedMargin {
  /** By intervals of every number. */
  readonly interval: number;
  /** By a linear bound, from the logits back to the image. */
  readonly linear: number;
  /** The better of both. */
  readonly margin: number;
}

/** How much rounding in single precision may have taken from a bound, relative to its parts. */
const slack = 1e-5;

/**
 * Lower bounds of the margin of images under any change within ε: by interval arithmetic, and by linear bounds of each
 * ReLU (CROWN), with intervals for what stands before it.
 *
 * In L∞ the bounds of images count too; in L2 they count for the intervals.
 *
 * @param x Images `[n, ...]`, borrowed.
 * @throws {TypeError | RangeError | ShapeError} when the network is of other layers, or images and labels do not fit it.
 * @see Gowal et al. 2019, https://arxiv.org/abs/1810.12715 (intervals); Zhang et al. 2018, §3,
 *   https://arxiv.org/abs/1811.00866 (CROWN)
 */
export async function certifiedMargins(
  network: ReluNetwork,
  x: Tensor,
  labels: Labels,
  { epsilon, norm = "linf" }: CertifyOptions,
): Promise<CertifiedMargin[]> {
  const caller = "certifiedMargins";
  expectNetwork(caller, network);
  const n = x.shape[0]!;
  if (norm !== "linf" && norm !== "l2") throw rangeMismatch(`${caller}: norm`, '"linf" or "l2"', norm);
  const classes = await readLabels(`${caller}: labels`, labels, n, network.classes);
  const radii = readEpsilon(`${caller}: epsilon`, epsilon, n);
  const results: CertifiedMargin[] = [];
  for (let i = 0; i < n; i++) {
    const [interval, linear] = tidy((): [Tensor, Tensor] => {
      const image = slice(x, [i], [1]);
      return marginBounds(caller, network, image, { label: classes[i]!, epsilon: radii[i]!, norm });
    });
    try {
      const [a, b] = [(await interval.data())[0]!, (await linear.data())[0]!];
      results.push({ interval: a, linear: b, margin: Math.max(a, b) });
    } finally {
      interval.dispose();
      linear.dispose();
    }
  }
  return results;
}

/** The network as a classifier, for attacks. */
export function reluClassifier(network: ReluNetwork): Classifier {
  expectNetwork("reluClassifier", network);
  const { bounds, classes, layers } = network;
  return {
    bounds,
    classes,
    logits: (x) =>
      tidy(() =>
        layers.reduce<Tensor>(
          (value, layer) => (layer.op === "relu" ? relu(value) : affine(value, layer)),
          x,
        ),
      ),
  };
}

type Affine = Exclude<ReluLayer, { op: "relu" }>;

function affine(x: Tensor, layer: Affine, withBias = true): Tensor {
  const { bias } = layer;
  const y =
    layer.op === "conv"
      ? conv2d(x as Tensor4D, layer.kernel, layer.stride ?? 1, layer.padding ?? "valid")
      : matMul(flat(x), layer.kernel);
  return bias === undefined || !withBias ? y : add(y, bias);
}

const flat = (x: Tensor): Tensor2D => reshape(x, [x.shape[0]!, -1]) as Tensor2D;

interface Interval {
  readonly lower: Tensor;
  readonly upper: Tensor;
}

/** Two numbers, by intervals and by linear bounds: scalars. */
function marginBounds(
  caller: string,
  { layers, bounds, classes }: ReluNetwork,
  image: Tensor,
  {
    label,
    epsilon,
    norm,
  }: { readonly label: number; readonly epsilon: number; readonly norm: "linf" | "l2" },
): [Tensor, Tensor] {
  const box: Interval = {
    lower: maximum(sub(image, epsilon), bounds[0]),
    upper: minimum(add(image, epsilon), bounds[1]),
  };
  // What goes into each layer.
  const inputs: Interval[] = [];
  let current = box;
  for (const layer of layers) {
    inputs.push(current);
    current =
      layer.op === "relu"
        ? { lower: relu(current.lower), upper: relu(current.upper) }
        : intervalOf(current, layer, norm === "l2" && inputs.length === 1 ? { image, epsilon } : null);
  }
  expectShape(`${caller}: logits`, current.lower, [1, classes]);
  // Rows: the label minus every other class.
  const others = Array.from({ length: classes }, (_, k) => k).filter((k) => k !== label);
  const rows = tensor2d(
    others.map((k) => Array.from({ length: classes }, (_, j) => (j === label ? 1 : 0) - (j === k ? 1 : 0))),
  );
  const last = layers.at(-1) as Extract<ReluLayer, { op: "dense" }>;
  const weights = matMul(rows, last.kernel, false, true); // [classes - 1, in]
  const offset = last.bias === undefined ? null : matMul(rows, reshape(last.bias, [classes, 1]) as Tensor2D);
  const before = inputs.at(-1)!;
  const byInterval = add(lowest(weights, flat(before.lower), flat(before.upper)), offset ?? 0);
  let slopes: Tensor = weights;
  let constant: Tensor = offset ?? mul(sum(weights, 1, true), 0);
  for (let at = layers.length - 2; at >= 0; at--) {
    const layer = layers[at]!;
    const input = inputs[at]!;
    if (layer.op === "relu") {
      const shaped = reshape(slopes, [slopes.shape[0]!, ...input.lower.shape.slice(1)]);
      const relaxed = relax(shaped, input);
      slopes = relaxed.slopes;
      constant = add(constant, relaxed.constant);
      continue;
    }
    const output = inputs[at + 1]!;
    const shaped = reshape(slopes, [slopes.shape[0]!, ...output.lower.shape.slice(1)]);
    if (layer.bias !== undefined) {
      constant = add(constant, reshape(sum(flat(mul(shaped, layer.bias)), 1), [-1, 1]));
    }
    slopes = transposed(shaped, layer, input.lower.shape);
  }
  const own = flat(slopes);
  const from =
    norm === "linf"
      ? lowest(own, flat(box.lower), flat(box.upper))
      : sub(matMul(own, flat(image), false, true), mul(sqrt(sum(square(own), 1, true)), epsilon));
  const size = add(sum(abs(mul(own, flat(image))), 1, true), abs(constant));
  const linear = sub(add(from, constant), mul(size, slack));
  const scale = add(
    sum(mul(abs(weights), maximum(abs(flat(before.lower)), abs(flat(before.upper)))), 1, true),
    1e-6,
  );
  return [min(sub(byInterval, mul(scale, slack))), min(linear)];
}

/** The least of `w z` for z in an interval: `[rows, 1]`. */
function lowest(weights: Tensor, lower: Tensor, upper: Tensor): Tensor {
  return add(
    matMul(maximum(weights, 0) as Tensor2D, lower as Tensor2D, false, true),
    matMul(minimum(weights, 0) as Tensor2D, upper as Tensor2D, false, true),
  );
}

/** The interval behind a layer: its centre goes through it, its radius through the sizes of its weights. */
function intervalOf(
  { lower, upper }: Interval,
  layer: Affine,
  ball: { readonly image: Tensor; readonly epsilon: number } | null,
): Interval {
  const positive = { ...layer, kernel: abs(layer.kernel) } as Affine;
  const center = affine(mul(add(lower, upper), 0.5), layer);
  const radius = affine(mul(sub(upper, lower), 0.5), positive, false);
  const wide = add(radius, mul(add(abs(center), radius), slack));
  const box = { lower: sub(center, wide), upper: add(center, wide) };
  if (ball === null) return box;
  // In L2 a number behind the first layer moves by ε times the length of its weights.
  const squares = { ...layer, kernel: square(layer.kernel) } as Affine;
  const ones = add(mul(ball.image, 0), 1);
  const length = mul(sqrt(affine(ones, squares, false)), ball.epsilon);
  const own = affine(ball.image, layer);
  const far = add(length, mul(add(abs(own), length), slack));
  return { lower: maximum(box.lower, sub(own, far)), upper: minimum(box.upper, add(own, far)) };
}

/** A ReLU between two lines: what is multiplied by a positive slope lies above one, by a negative one below the other. */
function relax(slopes: Tensor, { lower, upper }: Interval): { slopes: Tensor; constant: Tensor } {
  const [l, u] = [minimum(lower, 0), maximum(upper, 0)];
  const rise = div(u, maximum(sub(u, l), 1e-30)); // 1 where always on, 0 where always off
  // The line below has the slope 1 where the positive part is the larger, and 0 elsewhere.
  const on = cast(greater(add(u, l), 0), "float32");
  const positive = maximum(slopes, 0);
  const negative = minimum(slopes, 0);
  const intercept = neg(mul(rise, l));
  return {
    slopes: add(mul(positive, on), mul(negative, rise)),
    constant: reshape(sum(flat(mul(negative, intercept)), 1), [-1, 1]),
  };
}

function transposed(slopes: Tensor, layer: Affine, shape: readonly number[]): Tensor {
  if (layer.op === "dense") return matMul(flat(slopes), layer.kernel, false, true);
  const [, height, width, channels] = shape as [number, number, number, number];
  const outer: [number, number, number, number] = [slopes.shape[0]!, height, width, channels];
  return conv2dTranspose(
    slopes as Tensor4D,
    layer.kernel,
    outer,
    layer.stride ?? 1,
    layer.padding ?? "valid",
  );
}

function expectNetwork(caller: string, network: ReluNetwork): void {
  if (typeof network !== "object" || network === null || !Array.isArray(network.layers)) {
    throw typeMismatch(`${caller}: network`, "{layers, bounds, classes}", network);
  }
  expectBounds(`${caller}: network.bounds`, network.bounds);
  const { layers, classes } = network;
  const strange = layers.find(({ op }) => op !== "conv" && op !== "dense" && op !== "relu");
  if (strange !== undefined) {
    throw rangeMismatch(`${caller}: network.layers`, "convolutions, dense layers and ReLUs", strange.op);
  }
  const last = layers.at(-1);
  if (last?.op !== "dense" || last.kernel.shape[1] !== classes) {
    throw rangeMismatch(
      `${caller}: network.layers`,
      `a dense layer of ${classes} units at the end`,
      last?.op,
    );
  }
}
