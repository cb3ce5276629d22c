import { backend_util, type DataType, util } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { canReduce, reduceByCompanion } from "../companion/reduce.js";
import { allocate, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, kernel } from "../kernel.js";

type Elements = ArrayLike<number>;

/**
 * Sums over neighbouring axes, `[outer, reduced, inner]` to `[outer, inner]`, times
 * `factor`; accumulated in float64.
 */
function sumOverMiddle(
  from: Elements,
  to: Float32Array | Int32Array | Uint8Array,
  [outer, reduced, inner]: readonly [number, number, number],
  factor: number,
): void {
  const sums = new Float64Array(inner);
  let i = 0;
  for (let o = 0; o < outer; o++) {
    let r = 0;
    sums.fill(0);
    if (inner === 1) {
      let [s0, s1, s2, s3] = [0, 0, 0, 0];
      for (; r + 3 < reduced; r += 4, i += 4) {
        s0 += from[i]!;
        s1 += from[i + 1]!;
        s2 += from[i + 2]!;
        s3 += from[i + 3]!;
      }
      sums[0] = s0 + s1 + (s2 + s3);
    }
    // Four rows at a time, so that the sums are read and written a quarter as often.
    for (; r + 3 < reduced; r += 4, i += 4 * inner) {
      for (let k = 0, j = i; k < inner; k++, j++) {
        sums[k]! += from[j]! + from[j + inner]! + (from[j + 2 * inner]! + from[j + 3 * inner]!);
      }
    }
    for (; r < reduced; r++, i += inner) for (let k = 0; k < inner; k++) sums[k]! += from[i + k]!;
    for (let k = 0; k < inner; k++) to[o * inner + k] = sums[k]! * factor;
  }
}

/** Folds every element into the one of the output that it belongs to, in the order of the input. */
function fold(
  from: Elements,
  shape: readonly number[],
  axes: readonly number[],
  results: Float64Array,
  step: (result: number, value: number) => number,
): void {
  const strides: number[] = new Array(shape.length).fill(0);
  for (let axis = shape.length - 1, stride = 1; axis >= 0; axis--) {
    if (axes.includes(axis)) continue;
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  const last = shape.length - 1;
  const [length, near] = [shape[last] ?? 1, strides[last] ?? 0];
  const index = shape.map(() => 0);
  for (let i = 0; i < from.length; ) {
    let target = 0;
    for (let axis = 0; axis < last; axis++) target += index[axis]! * strides[axis]!;
    for (let k = 0; k < length; k++, i++, target += near) results[target] = step(results[target]!, from[i]!);
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

interface Reduction {
  readonly start: number;
  readonly step: (result: number, value: number) => number;
  /** The type of the result; that of the input unless given. */
  readonly dtype?: (x: DataType) => DataType;
  /** What follows for `count` elements. */
  readonly finish?: (result: number, count: number) => number;
}

const whole = (x: DataType): DataType => (x === "bool" ? "int32" : x);

const reductions: Readonly<Record<string, Reduction>> = {
  Sum: { start: 0, step: (sum, value) => sum + value, dtype: whole },
  Mean: {
    start: 0,
    step: (sum, value) => sum + value,
    dtype: () => "float32",
    finish: (sum, count) => sum / count,
  },
  Prod: { start: 1, step: (product, value) => product * value, dtype: whole },
  Max: { start: Number.NEGATIVE_INFINITY, step: Math.max },
  Min: { start: Number.POSITIVE_INFINITY, step: Math.min },
  All: { start: 1, step: (all, value) => (all !== 0 && value !== 0 ? 1 : 0) },
  Any: { start: 0, step: (any, value) => (any !== 0 || value !== 0 ? 1 : 0) },
};

/**
 * Reductions over any axes, negative ones too, of any type, of nothing too; sums and products are accumulated in float64. The stock
 * kernels transpose the whole tensor to reduce anything but the last axes, and read what they should not.
 */
const reduction = (kernelName: string, { start, step, dtype, finish }: Reduction) =>
  kernel(kernelName, ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    expectReal(kernelName, x);
    // tfjs calls the axes of max alone otherwise.
    const axes = util.parseAxisParam(attrs.reductionIndices ?? attrs.axis, x.shape).sort((a, b) => a - b);
    const [kept, reduced] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const count = sizeOf(reduced);
    const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept;
    const out = allocate(backend, shape, dtype?.(x.dtype) ?? x.dtype);
    const [first, last] = [axes[0] ?? 0, axes.at(-1) ?? 0];
    const neighbours = axes.length > 0 && last - first === axes.length - 1;
    const companion = x.dtype === "float32" && out.dtype === "float32" ? companionOf(backend) : undefined;
    if (companion !== undefined && neighbours && sizeOf(x.shape) > 0 && canReduce(kernelName)) {
      const sizes = [sizeOf(x.shape.slice(0, first)), count, sizeOf(x.shape.slice(last + 1))] as const;
      reduceByCompanion(backend, companion, kernelName, x, out, sizes);
      return out;
    }
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out);
    if (neighbours && (kernelName === "Sum" || kernelName === "Mean")) {
      const sizes = [sizeOf(x.shape.slice(0, first)), count, sizeOf(x.shape.slice(last + 1))] as const;
      sumOverMiddle(from, to, sizes, kernelName === "Mean" ? 1 / count : 1);
      return out;
    }
    const results = new Float64Array(to.length).fill(start);
    fold(from, x.shape, axes, results, step);
    for (let i = 0; i < to.length; i++) to[i] = finish ? finish(results[i]!, count) : results[i]!;
    return out;
  });

/** The index of the first largest, or smallest, element along an axis. */
const extremeIndex = (kernelName: string, isBetter: (value: number, best: number) => boolean) =>
  kernel(kernelName, ({ inputs, backend, attrs }) => {
    const x = inputs.x!;
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const n = x.shape[axis]!;
    const inner = sizeOf(x.shape.slice(axis + 1));
    const out = allocate(
      backend,
      x.shape.filter((_, i) => i !== axis),
      "int32",
    );
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out);
    for (let i = 0; i < to.length; i++) {
      const begin = Math.floor(i / inner) * n * inner + (i % inner);
      let best = 0;
      for (let k = 1; k < n; k++) {
        if (isBetter(from[begin + k * inner]!, from[begin + best * inner]!)) best = k;
      }
      to[i] = best;
    }
    return out;
  });

/** Running sums and products along any axis; the stock kernels know the last one. */
const cumulation = (kernelName: string, start: number, step: (sum: number, value: number) => number) =>
  kernel(kernelName, ({ inputs, backend, attrs }): TensorInfo => {
    const x = inputs.x!;
    const { exclusive, reverse } = attrs;
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const n = x.shape[axis]!;
    const inner = sizeOf(x.shape.slice(axis + 1));
    const out = allocate(backend, x.shape, whole(x.dtype));
    const from = backend.typedArrayFromHeap(x);
    const to = backend.typedArrayFromHeap(out);
    for (let o = 0; o < to.length; o += n * inner) {
      for (let k = 0; k < inner; k++) {
        let sum = start;
        for (let j = 0; j < n; j++) {
          const i = o + k + (reverse ? n - 1 - j : j) * inner;
          const next = step(sum, from[i]!);
          to[i] = exclusive ? sum : next;
          sum = next;
        }
      }
    }
    return out;
  });

export const reductionKernels = () => [
  ...Object.entries(reductions).map(([name, how]) => reduction(name, how)),
  extremeIndex("ArgMax", (value, best) => value > best),
  extremeIndex("ArgMin", (value, best) => value < best),
  cumulation("Cumsum", 0, (sum, value) => sum + value),
  cumulation("Cumprod", 1, (product, value) => product * value),
];
