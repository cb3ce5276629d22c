import { crossEntropy as coreCrossEntropy } from "@gradlab/core";
import {
  add,
  div,
  max,
  mul,
  neg,
  oneHot,
  slice,
  squeeze,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  topk,
} from "@tensorflow/tfjs-core";

/** What an attack raises: a number for each row of logits. */
export interface Loss {
  readonly name: string;
  /** Whether it is about the label, the target, or both. */
  readonly about: "label" | "target" | "both";
  /** Fewer classes leave it undefined; then `fallback` takes its place. */
  readonly leastClasses: number;
  readonly fallback?: Loss;
  /** What takes its place for a sample with a target, where it is about the label alone. */
  readonly targeted?: Loss;
  /** Logits `[n, classes]`, labels and targets `[n]`, int32, to `[n]`. Differentiable by the logits. */
  readonly values: (logits: Tensor2D, labels: Tensor1D, targets: Tensor1D) => Tensor;
}

/** Minus the cross-entropy of the target: `z_t - log Σ exp z`. */
export const targetedCrossEntropy: Loss = {
  name: "targeted cross-entropy",
  about: "target",
  leastClasses: 2,
  values: (logits, _, targets) => neg(coreCrossEntropy(logits, targets, { reduction: "none" })),
};

/** Cross-entropy of the label: `log Σ exp z - z_y`. */
export const crossEntropy: Loss = {
  name: "cross-entropy",
  about: "label",
  leastClasses: 2,
  targeted: targetedCrossEntropy,
  values: (logits, labels) => coreCrossEntropy(logits, labels, { reduction: "none" }),
};

/** By how much the target is ahead of all others: `z_t - max_{i≠t} z_i`. */
export const targetedMargin: Loss = {
  name: "targeted margin",
  about: "target",
  leastClasses: 2,
  values: (logits, _, targets) => sub(at(logits, targets), otherThan(logits, targets)),
};

/** By how much another class is ahead of the label: `max_{i≠y} z_i - z_y`. */
export const margin: Loss = {
  name: "margin",
  about: "label",
  leastClasses: 2,
  targeted: targetedMargin,
  values: (logits, labels) => sub(otherThan(logits, labels), at(logits, labels)),
};

/** The target against the label: `z_t - z_y`. */
export const difference: Loss = {
  name: "difference",
  about: "both",
  leastClasses: 2,
  values: (logits, labels, targets) => sub(at(logits, targets), at(logits, labels)),
};

/** One logit: `z_t`. */
export const logit: Loss = {
  name: "logit",
  about: "target",
  leastClasses: 2,
  values: (logits, _, targets) => at(logits, targets),
};

/** The targeted form of `dlr`: `-(z_y - z_t) / (z_π1 - (z_π3 + z_π4) / 2)`. */
export const targetedDlr: Loss = {
  name: "targeted dlr",
  about: "both",
  leastClasses: 4,
  fallback: difference,
  values: (logits, labels, targets) => {
    const sorted = topk(logits, 4).values;
    const rest = mul(add(column(sorted, 2), column(sorted, 3)), 0.5);
    return div(sub(at(logits, targets), at(logits, labels)), add(sub(column(sorted, 0), rest), 1e-12));
  },
};

/**
 * Difference of logits ratio: `-(z_y - max_{i≠y} z_i) / (z_π1 - z_π3)`, which scaling and shifting the logits leave as
 * it is.
 *
 * @see Croce, Hein 2020, §4.2, https://arxiv.org/abs/2003.01690
 */
export const dlr: Loss = {
  name: "dlr",
  about: "label",
  leastClasses: 3,
  fallback: margin,
  targeted: targetedDlr,
  values: (logits, labels) => {
    const sorted = topk(logits, 3).values;
    return div(
      sub(otherThan(logits, labels), at(logits, labels)),
      add(sub(column(sorted, 0), column(sorted, 2)), 1e-12),
    );
  },
};

/** `[n]`: the logit of each row's class. */
function at(logits: Tensor2D, classes: Tensor1D): Tensor {
  return sum(mul(logits, oneHot(classes, logits.shape[1])), 1);
}

/** `[n]`: the largest logit of another class. */
function otherThan(logits: Tensor2D, classes: Tensor1D): Tensor {
  // Far below any logit; logits of other classes stay as they are.
  return max(sub(logits, mul(oneHot(classes, logits.shape[1]), 1e30)), 1);
}

function column(rows: Tensor, i: number): Tensor {
  return squeeze(slice(rows, [0, i], [-1, 1]), [1]);
}
