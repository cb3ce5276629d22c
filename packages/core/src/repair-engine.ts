import {
  type _FusedMatMulAttrs,
  add,
  type customGrad,
  elu,
  engine,
  type GradSaveFunc,
  leakyRelu,
  matMul,
  type NamedAttrMap,
  type NamedTensorMap,
  ones,
  prelu,
  relu,
  relu6,
  reshape,
  sigmoid,
  type Tensor,
  tidy,
  util,
  zeros,
} from "@tensorflow/tfjs-core";
import { complexArithmetic } from "./complex-arithmetic.js";

type Engine = ReturnType<typeof engine>;
type RunKernel = Engine["runKernel"];

/** Marks the method that is wrapped already, by this copy of the package or by another; all copies share its record. */
const mark = Symbol.for("@gradlab/core: attributes of fused kernels");

type RepairedRunKernel = RunKernel & { [mark]?: WeakMap<object, NamedAttrMap> };
const runKernelOf = () => engine() as Engine & { runKernel: RepairedRunKernel };

/** The ops that differentiate their fused kernel themselves and keep its attributes from the tape. */
const fused = new Set(["FusedConv2D", "FusedDepthwiseConv2D", "_FusedMatMul"]);

/** The attributes that a fused kernel was called with, by its result or a clone of it. */
export function fusedAttributes(result: Tensor): NamedAttrMap | undefined {
  return runKernelOf().runKernel[mark]?.get(result.dataId);
}

/** The inputs without those that are missing: the tape looks at each of them. */
function present(inputs: NamedTensorMap): NamedTensorMap {
  if (Array.isArray(inputs)) return inputs;
  const entries = Object.entries(inputs) as [string, Tensor | undefined][];
  if (entries.every(([, x]) => x !== undefined && x !== null)) return inputs;
  return Object.fromEntries(entries.filter((entry): entry is [string, Tensor] => entry[1] != null));
}

/** The inputs that are saved for a gradient have to be there. */
function complete(kernelName: string, inputs: NamedTensorMap): NamedTensorMap {
  if (kernelName !== "FusedBatchNorm") return inputs;
  const { mean, scale = ones(mean!.shape), offset = zeros(mean!.shape) } = inputs;
  return { ...inputs, scale, offset };
}

/** The node of the tape for each kernel: what it saved are clones, each with a node of its own. */
interface TapeNode {
  readonly inputs: NamedTensorMap;
}

type AddTapeNode = (
  name: string,
  inputs: NamedTensorMap,
  outputs: readonly Tensor[],
  gradient: unknown,
  saved: readonly Tensor[],
  attrs: unknown,
) => void;

type Inner = { addTapeNode: AddTapeNode; state: { activeTape: TapeNode[]; gradientDepth: number } };

/**
 * The clones of a kernel's results, which its gradient uses, are on the tape before the kernel, so that a second
 * derivative takes them for constants: those of `exp`, `sigmoid`, `tanh`, `softmax` and others would be lost. Puts them
 * behind it.
 */
function tapeInOrder(shared: Engine): void {
  const inner = shared as unknown as Inner;
  const original = inner.addTapeNode;
  inner.addTapeNode = (name, inputs, outputs, gradient, saved, attrs) => {
    original.call(shared, name, inputs, outputs, gradient, saved, attrs);
    if (inner.state.gradientDepth < 2 || saved.length === 0) return;
    const tape = inner.state.activeTape;
    const made = new Set(outputs.map(({ id }) => id));
    const node = tape.pop()!;
    const clones = tape.splice(tape.length - saved.length);
    const ofResults = clones.filter((clone) => made.has(clone.inputs.x?.id as number));
    tape.push(...clones.filter((clone) => !ofResults.includes(clone)), node, ...ofResults);
  };
}

/**
 * The gradient of `losses.softmaxCrossEntropy` uses logarithms that it computed on the way, of which the tape knows
 * nothing. Where a second derivative is taken the op is composed of its parts instead.
 */
function composeForSecondDerivatives(shared: Engine): void {
  const original = shared.customGrad.bind(shared) as Engine["customGrad"];
  shared.customGrad = <T extends Tensor>(f: Parameters<typeof customGrad<T>>[0]) => {
    const custom = original<T>(f);
    return (...inputs: (Tensor | GradSaveFunc)[]) => {
      const { gradientDepth, kernelDepth, activeScope } = shared.state;
      const composed =
        gradientDepth > 1 && kernelDepth === 0 && activeScope.name === "softmaxCrossEntropy__op";
      return composed ? f(...inputs, () => {}).value : custom(...inputs);
    };
  };
}

/**
 * `fused.matMul` lays the batches of its operands flat before it calls its kernel, which pairs them by their places in
 * that row or throws. Returns a function that, inside of the op, notes the batches of the operands as they were and
 * computes products of unequal ones by `matMul`; null where the kernel is right.
 */
function fusedProducts(shared: Engine) {
  const batches = new WeakMap<object, number[]>();
  const inOp = () => shared.state.scopeStack.some(({ name }) => name === "fusedMatMul__op");
  return {
    note: (kernelName: string, inputs: NamedTensorMap, result: Tensor) => {
      if (kernelName !== "Reshape" || !inOp()) return;
      batches.set(result, inputs.x!.shape.slice(0, -2));
    },
    product: (kernelName: string, inputs: NamedTensorMap, attrs: NamedAttrMap | undefined) => {
      if (kernelName !== "_FusedMatMul") return null;
      const { a, b } = inputs as { a: Tensor; b: Tensor };
      const [batchA, batchB] = [batches.get(a), batches.get(b)];
      if (batchA === undefined || batchB === undefined) return null;
      const paired = a.shape[0] === 1 || b.shape[0] === 1 || util.arraysEqual(batchA, batchB);
      if (paired) return null;
      const result = tidy(() =>
        unfusedProduct(inputs, [batchA, batchB], attrs as unknown as _FusedMatMulAttrs),
      );
      return { result, attrs: { ...attrs, batchA, batchB } as NamedAttrMap };
    },
  };
}

/** `activation(a b + bias)` with the batches of the operands, laid flat at the end. */
function unfusedProduct(
  { a, b, bias, preluActivationWeights }: NamedTensorMap,
  [batchA, batchB]: readonly [number[], number[]],
  { transposeA, transposeB, activation, leakyreluAlpha }: _FusedMatMulAttrs,
): Tensor {
  const unflat = (x: Tensor, batch: number[]) => reshape(x, [...batch, ...x.shape.slice(1)]);
  const product = matMul(unflat(a!, batchA), unflat(b!, batchB), transposeA, transposeB);
  const sum = bias ? add(product, bias) : product;
  const activations: Record<string, (x: Tensor) => Tensor> = {
    linear: (x) => x,
    relu,
    relu6,
    elu,
    sigmoid,
    prelu: (x) => prelu(x, preluActivationWeights!),
    leakyrelu: (x) => leakyRelu(x, leakyreluAlpha),
  };
  const activate = activations[activation];
  if (activate === undefined)
    throw new Error(`fused.matMul: activation: expected one that tfjs has, got ${activation}`);
  const [rows, columns] = sum.shape.slice(-2);
  return reshape(activate(sum), [-1, rows!, columns!]);
}

/** Kernels get only inputs that are there; complex numbers are computed with by their parts; attributes are noted. */
function runRepaired(shared: ReturnType<typeof runKernelOf>): void {
  const attributes = new WeakMap<object, NamedAttrMap>();
  const original = shared.runKernel;
  const products = fusedProducts(shared);
  const repaired = (kernelName: string, inputs: NamedTensorMap, attrs?: NamedAttrMap) => {
    const product = products.product(kernelName, inputs, attrs);
    if (product !== null) {
      attributes.set(product.result.dataId, product.attrs);
      return product.result;
    }
    if (shared.state.gradientDepth === 0) {
      const result = original.call(shared, kernelName, inputs, attrs);
      products.note(kernelName, inputs, result as Tensor);
      return result;
    }
    const taped = shared.state.kernelDepth === 0;
    const there = taped ? present(inputs) : inputs;
    const byParts = taped ? complexArithmetic(kernelName, there, attrs) : null;
    if (byParts !== null) return byParts;
    const result = original.call(shared, kernelName, taped ? complete(kernelName, there) : inputs, attrs);
    products.note(kernelName, inputs, result as Tensor);
    if (fused.has(kernelName)) attributes.set((result as Tensor).dataId, attrs!);
    return result;
  };
  shared.runKernel = Object.assign(repaired, { [mark]: attributes }) as RepairedRunKernel;
}

/**
 * Repairs what no registered gradient can, once for the engine that all copies of tfjs-core share. The tape of tfjs-core
 * 4.22.0 throws when an optional input of a kernel is missing (`batchNorm` without a scale), refuses the gradients of
 * complex numbers and loses second derivatives; and the fused convolutions and `fused.matMul` have gradients of their
 * own, which their kernels' attributes do not reach. Where no gradient is taken nothing changes, but for `fused.matMul`
 * of batches that are broadcast, which throws in tfjs-core.
 */
export function repairEngine(): void {
  const shared = runKernelOf();
  if (shared.runKernel[mark] !== undefined) return;
  runRepaired(shared);
  tapeInOrder(shared);
  composeForSecondDerivatives(shared);
}
