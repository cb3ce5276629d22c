import { broadcast_util } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { companionActivations, isRow, multiply as multiplyByCompanion } from "../companion/multiply.js";
import { costs, packing } from "../costs.js";
import { allocate, type BackendWasm, floats, release, share, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, type KernelArguments, kernel, kernelOver, run } from "../kernel.js";
import { transposeMatrices } from "../transpose-matrices.js";
import { activate } from "./activate.js";
import { castTo } from "./identity.js";

type Product = (
  a: number,
  aShape: Uint8Array,
  aRank: number,
  b: number,
  bShape: Uint8Array,
  bRank: number,
  transposeA: boolean,
  transposeB: boolean,
  out: number,
) => void;

const products = new WeakMap<object, Product>();

function productOf(backend: BackendWasm): Product {
  let product = products.get(backend.wasm);
  if (product === undefined) {
    const [number, array] = ["number", "array"] as const;
    const types = [number, array, number, number, array, number, number, number, number] as const;
    // Emscripten's call by name, which tfjs leaves out of its types.
    const wasm = backend.wasm as unknown as {
      cwrap(name: string, result: null, types: readonly string[]): Product;
    };
    product = wasm.cwrap("BatchMatMul", null, types);
    products.set(backend.wasm, product);
  }
  return product;
}

const bytes = (...shape: number[]) => new Uint8Array(Int32Array.from(shape).buffer);

/** Identifiers for parts of tensors, far above those that the backend gives out. */
let lastPart = 2 ** 30;

/**
 * `out = a b` for matrices `a` `[m, k]` and `b` `[k, n]` that are parts of
 * tensors; each pair names where its matrices begin, in elements.
 *
 * Each part of a tensor is made known to the WASM module under an identifier of
 * its own, because only products of single matrices reach the fast code.
 */
export function multiplyMatrices(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  [m, k, n]: readonly [number, number, number],
  pairs: readonly { a: number; b: number; out: number }[],
): void {
  const { registerTensor, disposeData } = backend.wasm.tfjs;
  const [aAt, bAt, outAt] = [a, b, out].map((x) => backend.getMemoryOffset(x.dataId)) as [
    number,
    number,
    number,
  ];
  const [aId, bId, outId] = [++lastPart, ++lastPart, ++lastPart];
  const multiply = productOf(backend);
  const aShape = bytes(1, m, k);
  const bShape = bytes(1, k, n);
  for (const [i, pair] of pairs.entries()) {
    registerTensor(aId, m * k, aAt + pair.a * 4);
    // The second operand is repacked, and the packed form kept, for each new identifier.
    if (i === 0 || pair.b !== pairs[i - 1]!.b) {
      if (i > 0) disposeData(bId);
      registerTensor(bId, k * n, bAt + pair.b * 4);
    }
    registerTensor(outId, m * n, outAt + pair.out * 4);
    multiply(aId, aShape, 3, bId, bShape, 3, false, false, outId);
    disposeData(aId);
    disposeData(outId);
  }
  if (pairs.length > 0) disposeData(bId);
}

/** For each matrix of the result, the index of the matrix of an input, whose batch is broadcast. */
function matrixIndices(batch: number[], own: number[]): number[] {
  const strides: number[] = new Array(batch.length).fill(0);
  let step = 1;
  for (let i = own.length - 1, j = batch.length - 1; i >= 0; i--, j--) {
    strides[j] = own[i] === 1 ? 0 : step;
    step *= own[i]!;
  }
  return Array.from({ length: sizeOf(batch) }, (_, flat) => {
    let index = 0;
    for (let j = batch.length - 1, rest = flat; j >= 0; j--) {
      index += (rest % batch[j]!) * strides[j]!;
      rest = Math.floor(rest / batch[j]!);
    }
    return index;
  });
}

/**
 * Whether `(bᵀ aᵀ)ᵀ` is cheaper than `a b`: the second operand is packed for
 * every product, so it should be the small one, if that takes few transpositions.
 */
function isCheaperSwapped(
  a: number,
  b: number,
  out: number,
  transposeA: boolean,
  transposeB: boolean,
): boolean {
  const { transpose } = costs.composition;
  const direct = transpose * ((transposeA ? a : 0) + (transposeB ? b : 0)) + packing(b);
  const swapped = transpose * ((transposeA ? 0 : a) + (transposeB ? 0 : b) + out) + packing(a);
  return swapped < direct;
}

function expectInnerSizes(a: TensorInfo, b: TensorInfo, transposeA: boolean, transposeB: boolean): void {
  const k = a.shape.at(transposeA ? -2 : -1);
  const inner = b.shape.at(transposeB ? -1 : -2);
  if (k === inner) return;
  throw new Error(
    `matMul: b: expected ${k} rows to match the columns of a, got ${inner} ` +
      `(shapes [${a.shape}] and [${b.shape}], transposeA=${transposeA}, transposeB=${transposeB})`,
  );
}

/** `a b`, each transposed on request, with broadcast batch dimensions; the caller releases the result. */
export function matMul(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA = false,
  transposeB = false,
): TensorInfo {
  expectInnerSizes(a, b, transposeA, transposeB);
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const [m, k] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!];
  const n = b.shape.at(transposeB ? -2 : -1)!;
  const single = sizeOf(aBatch) === 1 && sizeOf(bBatch) === 1;
  if (single && isCheaperSwapped(m * k, k * n, m * n, transposeA, transposeB)) {
    const turned = multiply(backend, b, a, !transposeB, !transposeA);
    const out = transposeMatrices(backend, turned);
    release(backend, turned);
    return out;
  }
  return multiply(backend, a, b, transposeA, transposeB);
}

function multiply(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const left = transposeA ? transposeMatrices(backend, a) : share(backend, a, a.shape);
  const right = transposeB ? transposeMatrices(backend, b) : share(backend, b, b.shape);
  const [m, k] = left.shape.slice(-2) as [number, number];
  const n = right.shape.at(-1)!;
  const aBatch = a.shape.slice(0, -2);
  const bBatch = b.shape.slice(0, -2);
  const batch = broadcast_util.assertAndGetBroadcastShape(aBatch, bBatch);
  const out = allocate(backend, [...batch, m, n]);
  if (sizeOf(out.shape) > 0) {
    if (k === 0) floats(backend, out).fill(0);
    else if (sizeOf(bBatch) === 1) {
      // One second operand for all: the batch of the first is just more rows.
      multiplyMatrices(backend, left, right, out, [sizeOf(aBatch) * m, k, n], [{ a: 0, b: 0, out: 0 }]);
    } else {
      const aIndices = matrixIndices(batch, aBatch);
      const pairs = matrixIndices(batch, bBatch).map((index, i) => ({
        a: aIndices[i]! * m * k,
        b: index * k * n,
        out: i * m * n,
      }));
      multiplyMatrices(backend, left, right, out, [m, k, n], pairs);
    }
  }
  release(backend, left, right);
  return out;
}

/** As float32; integers and booleans are multiplied as such, as on the cpu backend. */
const asFloats = (backend: BackendWasm, x: TensorInfo): TensorInfo =>
  x.dtype === "float32" ? share(backend, x, x.shape) : castTo(backend, x, "float32");

/** Products of integers or booleans, exact while they stay below 2²⁴; the result has the type of `a`. */
function matMulOfIntegers(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): TensorInfo {
  const [left, right] = [asFloats(backend, a), asFloats(backend, b)];
  const product = matMul(backend, left, right, transposeA, transposeB);
  const out =
    a.dtype === "float32" ? share(backend, product, product.shape) : castTo(backend, product, a.dtype);
  release(backend, left, right, product);
  return out;
}

/**
 * With how many columns the stock kernel has packed a second operand. It finds the packed form by the tensor alone, and
 * would take it for another shape of the same numbers.
 */
const packedColumns = new WeakMap<object, number>();

/**
 * The stock kernel multiplies single untransposed matrices by fast code and
 * all else by a plain loop, which also pairs the matrices of interleaved batches
 * (`[2, 1]` and `[3]`) wrongly. Transposing first costs little and stays fast.
 */
export const batchMatMulKernel = () =>
  kernelOver("BatchMatMul", ({ inputs, backend, attrs }: KernelArguments, stock) => {
    const [a, b] = [inputs.a!, inputs.b!];
    const { transposeA, transposeB } = attrs;
    expectReal("matMul", a, b);
    if (a.dtype !== "float32" || b.dtype !== "float32") {
      return matMulOfIntegers(backend, a, b, transposeA, transposeB);
    }
    const companion = companionOf(backend);
    if (companion !== undefined) {
      expectInnerSizes(a, b, transposeA, transposeB);
      return multiplyByCompanion(backend, companion, a, b, { transposeA, transposeB });
    }
    const single = sizeOf(a.shape.slice(0, -2)) === 1 && sizeOf(b.shape.slice(0, -2)) === 1;
    // The stock kernel keeps the packed second operand as long as its tensor lives.
    if (single && !transposeA && !transposeB && sizeOf(a.shape) > 0 && sizeOf(b.shape) > 0) {
      const columns = b.shape.at(-1)!;
      const packed = packedColumns.get(b.dataId) ?? columns;
      packedColumns.set(b.dataId, packed);
      if (packed === columns) return stock({ inputs, backend, attrs });
    }
    return matMul(backend, a, b, transposeA, transposeB);
  });

/** `activation(a b + bias)`; the stock kernel takes a bias of one axis alone and turns NaN into 0. */
export const fusedMatMulKernel = () =>
  kernel("_FusedMatMul", ({ inputs, backend, attrs }: KernelArguments) => {
    const { a, b, bias, preluActivationWeights } = inputs;
    const { transposeA, transposeB, activation = "linear" } = attrs;
    const companion = companionOf(backend);
    const byCompanion = companionActivations[activation];
    const isFloat = a!.dtype === "float32" && b!.dtype === "float32";
    if (
      companion !== undefined &&
      byCompanion !== undefined &&
      isFloat &&
      isRow(bias, b!.shape.at(transposeB ? -2 : -1)!)
    ) {
      expectInnerSizes(a!, b!, transposeA, transposeB);
      return multiplyByCompanion(backend, companion, a!, b!, {
        transposeA,
        transposeB,
        bias,
        activation: byCompanion,
      });
    }
    let result = run(backend, "BatchMatMul", { a: a!, b: b! }, { transposeA, transposeB });
    if (bias) {
      const sum = run(backend, "Add", { a: result, b: bias });
      release(backend, result);
      result = sum;
    }
    return activate(backend, result, attrs, preluActivationWeights);
  });
