import { backend_util } from "@tensorflow/tfjs-core";
import { type BackendWasm, release, share, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, kernel, run } from "../kernel.js";

/** A tensor whose axes have names. */
interface Labelled {
  readonly labels: string[];
  readonly x: TensorInfo;
}

function sumOver(backend: BackendWasm, { labels, x }: Labelled, keep: (label: string) => boolean): Labelled {
  const axis = labels.flatMap((label, i) => (keep(label) ? [] : [i]));
  if (axis.length === 0) return { labels, x: share(backend, x, x.shape) };
  return { labels: labels.filter(keep), x: run(backend, "Sum", { x }, { axis, keepDims: false }) };
}

/** The axes in the order of `order`. */
function arrange(backend: BackendWasm, { labels, x }: Labelled, order: string[]): TensorInfo {
  const perm = order.map((label) => labels.indexOf(label));
  if (perm.every((axis, i) => axis === i)) return share(backend, x, x.shape);
  return run(backend, "Transpose", { x }, { perm });
}

/** Contracts two tensors over the axes that the output does not have, by one batched product. */
function contract(backend: BackendWasm, a: Labelled, b: Labelled, output: string[]): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => output.includes(label));
  const inner = shared.filter((label) => !output.includes(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const size = (labels: string[]) =>
    labels.map((label) => {
      const at = a.labels.indexOf(label);
      return at >= 0 ? a.x.shape[at]! : b.x.shape[b.labels.indexOf(label)]!;
    });
  const [batches, rows, depth, columns] = [batch, left, inner, right].map((labels) => sizeOf(size(labels)));
  const as = arrange(backend, a, [...batch, ...left, ...inner]);
  const bs = arrange(backend, b, [...batch, ...inner, ...right]);
  const product = run(backend, "BatchMatMul", {
    a: { ...as, shape: [batches!, rows!, depth!] },
    b: { ...bs, shape: [batches!, depth!, columns!] },
  });
  release(backend, as, bs);
  const labels = [...batch, ...left, ...right];
  return { labels, x: { ...product, shape: size(labels) } };
}

/**
 * `einsum` of one or two tensors: axes that only one of them has are
 * summed first, the rest is one batched matrix product and a transposition.
 */
export const einsumKernel = () =>
  kernel("Einsum", ({ inputs, backend, attrs }) => {
    const tensors = Object.values(inputs) as TensorInfo[];
    const equation = (attrs.equation as string).replace(/\s/g, "");
    const { allDims, idDims } = backend_util.decodeEinsumEquation(equation, tensors.length);
    backend_util.checkEinsumDimSizes(allDims.length, idDims, tensors as never);
    expectReal("einsum", ...tensors);
    const output = [...equation.split("->")[1]!];
    const terms = idDims.map((dims) => dims.map((dim) => allDims[dim]!));
    const operands = tensors.map((x, i) =>
      sumOver(
        backend,
        { labels: terms[i]!, x },
        (label) => output.includes(label) || terms.some((term, j) => j !== i && term.includes(label)),
      ),
    );
    const [a, b] = operands;
    const result = b === undefined ? a! : contract(backend, a!, b, output);
    const out = arrange(backend, result, output);
    release(backend, ...operands.map(({ x }) => x));
    if (b !== undefined) release(backend, result.x);
    return out;
  });
