import {
  broadcastTo,
  type GradConfig,
  matMul,
  reshape,
  sum,
  type Tensor,
  transpose,
  util,
} from "@tensorflow/tfjs-core";

/** Letters that name the axes of a tensor. */
type Labels = readonly string[];

/** `x` with its axes in another order. */
function order(x: Tensor, from: Labels, to: Labels): Tensor {
  return transpose(
    x,
    to.map((label) => from.indexOf(label)),
  );
}

/** `x` without the axes that are not among `kept`, summed. */
function sumTo(x: Tensor, labels: Labels, kept: Labels): Tensor {
  const axes = labels.flatMap((label, i) => (kept.includes(label) ? [] : [i]));
  return axes.length === 0 ? x : sum(x, axes);
}

/** The product of two tensors over the axes that they share and the result lacks, as one matrix product. */
function contract(a: Tensor, as: Labels, b: Tensor, bs: Labels, result: Labels): Tensor {
  const batch = as.filter((label) => bs.includes(label) && result.includes(label));
  const inner = as.filter((label) => bs.includes(label) && !result.includes(label));
  const left = as.filter((label) => !bs.includes(label));
  const right = bs.filter((label) => !as.includes(label));
  const size = (labels: Labels) =>
    util.sizeFromShape(labels.map((label) => a.shape[as.indexOf(label)] ?? b.shape[bs.indexOf(label)]!));
  const rows = reshape(order(a, as, [...batch, ...left, ...inner]), [size(batch), size(left), size(inner)]);
  const columns = reshape(order(b, bs, [...batch, ...inner, ...right]), [
    size(batch),
    size(inner),
    size(right),
  ]);
  const labels = [...batch, ...left, ...right];
  const shape = labels.map((label) => size([label]));
  return order(reshape(matMul(rows, columns), shape), labels, result);
}

/**
 * The gradient of `einsum`, for every equation that tfjs takes: for one operand of two that of a product, `dy` times
 * the other over the axes that the operand lacks; along axes that were summed away it is repeated.
 *
 * tfjs-core has none, so that its own multi-head attention does not train.
 */
export const einsumGradient: GradConfig = {
  kernelName: "Einsum",
  saveAllInputs: true,
  gradFunc: (gradient, saved, attrs) => {
    const dy = gradient as Tensor;
    const [terms, output] = (attrs.equation as string).replaceAll(/\s/g, "").split("->") as [string, string];
    const labels = terms.split(",").map((term) => [...term]);
    const of = (i: number) => () => {
      const { shape } = saved[i]!;
      const own = labels[i]!;
      const other = labels[1 - i];
      // Axes of the operand that `dy` or the other operand know of; the rest was summed away.
      const known = own.filter((label) => output.includes(label) || other?.includes(label));
      let dx: Tensor;
      if (other === undefined) {
        dx = order(dy, [...output], known);
      } else {
        const useful = other.filter((label) => own.includes(label) || output.includes(label));
        dx = contract(dy, [...output], sumTo(saved[1 - i]!, other, useful), useful, known);
      }
      if (known.length === own.length) return dx;
      const kept = shape.map((n, axis) => (known.includes(own[axis]!) ? n : 1));
      return broadcastTo(reshape(dx, kept), shape);
    };
    return Object.fromEntries(labels.map((_, i) => [i, of(i)]));
  },
};
