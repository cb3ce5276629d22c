import { backend_util, broadcast_util, type DataType, type KernelConfig } from "@tensorflow/tfjs-core";
import { companionOf } from "../companion/companion.js";
import { broadcastStrides, pairByCompanion } from "../companion/pairs.js";
import { mapByCompanion } from "../companion/unary.js";
import { allocate, type BackendWasm, elementsOf, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, kernel, kernelOver } from "../kernel.js";
import { allFinite } from "./all-finite.js";

// biome-ignore lint/suspicious/noExplicitAny: each function knows its own attributes
type Unary = (x: number, attrs: any) => number;
type Binary = (a: number, b: number) => number;

/** Half to even, as numpy rounds. */
function roundHalfToEven(x: number): number {
  const base = Math.floor(x);
  const rest = x - base;
  if (rest === 0.5) return base % 2 === 0 ? base : base + 1;
  return rest < 0.5 ? base : base + 1;
}

const { SELU_SCALE, SELU_SCALEALPHA, ERF_P, ERF_A1, ERF_A2, ERF_A3, ERF_A4, ERF_A5 } = backend_util;

/** Abramowitz and Stegun 7.1.26, as every backend of tfjs has it. */
function erf(x: number): number {
  const v = Math.abs(x);
  const t = 1 / (1 + ERF_P * v);
  const series = ((((ERF_A5 * t + ERF_A4) * t + ERF_A3) * t + ERF_A2) * t + ERF_A1) * t;
  return Math.sign(x) * (1 - series * Math.exp(-v * v));
}

/** Below this, the stock kernel takes an element for zero. */
const sign: Unary = (x) => (x > 0 ? 1 : x < 0 ? -1 : 0);

/** What each element becomes. The stock kernels read integers and booleans as if they were float32. */
const unary: Readonly<Record<string, Unary>> = {
  Abs: Math.abs,
  Acos: Math.acos,
  Acosh: Math.acosh,
  Asin: Math.asin,
  Asinh: Math.asinh,
  Atan: Math.atan,
  Atanh: Math.atanh,
  Ceil: Math.ceil,
  ClipByValue: (x, { clipValueMin, clipValueMax }) => Math.min(Math.max(x, clipValueMin), clipValueMax),
  Cos: Math.cos,
  Cosh: Math.cosh,
  Elu: (x) => (x >= 0 ? x : Math.expm1(x)),
  Erf: erf,
  Exp: Math.exp,
  Expm1: Math.expm1,
  Floor: Math.floor,
  IsFinite: (x) => (Number.isFinite(x) ? 1 : 0),
  IsInf: (x) => (Math.abs(x) === Number.POSITIVE_INFINITY ? 1 : 0),
  IsNan: (x) => (Number.isNaN(x) ? 1 : 0),
  LeakyRelu: (x, { alpha }) => (x < 0 ? alpha * x : x),
  Log: Math.log,
  Log1p: Math.log1p,
  LogicalNot: (x) => (x === 0 ? 1 : 0),
  Neg: (x) => -x,
  Reciprocal: (x) => 1 / x,
  Relu: (x) => Math.max(x, 0),
  Relu6: (x) => Math.min(Math.max(x, 0), 6),
  Round: roundHalfToEven,
  Rsqrt: (x) => 1 / Math.sqrt(x),
  Selu: (x) => (x >= 0 ? SELU_SCALE * x : SELU_SCALEALPHA * Math.expm1(x)),
  Sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  Sign: sign,
  Sin: Math.sin,
  Sinh: Math.sinh,
  Softplus: (x) => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))),
  Sqrt: Math.sqrt,
  Square: (x) => x * x,
  Step: (x, { alpha }) => (Number.isNaN(x) ? x : x > 0 ? 1 : alpha),
  Tan: Math.tan,
};

/** Results of another type than the input's, as on the cpu backend. */
const unaryTypes: Readonly<Record<string, DataType>> = {
  Exp: "float32",
  IsFinite: "bool",
  IsInf: "bool",
  IsNan: "bool",
  LeakyRelu: "float32",
  LogicalNot: "bool",
};

/**
 * Stock kernels that are wrong for some float32 too: NaN becomes 0, tiny numbers have no sign, and sines have an
 * absolute error of 2e-7, which is much near zero; so has selu.
 */
const wrongForFloats: ReadonlySet<string> = new Set([
  "ClipByValue",
  "Cos",
  "Relu6",
  "Selu",
  "Sign",
  "Sin",
  "Step",
  "Tan",
]);

/** Wrong for some numbers that are not finite: that of relu loses the NaN of Infinity - Infinity, which has a sign. */
const wrongForInfinities: ReadonlySet<string> = new Set(["Relu"]);

/** Applies a function to every element. */
export function mapElements(
  backend: BackendWasm,
  x: TensorInfo,
  f: (x: number) => number,
  dtype: DataType = x.dtype,
): TensorInfo {
  const out = allocate(backend, x.shape, dtype);
  const from = backend.typedArrayFromHeap(x);
  const to = backend.typedArrayFromHeap(out);
  for (let i = 0; i < to.length; i++) to[i] = f(from[i]!);
  return out;
}

const unaryKernel = (kernelName: string, f: Unary): KernelConfig =>
  kernelOver(kernelName, ({ inputs, backend, attrs }, stock) => {
    const x = inputs.x!;
    expectReal(kernelName, x);
    const companion = x.dtype === "float32" ? companionOf(backend) : undefined;
    const mapped = companion && mapByCompanion(backend, companion, kernelName, x, attrs);
    if (mapped !== undefined) return mapped;
    const trusted = x.dtype === "float32" && sizeOf(x.shape) > 0 && !wrongForFloats.has(kernelName);
    if (trusted && (!wrongForInfinities.has(kernelName) || allFinite(backend, x)))
      return stock({ inputs, backend, attrs }) as TensorInfo;
    return mapElements(backend, x, (value) => f(value, attrs), unaryTypes[kernelName] ?? x.dtype);
  });

const greater = (a: number, b: number) => (a > b ? 1 : 0);

/** What each pair of elements becomes. */
const binary: Readonly<Record<string, Binary>> = {
  Add: (a, b) => a + b,
  Atan2: Math.atan2,
  BitwiseAnd: (a, b) => a & b,
  Equal: (a, b) => (a === b ? 1 : 0),
  FloorDiv: (a, b) => Math.floor(a / b),
  Greater: greater,
  GreaterEqual: (a, b) => (a >= b ? 1 : 0),
  Less: (a, b) => (a < b ? 1 : 0),
  LessEqual: (a, b) => (a <= b ? 1 : 0),
  LogicalAnd: (a, b) => (a !== 0 && b !== 0 ? 1 : 0),
  LogicalOr: (a, b) => (a !== 0 || b !== 0 ? 1 : 0),
  LogicalXor: (a, b) => ((a !== 0) === (b !== 0) ? 0 : 1),
  Maximum: Math.max,
  Minimum: Math.min,
  Mod: (a, b) => {
    const rest = a % b;
    return (a < 0 && b < 0) || (a >= 0 && b >= 0) ? rest : (rest + b) % b;
  },
  Multiply: (a, b) => a * b,
  NotEqual: (a, b) => (a !== b ? 1 : 0),
  Pow: (a, b) => a ** b,
  Prelu: (x, alpha) => (x < 0 ? alpha * x : x),
  RealDiv: (a, b) => a / b,
  SquaredDifference: (a, b) => (a - b) * (a - b),
  Sub: (a, b) => a - b,
};

const logical: ReadonlySet<string> = new Set([
  "Equal",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
  "LogicalXor",
  "NotEqual",
]);

/** Stock kernels that are right for non-empty float32 tensors, whatever their broadcasting. */
const rightForFloats: ReadonlySet<string> = new Set([
  "Add",
  "Multiply",
  "RealDiv",
  "SquaredDifference",
  "Sub",
  ...[...logical].filter((name) => !name.startsWith("Logical")),
]);

/** Calls `visit(out, a, b)` with the positions that meet, in the order of the output. */
export function forEachPair(
  outShape: readonly number[],
  aShape: readonly number[],
  bShape: readonly number[],
  visit: (out: number, a: number, b: number) => void,
): void {
  const size = sizeOf(outShape as number[]);
  if (size === 0) return;
  const [aStrides, bStrides] = [broadcastStrides(aShape, outShape), broadcastStrides(bShape, outShape)];
  const last = outShape.length - 1;
  const length = outShape[last] ?? 1;
  const [aStep, bStep] = [aStrides[last] ?? 0, bStrides[last] ?? 0];
  const index = outShape.map(() => 0);
  for (let out = 0; out < size; ) {
    let a = 0;
    let b = 0;
    for (let axis = 0; axis < last; axis++) {
      a += index[axis]! * aStrides[axis]!;
      b += index[axis]! * bStrides[axis]!;
    }
    for (let k = 0; k < length; k++, out++, a += aStep, b += bStep) visit(out, a, b);
    for (let axis = last - 1; axis >= 0; axis--) {
      if (++index[axis]! < outShape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Applies a function to every pair of elements of two tensors that are broadcast against each other. */
export function mapPairs(
  backend: BackendWasm,
  a: TensorInfo,
  b: TensorInfo,
  f: Binary,
  dtype: DataType,
): TensorInfo {
  const outShape = broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const out = allocate(backend, outShape, dtype);
  const [left, right] = [elementsOf(backend, a) as number[], elementsOf(backend, b) as number[]];
  const to = backend.typedArrayFromHeap(out);
  if (a.shape.join() === b.shape.join()) for (let i = 0; i < to.length; i++) to[i] = f(left[i]!, right[i]!);
  else
    forEachPair(outShape, a.shape, b.shape, (i, j, k) => {
      to[i] = f(left[j]!, right[k]!);
    });
  return out;
}

function typeOf(kernelName: string, a: TensorInfo): DataType {
  if (kernelName === "Prelu") return "float32";
  if (kernelName === "FloorDiv") return "int32";
  return logical.has(kernelName) ? "bool" : a.dtype;
}

/** A binary kernel for what the stock one gets wrong: integers, booleans, strings, empty tensors and NaN. */
export function plainBinary(
  kernelName: string,
  { a, b }: Readonly<Record<string, TensorInfo>>,
  backend: BackendWasm,
): TensorInfo | undefined {
  expectReal(kernelName, a, b);
  const isFloat = a!.dtype === "float32" && b!.dtype === "float32";
  const companion = isFloat ? companionOf(backend) : undefined;
  const paired = companion && pairByCompanion(backend, companion, kernelName, a!, b!);
  if (paired !== undefined) return paired;
  const isEmpty = sizeOf(a!.shape) === 0 || sizeOf(b!.shape) === 0;
  if (isFloat && !isEmpty && rightForFloats.has(kernelName)) return undefined;
  return mapPairs(backend, a!, b!, binary[kernelName]!, typeOf(kernelName, a!));
}

/** Kernels whose float32 case another file of this package makes fast. */
const fastElsewhere: ReadonlySet<string> = new Set(["Add", "Multiply", "Sub"]);

const binaryKernel = (kernelName: string): KernelConfig =>
  kernelOver(
    kernelName,
    ({ inputs, backend, attrs }, stock) =>
      plainBinary(kernelName, inputs as Record<string, TensorInfo>, backend) ??
      (stock({ inputs, backend, attrs }) as TensorInfo),
  );

/** Element by element: right for every type, every broadcasting and NaN, where the stock kernels are not. */
export const elementwiseKernels = (): KernelConfig[] => [
  ...Object.entries(unary).map(([name, f]) => unaryKernel(name, f)),
  ...Object.keys(binary)
    .filter((name) => name !== "Prelu" && !fastElsewhere.has(name))
    .map(binaryKernel),
  kernel("Prelu", ({ inputs, backend }) => {
    const [a, b] = [inputs.x!, inputs.alpha!];
    return plainBinary("Prelu", { a, b }, backend) ?? mapPairs(backend, a, b, binary.Prelu!, "float32");
  }),
];
