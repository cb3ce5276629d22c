import {
  addN,
  broadcastTo,
  concat,
  conv2d,
  conv2dTranspose,
  eye,
  grad,
  image,
  matMul,
  mean,
  ones,
  pad,
  reshape,
  reverse,
  slice,
  sum,
  type Tensor,
  type Tensor4D,
  tensor4d,
  tidy,
  tile,
  transpose,
} from "@tensorflow/tfjs-core";
import { executeGraph, type GraphOps, type LayerCall } from "./execute-graph.js";
import type { LayerGraph, PadLayer, ResizeLayer } from "./layer-graph.js";

/** Pixels on which a unit really depends, found by its gradient. */
export interface MeasuredField {
  /** First and last pixel with a gradient, along each axis; null where there is none. */
  readonly pixels: readonly ([first: number, last: number] | null)[];
  /** The derivative of the unit by every pixel, row by row, in the shape of the input. */
  readonly gradient: Float32Array;
  /** Number of pixels with a gradient. */
  readonly contributing: number;
}

/**
 * The theoretical receptive field of one unit, measured: the network is
 * computed with positive weights and linear layers (averages for maxima), so
 * that no path cancels another, and the unit is differentiated by its input.
 *
 * Only what lies inside the input can be seen: borders are borders.
 *
 * The gradients of tfjs-core must be registered (`installGradients` of
 * `@gradlab/core`, or an import of tfjs-layers).
 *
 * @param graph The network, with a known input size.
 * @param layer Name of the layer; what comes after it is not computed.
 * @param index The unit, zero-based, one number per axis.
 * @throws {RangeError} when the layer or the unit does not exist.
 */
export async function measureField(
  graph: LayerGraph,
  layer: string,
  index: readonly number[],
): Promise<MeasuredField> {
  const shape = graph.input.shape.map((size) => {
    if (size === null) throw new RangeError("measureField: graph.input.shape: expected sizes, got null");
    return size;
  });
  const place = graph.layers.findIndex(({ name }) => name === layer);
  if (place === -1) {
    throw new RangeError(`measureField: layer: expected a layer of the graph, got ${JSON.stringify(layer)}`);
  }
  const upTo = { ...graph, layers: graph.layers.slice(0, place + 1) };
  const gradient = tidy(() => {
    const unit = (input: Tensor) => {
      const output = executeGraph<Tensor>(upTo, input, positiveOps, { caller: "measureField" });
      if (index.length !== output.rank || index.some((at, axis) => !(at >= 0 && at < output.shape[axis]!))) {
        throw new RangeError(
          `measureField: index: expected a unit of ${JSON.stringify(output.shape)}, got ${JSON.stringify(index)}`,
        );
      }
      return sum(
        slice(
          output,
          [...index],
          index.map(() => 1),
        ),
      );
    };
    return grad(unit)(ones(shape));
  });
  const values = (await gradient.data()) as Float32Array;
  gradient.dispose();
  // Where bilinear resizing looks exactly at a unit, rounding may leave its neighbour a trace of weight.
  const rounds = upTo.layers.some((one) => one.op === "resize" && one.method === "bilinear");
  const least = rounds ? values.reduce((most, value) => Math.max(most, value), 0) * 1e-6 : 0;
  const pixels = shape.map((): [number, number] | null => null);
  let contributing = 0;
  for (const [at, value] of values.entries()) {
    if (value <= least) continue;
    contributing++;
    let rest = at;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = rest % shape[axis]!;
      rest = (rest - position) / shape[axis]!;
      const range = pixels[axis];
      pixels[axis] = range
        ? [Math.min(range[0], position), Math.max(range[1], position)]
        : [position, position];
    }
  }
  return { pixels, gradient: values, contributing };
}

/** Works along one axis of a tensor of any rank: `[…, n, …]` as `[rows, 1, n, 1]` and back. */
function alongAxis(x: Tensor, axis: number, compute: (lines: Tensor4D) => Tensor4D): Tensor {
  const order = [...x.shape.keys()].filter((other) => other !== axis).concat(axis);
  const moved = transpose(x, order);
  const rest = moved.shape.slice(0, -1);
  const n = x.shape[axis]!;
  const lines = reshape(moved, [x.size / n, 1, n, 1]) as Tensor4D;
  const result = compute(lines);
  const back = order.map((_, place) => order.indexOf(place));
  return transpose(reshape(result, [...rest, result.shape[2]]), back);
}

function eachAxis(x: Tensor, compute: (lines: Tensor4D, axis: number) => Tensor4D): Tensor {
  return x.shape.reduce((y: Tensor, _, axis) => alongAxis(y, axis, (lines) => compute(lines, axis)), x);
}

/** Adds zeros, or crops where negative. */
function padLines(lines: Tensor4D, [begin, end]: readonly [number, number]): Tensor4D {
  const [rows, , n] = lines.shape;
  const cropped = slice(
    lines,
    [0, 0, Math.max(-begin, 0), 0],
    [rows, 1, n - Math.max(-begin, 0) - Math.max(-end, 0), 1],
  );
  return pad(cropped, [[0, 0], [0, 0], [Math.max(begin, 0), Math.max(end, 0)], [0, 0]]) as Tensor4D; // biome-ignore format: pairs
}

/** A window of equal positive weights; their mean keeps deep networks inside the range of floats. */
function averageWindow(inputs: readonly Tensor[], { kernel, stride, dilation, padding }: LayerCall): Tensor {
  return eachAxis(inputs[0]!, (lines, axis) => {
    const filter = spreadTaps(kernel[axis]!, dilation[axis]!, 1 / kernel[axis]!);
    return conv2d(padLines(lines, padding[axis]!), filter, [1, stride[axis]!], "valid");
  });
}

function averageTransposed(inputs: readonly Tensor[], call: LayerCall): Tensor {
  const { kernel, stride, dilation, padding, outputSize } = call;
  return eachAxis(inputs[0]!, (lines, axis) => {
    const [rows, , n] = lines.shape;
    const filter = spreadTaps(kernel[axis]!, dilation[axis]!, 1);
    // The full output, filled up to the stride, as "valid" has it.
    const full = Math.max((n - 1) * stride[axis]! + filter.shape[1], n * stride[axis]!);
    const y = conv2dTranspose(lines, filter, [rows, 1, full, 1], [1, stride[axis]!], "valid");
    const begin = padding[axis]![0];
    return padLines(y, [-begin, outputSize[axis]! - (full - begin)]);
  });
}

/** Equal taps with zeros between them: tfjs-core cannot differentiate by the input of a dilated convolution. */
function spreadTaps(kernel: number, dilation: number, weight: number): Tensor4D {
  const taps = new Float32Array(dilation * (kernel - 1) + 1);
  for (let tap = 0; tap < taps.length; tap += dilation) taps[tap] = weight;
  return tensor4d(taps, [1, taps.length, 1, 1]);
}

function resize(
  inputs: readonly Tensor[],
  { layer, where, inputSizes, outputSize }: LayerCall<ResizeLayer>,
): Tensor {
  const { method = "nearest", scale } = layer;
  const { coordinates = method === "bilinear" ? "half-pixel" : "asymmetric" } = layer;
  const compute = method === "bilinear" ? image.resizeBilinear : image.resizeNearestNeighbor;
  return eachAxis(inputs[0]!, (lines, axis) => {
    const [n, m] = [inputSizes[0]![axis]!, outputSize[axis]!];
    const factor = Array.isArray(scale) ? scale[axis] : scale;
    if (factor !== undefined && coordinates !== "align-corners" && Math.abs(n * factor - m) > 1e-9) {
      throw new RangeError(
        `${where}: scale: expected one that gives a whole number of units from ${n}, got ${factor}`,
      );
    }
    // Resizing is linear: its matrix is what it does to unit vectors. tfjs's own gradients of it ignore half pixels.
    const units = reshape(eye(n), [n, 1, n, 1]) as Tensor4D;
    const resized = compute(units, [1, m], coordinates === "align-corners", coordinates === "half-pixel");
    const rows = reshape(lines, [lines.shape[0], n]);
    return reshape(matMul(rows, reshape(resized, [n, m])), [lines.shape[0], 1, m, 1]) as Tensor4D;
  });
}

function padOp(inputs: readonly Tensor[], { layer, padding }: LayerCall<PadLayer>): Tensor {
  const { mode = "constant" } = layer;
  return eachAxis(inputs[0]!, (lines, axis) => {
    const [begin, end] = padding[axis]!;
    const inner = padLines(lines, [Math.min(begin, 0), Math.min(end, 0)]);
    if (mode === "constant") return padLines(inner, [Math.max(begin, 0), Math.max(end, 0)]);
    // A tap outside meets a unit of the layer below, cropped away here or not.
    const whole = begin < 0 || end < 0 ? lines : inner;
    return concat([border(whole, begin, mode, "begin"), inner, border(whole, end, mode, "end")].flat(), 2);
  });
}

/** The `count` units that stand for the padding on one side (none where it is not positive). */
function border(
  lines: Tensor4D,
  count: number,
  mode: "reflect" | "symmetric" | "edge",
  side: "begin" | "end",
): Tensor4D[] {
  if (count <= 0) return [];
  const [rows, , n] = lines.shape;
  const take = (from: number, size: number) => slice(lines, [0, 0, from, 0], [rows, 1, size, 1]);
  if (mode === "edge") return [tile(take(side === "begin" ? 0 : n - 1, 1), [1, 1, count, 1])];
  const skip = mode === "reflect" ? 1 : 0;
  return [reverse(take(side === "begin" ? skip : n - skip - count, count), 2)];
}

function adaptivePool(inputs: readonly Tensor[], { inputSizes, outputSize }: LayerCall): Tensor {
  return eachAxis(inputs[0]!, (lines, axis) => {
    const [n, m] = [inputSizes[0]![axis]!, outputSize[axis]!];
    const units = Array.from({ length: m }, (_, unit) => {
      const first = Math.floor((unit * n) / m);
      const size = Math.ceil(((unit + 1) * n) / m) - first;
      return mean(slice(lines, [0, 0, first, 0], [lines.shape[0], 1, size, 1]), 2, true) as Tensor4D;
    });
    return concat(units, 2);
  });
}

const averageAll = (inputs: readonly Tensor[]): Tensor => {
  const [x] = inputs;
  return mean(x!, [...x!.shape.keys()], true);
};

const merge = (inputs: readonly Tensor[], { outputSize }: LayerCall): Tensor =>
  addN(inputs.map((x) => broadcastTo(x, [...outputSize])));

const identity = (inputs: readonly Tensor[]): Tensor => inputs[0]!;

/**
 * Functions for `executeGraph` on one channel (a tensor in the shape of the
 * input, without batch) that are linear with positive weights, so that a
 * derivative is positive exactly where a path exists. Maxima become averages,
 * products and concatenations sums.
 */
export const positiveOps: GraphOps<Tensor> = {
  conv: averageWindow,
  pool: averageWindow,
  "adaptive-pool": adaptivePool,
  "global-pool": averageAll,
  "transposed-conv": averageTransposed,
  resize,
  pad: padOp,
  pointwise: identity,
  add: merge,
  multiply: merge,
  concat: merge,
  merge,
  flatten: identity,
  dense: averageAll,
};
