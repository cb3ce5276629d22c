import {
  add,
  cast,
  customGrad,
  div,
  equal,
  expandDims,
  type GradSaveFunc,
  gatherND,
  log,
  max,
  maximum,
  mean,
  mul,
  neg,
  notEqual,
  range,
  reshape,
  type Scalar,
  scalar,
  scatterND,
  softmax,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tensorScatterUpdate,
  tidy,
  where,
} from "@tensorflow/tfjs-core";
import { rangeMismatch } from "./expect-argument.js";
import { expectDtype } from "./expect-dtype.js";
import { expectShape } from "./expect-shape.js";
import { expectFraction, expectInteger } from "./expect-values.js";
import { runFused } from "./fused/run-fused.js";
import { ShapeError } from "./shape-error.js";
import { validIndices } from "./valid-indices.js";

export interface CrossEntropyOptions {
  /** One number for all labels (`"mean"`, the default, or `"sum"`), or one for each (`"none"`). */
  readonly reduction?: "mean" | "sum" | "none";
  /** A label, an integer of any value, whose loss is 0 and that the mean does not count; none unless given. */
  readonly ignoreIndex?: number;
  /** The part ε of the target that is spread over all classes, in [0, 1]; 0 unless given. */
  readonly labelSmoothing?: number;
}

/**
 * Cross-entropy of integer labels: `log Σ exp z - (1 - ε) z[label] - ε mean(z)` for the logits `z` of each label.
 *
 * Differences of logits are taken before anything else: right to float32 rounding for logits up to
 * ±1e4 and far beyond. The gradient is `softmax(z) - (1 - ε) [label] - ε / classes`; the tape holds the logits and the
 * labels, nothing else of the size of the logits. Differentiable twice.
 *
 * A label outside of [0, classes) that is not `ignoreIndex` gives NaN, as in `embed`. Unlike in PyTorch, the mean over
 * no label at all is 0.
 *
 * @param logits `[..., classes]`, float32, at least one class.
 * @param labels `[...]`, int32.
 * @returns A scalar, or the shape of `labels` for the reduction `"none"`; the caller disposes it.
 * @throws {ShapeError} when `labels` does not line up with `logits`.
 * @throws {TypeError | RangeError} when `labels` is not int32, or an option is out of range.
 * @see Szegedy et al. 2016, §7 (label smoothing), https://arxiv.org/abs/1512.00567
 */
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options: CrossEntropyOptions & { readonly reduction: "none" },
): Tensor;
export function crossEntropy(
  logits: Tensor,
  labels: Tensor,
  options?: CrossEntropyOptions & { readonly reduction?: "mean" | "sum" },
): Scalar;
export function crossEntropy(logits: Tensor, labels: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { reduction = "mean", ignoreIndex, labelSmoothing = 0 } = options;
  const classes = logits.shape.at(-1);
  if (classes === undefined || classes === 0) {
    throw new ShapeError(`crossEntropy: logits: expected [.., classes], got [${logits.shape.join(", ")}]`);
  }
  expectShape("crossEntropy: labels", labels, logits.shape.slice(0, -1));
  expectDtype("crossEntropy: labels", labels, "int32");
  expectFraction("crossEntropy: labelSmoothing", labelSmoothing, true);
  if (ignoreIndex !== undefined) {
    expectInteger("crossEntropy: ignoreIndex", ignoreIndex, -(2 ** 31));
  }
  if (!["mean", "sum", "none"].includes(reduction)) {
    throw rangeMismatch("crossEntropy: reduction", `"mean", "sum" or "none"`, reduction);
  }
  return tidy(() => {
    const flat = reshape(labels, [labels.size]) as Tensor1D;
    const ignored = ignoreIndex === undefined ? null : scalar(ignoreIndex, "int32");
    const known = ignored === null ? flat : where(equal(flat, ignored), scalar(0, "int32") as Tensor, flat);
    const all = rowLosses(
      reshape(logits, [labels.size, classes]) as Tensor2D,
      known as Tensor1D,
      labelSmoothing,
    );
    const losses = ignored === null ? all : where(equal(flat, ignored), scalar(0) as Tensor, all);
    if (reduction === "none") return reshape(losses, labels.shape);
    if (reduction === "sum") return sum(losses);
    const counted = ignored === null ? scalar(labels.size) : sum(cast(notEqual(flat, ignored), "float32"));
    return div(sum(losses), maximum(counted, 1));
  });
}

/** `[n]`: the loss of each row of logits `[n, classes]`, NaN for a label out of range. */
function rowLosses(logits: Tensor2D, labels: Tensor1D, labelSmoothing: number): Tensor1D {
  const fused =
    labels.size === 0 ? null : runFused("GradlabCrossEntropy", { logits, labels }, { labelSmoothing });
  if (fused !== null) return fused[0] as Tensor1D;
  const { safe, penalty } = validIndices(labels, logits.shape[1]);
  return add(composedLosses(logits, safe, labelSmoothing), penalty);
}

function composedLosses(logits: Tensor2D, labels: Tensor1D, smoothing: number): Tensor1D {
  if (labels.size === 0) return sum(logits, 1); // gathering refuses to take nothing of nothing
  const losses = customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
    const z = x as Tensor2D;
    (save as GradSaveFunc)([z, labels]);
    const top = max(z, 1);
    // Σ exp(z - top) is 1 / max softmax(z): every backend has a fast softmax, few have a fast exp.
    const logSum = neg(log(max(softmax(z), 1)));
    let value = sub(logSum, mul(sub(pick(z, labels), top), 1 - smoothing));
    if (smoothing > 0) value = sub(value, mul(mean(sub(z, expandDims(top, 1)), 1), smoothing));
    return {
      value,
      gradFunc: (dy, saved) =>
        lossGradient(saved[0] as Tensor2D, dy as Tensor1D, saved[1] as Tensor1D, smoothing),
    };
  });
  return losses(logits) as Tensor1D;
}

/**
 * `[n, classes]`: `dy · (p - (1 - ε) [label] - ε / classes)` with `p = softmax(z)`, in place of the label by an update
 * that has no gradient in tfjs-core. Its own gradient is written in ops that have one, so that it can go on.
 */
function lossGradient(z: Tensor2D, dy: Tensor1D, labels: Tensor1D, smoothing: number): Tensor2D {
  const classes = z.shape[1];
  const spread = (p: Tensor) => (smoothing > 0 ? sub(p, smoothing / classes) : p);
  const gradient = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
    const [x, y, save] = inputs as [Tensor2D, Tensor1D, GradSaveFunc];
    save([x, y, labels]);
    const p = spread(softmax(x));
    const atLabel = sub(pick(p as Tensor2D, labels), 1 - smoothing);
    return {
      value: mul(tensorScatterUpdate(p, positions(labels), atLabel), expandDims(y, 1)),
      gradFunc: (v, saved) => {
        const [at, dy, picked] = saved as [Tensor2D, Tensor1D, Tensor1D];
        const p = softmax(at);
        const pv = mul(p, v);
        return [
          mul(sub(pv, mul(p, sum(pv, 1, true))), expandDims(dy, 1)),
          sub(sum(mul(spread(p), v), 1), mul(picksOf(v as Tensor2D, picked), 1 - smoothing)),
        ];
      },
    };
  });
  return gradient(z, dy) as Tensor2D;
}

/** `[n]`: element `labels[i]` of row `i`. The caller has seen to its gradient. */
function pick(rows: Tensor2D, labels: Tensor1D): Tensor1D {
  return gatherND(rows, positions(labels)) as Tensor1D;
}

/** `[n, classes]`: `values[i]` at the place `labels[i]` of row `i`, 0 elsewhere. */
function addPicks(values: Tensor1D, labels: Tensor1D, classes: number): Tensor2D {
  const scatter = customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
    (save as GradSaveFunc)([labels]);
    const shape: [number, number] = [labels.size, classes];
    return {
      value: scatterND(positions(labels), x as Tensor1D, shape),
      gradFunc: (dy, saved) => picksOf(dy as Tensor2D, saved[0] as Tensor1D),
    };
  });
  return scatter(values) as Tensor2D;
}

/** `pick` with its gradient: the transpose of `addPicks`. */
function picksOf(rows: Tensor2D, labels: Tensor1D): Tensor1D {
  const classes = rows.shape[1];
  const take = customGrad((x: Tensor | GradSaveFunc, save: Tensor | GradSaveFunc) => {
    (save as GradSaveFunc)([labels]);
    return {
      value: pick(x as Tensor2D, labels),
      gradFunc: (dy, saved) => addPicks(dy as Tensor1D, saved[0] as Tensor1D, classes),
    };
  });
  return take(rows) as Tensor1D;
}

/** `[n, 2]`: the row and column of each label. */
function positions(labels: Tensor1D): Tensor2D {
  return stack([range(0, labels.size, 1, "int32"), labels], 1) as Tensor2D;
}
