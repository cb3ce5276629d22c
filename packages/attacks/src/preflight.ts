import { type Bounds, isBlackBox, type Target } from "./classifier.js";
import type { Asked, Oracle } from "./driver/oracle.js";
import { crossEntropy } from "./losses/loss.js";

/** What is wrong with a classifier, as far as a look at a few images tells. */
export interface Preflight {
  /** How many images were looked at. */
  readonly images: number;
  readonly warnings: readonly PreflightWarning[];
  /** What the images lie between. */
  readonly range: Bounds;
  /** How much two passes over the same images differ. */
  readonly nondeterminism: number;
  /** How much a row depends on the batch it is in. */
  readonly batchDependence: number;
  /** Shares of the images whose gradient of the cross-entropy is zero, or no number; null without gradients. */
  readonly zeroGradients: number | null;
  readonly nonFiniteGradients: number | null;
}

export interface PreflightWarning {
  readonly kind:
    | "softmax"
    | "range"
    | "nondeterministic"
    | "training-mode"
    | "zero-gradient"
    | "non-finite"
    | "few-classes";
  /** What was seen, and what to do. */
  readonly message: string;
}

/** What belongs to a rounding error of a pass, relative to the largest logit. */
const roundingError = 1e-4;

/** Looks at a classifier once, before an attack believes it. */
export async function preflight(
  oracle: Oracle,
  target: Target,
  images: readonly Float32Array[],
  labels: readonly number[],
): Promise<Preflight> {
  const asked = (query: number, loss: Asked["loss"] = null): Asked[] =>
    images.map((x, i) => ({ x, row: { id: i, query }, loss, label: labels[i]!, target: labels[i]! }));
  const { classes } = target;
  const warnings: PreflightWarning[] = [];
  const warn = (kind: PreflightWarning["kind"], message: string) => warnings.push({ kind, message });
  const first = (await oracle.ask(asked(0), false)).logits.slice();
  const second = (await oracle.ask(asked(0), false)).logits.slice();
  const alone = await oracle.ask(asked(0).slice(0, 1), false);
  const scale = first.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
  const nondeterminism = largestDifference(first, second) / scale;
  const batchDependence = largestDifference(alone.logits, first.subarray(0, classes)) / scale;
  const range = rangeOf(images);
  if (!first.every(Number.isFinite)) {
    warn("non-finite", "some logits are not finite: look at the weights and at the range of the images");
  }
  if (nondeterminism > roundingError) {
    warn(
      "nondeterministic",
      "two passes over the same images differ: switch dropout and noise off, or average over them (withTransformation); otherwise success may be luck",
    );
  } else if (batchDependence > roundingError) {
    warn(
      "training-mode",
      "an image alone has other logits than in a batch: the model seems to be in training mode (batch norm by the batch); use it for inference",
    );
  }
  const [lowest, highest] = target.bounds;
  if (range[1] <= lowest + (highest - lowest) / 64 && range[1] > range[0]) {
    warn(
      "range",
      `the images lie in [${range[0]}, ${range[1]}], a small part of the bounds [${lowest}, ${highest}]: are they in [0, 1] while the bounds are those of bytes?`,
    );
  }
  if (oracle.gives !== "decisions" && isSoftmax(first, classes)) {
    warn(
      "softmax",
      "the outputs look like probabilities: attacks need the logits before the softmax (a cross-entropy of probabilities hardly has a gradient), see layersClassifier and graphClassifier",
    );
  }
  if (classes < 4 && oracle.gives === "gradients") {
    warn(
      "few-classes",
      `with ${classes} classes ${classes < 3 ? "the DLR loss and its targeted form are" : "the targeted DLR loss is"} undefined: the margin takes its place`,
    );
  }
  let [zeroGradients, nonFiniteGradients]: [number | null, number | null] = [null, null];
  if (!isBlackBox(target)) {
    const { gradients } = await oracle.ask(asked(0, crossEntropy), true);
    const length = images[0]!.length;
    const rows = images.map((_, i) => gradients!.subarray(i * length, (i + 1) * length));
    const share = (holds: (row: Float32Array) => boolean) => rows.filter(holds).length / rows.length;
    zeroGradients = share((row) => row.every((value) => value === 0));
    nonFiniteGradients = share((row) => row.some((value) => !Number.isFinite(value)));
    if (zeroGradients > 0) {
      const many = `${Math.round(100 * zeroGradients)} %`;
      warn(
        "zero-gradient",
        `the gradient of the cross-entropy is zero for ${many} of the images: something in the model rounds, saturates or cuts it off; use losses that do not saturate (dlr, margin), withBackwardPass, or attacks without gradients (square)`,
      );
    }
    if (nonFiniteGradients > 0) {
      warn(
        "non-finite",
        "some gradients are not finite: look for divisions by zero, logarithms and roots of 0",
      );
    }
  }
  return {
    images: images.length,
    warnings,
    range,
    nondeterminism,
    batchDependence,
    zeroGradients,
    nonFiniteGradients,
  };
}

/** Rows between 0 and 1 that sum to 1. */
function isSoftmax(logits: Float32Array, classes: number): boolean {
  for (let row = 0; row < logits.length; row += classes) {
    let sum = 0;
    for (let i = row; i < row + classes; i++) {
      if (!(logits[i]! > -1e-5 && logits[i]! < 1 + 1e-5)) return false;
      sum += logits[i]!;
    }
    if (Math.abs(sum - 1) > 1e-4) return false;
  }
  return true;
}

function rangeOf(images: readonly Float32Array[]): Bounds {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const image of images) {
    for (const value of image) {
      if (value < least) least = value;
      if (value > most) most = value;
    }
  }
  return [least, most];
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}
