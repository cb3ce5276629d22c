import { backend_util, slice_util, util } from "@tensorflow/tfjs-core";
import { allocate, type BackendWasm, sizeOf, type TensorInfo } from "../heap.js";
import { type KernelArguments, kernelOver } from "../kernel.js";

type Elements = ReturnType<BackendWasm["typedArrayFromHeap"]>;

/** Below this many elements a loop is faster than a call that copies memory. */
const shortRow = 24;

/** Copies `rows` rows of `length` elements between strided places of the heap. */
function copyRows(
  from: Elements,
  source: number,
  sourceStride: number,
  to: Elements,
  target: number,
  targetStride: number,
  length: number,
  rows: number,
): void {
  if (length === sourceStride && length === targetStride) {
    to.set(from.subarray(source, source + rows * length), target);
    return;
  }
  for (let row = 0, i = source, j = target; row < rows; row++, i += sourceStride, j += targetStride) {
    if (length < shortRow) for (let k = 0; k < length; k++) to[j + k] = from[i + k]!;
    else to.set(from.subarray(i, i + length), j);
  }
}

/** The elements from `begin` on, `size` of them along each axis. */
function slice(backend: BackendWasm, x: TensorInfo, begin: number[], size: number[]): TensorInfo {
  const out = allocate(backend, size, x.dtype);
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(out);
  if (to.length === 0) return out;
  // Axes that are taken whole are part of the row before them.
  let last = x.shape.length - 1;
  let inner = 1;
  while (last > 0 && size[last] === x.shape[last]) inner *= x.shape[last--]!;
  if (last < 0) {
    to.set(from);
    return out;
  }
  const length = size[last]! * inner;
  const stride = x.shape[last]! * inner;
  const offset = begin[last]! * inner;
  const rows = last > 0 ? size[last - 1]! : 1;
  const outer = size.slice(0, Math.max(0, last - 1));
  const strides = util.computeStrides([...x.shape.slice(0, last), stride]);
  const index = outer.map(() => 0);
  for (let target = 0; target < to.length; target += rows * length) {
    let source = offset + (last > 0 ? begin[last - 1]! * stride : 0);
    for (let axis = 0; axis < outer.length; axis++) source += (begin[axis]! + index[axis]!) * strides[axis]!;
    copyRows(from, source, stride, to, target, length, length, rows);
    for (let axis = outer.length - 1; axis >= 0; axis--) {
      index[axis]!++;
      if (index[axis]! < outer[axis]!) break;
      index[axis] = 0;
    }
  }
  return out;
}

/** Consecutive parts along an axis. */
function splitAlong(backend: BackendWasm, x: TensorInfo, axis: number, sizes: number[]): TensorInfo[] {
  const begin = x.shape.map(() => 0);
  return sizes.map((n) => {
    const size = x.shape.map((full, i) => (i === axis ? n : full));
    const part = slice(backend, x, begin, size);
    begin[axis]! += n;
    return part;
  });
}

/** Sizes of parts, of which one may be -1 for what is left; tfjs takes that one wrongly when it comes first. */
function partSizes(total: number, sizes: number | number[]): number[] {
  if (typeof sizes === "number") {
    util.assert(
      total % sizes === 0,
      () => `split: expected a number of parts that divides ${total}, got ${sizes}`,
    );
    return new Array(sizes).fill(total / sizes);
  }
  const known = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  const parts = sizes.map((size) => (size < 0 ? total - known : size));
  const sum = parts.reduce((a, b) => a + b, 0);
  util.assert(
    sum === total && parts.every((size) => size >= 0),
    () => `split: expected sizes that add up to ${total}, got [${sizes}]`,
  );
  return parts;
}

/** Joins tensors that differ only along `axis`. */
function concat(backend: BackendWasm, tensors: TensorInfo[], axis: number, outShape: number[]): TensorInfo {
  const out = allocate(backend, outShape, tensors[0]!.dtype);
  const to = backend.typedArrayFromHeap(out);
  const rows = sizeOf(outShape.slice(0, axis));
  const stride = sizeOf(outShape.slice(axis));
  let target = 0;
  for (const x of tensors) {
    const length = sizeOf(x.shape) / rows;
    if (length > 0) copyRows(backend.typedArrayFromHeap(x), 0, length, to, target, stride, length, rows);
    target += length;
  }
  return out;
}

type Stock = Parameters<Parameters<typeof kernelOver>[1]>[1];

/** The stock kernels copy the whole input out of the heap for every slice; they still serve strings. */
export const sliceKernels = () => [
  kernelOver("Slice", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const x = inputs.x!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size);
    return slice(backend, x, begin!, size!);
  }),
  kernelOver("SplitV", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const x = inputs.x!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    return splitAlong(backend, x, axis, partSizes(x.shape[axis]!, attrs.numOrSizeSplits));
  }),
  kernelOver("Unpack", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const x = inputs.value!;
    if (x.dtype === "string") return stock({ inputs, backend, attrs });
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0]!;
    const shape = x.shape.filter((_, i) => i !== axis);
    return splitAlong(backend, x, axis, new Array(x.shape[axis]).fill(1)).map((part) => ({ ...part, shape }));
  }),
  kernelOver("Concat", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const tensors = Object.values(inputs) as TensorInfo[];
    if (tensors[0]!.dtype === "string") return stock({ inputs, backend, attrs });
    const axis = util.parseAxisParam(attrs.axis, tensors[0]!.shape)[0]!;
    const shapes = tensors.map(({ shape }) => shape);
    backend_util.assertParamsConsistent(shapes, axis);
    return concat(backend, tensors, axis, backend_util.computeOutShape(shapes, axis));
  }),
  kernelOver("Pack", ({ inputs, backend, attrs }: KernelArguments, stock: Stock) => {
    const tensors = Object.values(inputs) as TensorInfo[];
    const [first] = tensors;
    if (first!.dtype === "string") return stock({ inputs, backend, attrs });
    for (const x of tensors) util.assertShapesMatch(first!.shape, x.shape, "stack: tensors: ");
    const axis = attrs.axis < 0 ? attrs.axis + first!.shape.length + 1 : attrs.axis;
    const outShape = [...first!.shape.slice(0, axis), tensors.length, ...first!.shape.slice(axis)];
    return concat(backend, tensors, axis, outShape);
  }),
];
