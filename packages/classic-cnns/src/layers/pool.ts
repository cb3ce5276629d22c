import type { AdaptivePoolLayer, LayerCall, PoolLayer } from "@gradlab/receptive-field";
import {
  avgPool,
  clone,
  concat,
  matMul,
  maxPool,
  mean,
  mul,
  pad as padZeros,
  reshape,
  slice,
  type Tensor3D,
  type Tensor4D,
  tensor,
} from "@tensorflow/tfjs-core";
import { windowInput } from "./window-padding.js";

/**
 * Max or average pooling over windows, as PyTorch computes it: padding is never a maximum, and counts as zeros in an
 * average (but not what rounding up adds behind it). Unlike there, an average with `"same"` padding leaves it out, as
 * in TensorFlow.
 *
 * @param x `[batch, h, w, channels]`.
 */
export function poolWindows(x: Tensor4D, call: LayerCall<PoolLayer>): Tensor4D {
  const { mode, padding } = call.layer;
  const { x: input, pad } = windowInput(x, call);
  const kernel = call.kernel as [number, number];
  const stride = call.stride as [number, number];
  if (mode === "max") return maxPool(input, kernel, stride, pad);
  const isPadded = pad.some(([begin, end]) => begin > 0 || end > 0);
  if (!isPadded || padding === "same") return avgPool(input, kernel, stride, pad);
  const average = avgPool(padZeros(input, pad), kernel, stride, "valid");
  const shares = [0, 1].map((axis) => windowShares(call, axis));
  if (shares.every((along) => along.every((share) => share === 1))) return average;
  const factors = shares[0]!.flatMap((y) => shares[1]!.map((x) => y * x));
  return mul(average, tensor(factors, [1, ...call.outputSize, 1]));
}

/** For each window along an axis, its size over what of it lies inside the input and its stated padding. */
function windowShares(
  { layer, kernel, stride, padding, inputSizes, outputSize }: LayerCall<PoolLayer>,
  axis: number,
): number[] {
  const stated = Array.isArray(layer.padding) ? layer.padding[axis] : layer.padding;
  const end = Array.isArray(stated) ? stated[1] : typeof stated === "number" ? stated : 0;
  const limit = padding[axis]![0] + inputSizes[0]![axis]! + end;
  return Array.from({ length: outputSize[axis]! }, (_, i) => {
    const start = i * stride[axis]!;
    return kernel[axis]! / (Math.min(start + kernel[axis]!, limit) - start);
  });
}

/**
 * Pooling to a fixed number of outputs: unit i covers `floor(i n/m) … ceil((i+1) n/m) − 1`; with more outputs than
 * inputs, units repeat.
 *
 * @param x `[batch, h, w, channels]`.
 */
export function poolToSize(x: Tensor4D, { layer, outputSize }: LayerCall<AdaptivePoolLayer>): Tensor4D {
  const { mode } = layer;
  const [, height, width] = x.shape;
  const [rows, columns] = outputSize as [number, number];
  if (height === rows && width === columns) return clone(x);
  if (height % rows === 0 && width % columns === 0) {
    const window: [number, number] = [height / rows, width / columns];
    return mode === "max" ? maxPool(x, window, window, "valid") : avgPool(x, window, window, "valid");
  }
  // Along x before y: of equal numbers, the first in reading order gets the gradient, as in PyTorch.
  return mode === "max" ? maxToSize(maxToSize(x, 2, columns), 1, rows) : averageToSize(x, rows, columns);
}

/**
 * The largest or the mean of every map. The largest by pooling and not by `max`, whose gradient goes to every one of
 * equal numbers, and so comes several times.
 *
 * @param x `[batch, h, w, channels]`.
 * @returns `[batch, 1, 1, channels]`.
 */
export function poolToOne(x: Tensor4D, mode: string | undefined): Tensor4D {
  return mode === "max"
    ? maxPool(x, [x.shape[1], x.shape[2]], 1, "valid")
    : (mean(x, [1, 2], true) as Tensor4D);
}

/** First unit and number of units that output `i` of `m` covers, of `n`. */
function covered(i: number, m: number, n: number): [first: number, count: number] {
  const first = Math.floor((i * n) / m);
  return [first, Math.ceil(((i + 1) * n) / m) - first];
}

function maxToSize(x: Tensor4D, axis: 1 | 2, m: number): Tensor4D {
  const units = Array.from({ length: m }, (_, i) => {
    const [first, count] = covered(i, m, x.shape[axis]);
    const begin = [0, 0, 0, 0];
    const size = [...x.shape];
    begin[axis] = first;
    size[axis] = count;
    return maxPool(slice(x, begin, size), axis === 1 ? [count, 1] : [1, count], 1, "valid");
  });
  return concat(units, axis);
}

/** Averages along an axis are a product with a matrix of shares. */
function averageToSize(x: Tensor4D, rows: number, columns: number): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const lines = reshape(x, [batch, height, width * channels]);
  const tall = reshape(matMul(averages(rows, height), lines), [batch * rows, width, channels]);
  return reshape(matMul(averages(columns, width), tall), [batch, rows, columns, channels]);
}

/** `[1, m, n]`: row i holds `1 / count` where output i looks. */
function averages(m: number, n: number): Tensor3D {
  const shares = new Float32Array(m * n);
  for (let i = 0; i < m; i++) {
    const [first, count] = covered(i, m, n);
    shares.fill(1 / count, i * n + first, i * n + first + count);
  }
  return tensor(shares, [1, m, n]) as Tensor3D;
}
