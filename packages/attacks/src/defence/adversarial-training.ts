import { crossEntropy, expectShape, normalTensor, uniformTensor } from "@gradlab/core";
import {
  add,
  div,
  exp,
  logSoftmax,
  mul,
  type Scalar,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  tidy,
} from "@tensorflow/tfjs-core";
import { type Bounds, expectBounds } from "../classifier.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectAtLeast0, expectInteger, expectNumber } from "../expect-values.js";
import { outsideOfTape } from "./outside-of-tape.js";
import { perturb } from "./perturb.js";

export interface AdversarialTrainingOptions<S> {
  /** The network in training: images to logits, differentiable by the state and the images. Called in a `tidy`. */
  readonly logits: (state: S, x: Tensor, step: number) => Tensor;
  readonly epsilon: number;
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2";
  /** What images lie between, `[0, 1]` unless given. */
  readonly bounds?: Bounds;
  /**
   * `"pgd"` (unless given): the cross-entropy of adversarial images. `"trades"`: that of the images, and β times the
   * divergence between what the network says of them and of the adversarial ones.
   */
  readonly method?: "pgd" | "trades";
  /** Of TRADES; 6 unless given. */
  readonly beta?: number;
  /** Steps of the attack in each step of the training; 7 unless given. */
  readonly steps?: number;
  /** The size of a step as a share of ε; 1/4 unless given. */
  readonly relativeStep?: number;
  /** Of the random starts; 0 unless given. */
  readonly seed?: number;
}

/** Images with their classes, as tensors. */
export interface LabelledImages {
  /** `[n, ...]`, float32. */
  readonly images: Tensor;
  /** `[n]`, int32. */
  readonly labels: Tensor1D;
}

/**
 * A `loss` for `train` of `@gradlab/core` that makes a network robust: every step of the training first attacks the
 * images of its batch.
 *
 * A resumed training goes on to the bit: the starts of the attacks are keyed by seed and step.
 *
 * @throws {TypeError | RangeError} when an option is out of range.
 * @see Madry et al. 2018, https://arxiv.org/abs/1706.06083; Zhang et al. 2019 (TRADES),
 *   https://arxiv.org/abs/1901.08573
 */
export function adversarialTraining<S>(
  options: AdversarialTrainingOptions<S>,
): (state: S, batch: LabelledImages, step: number) => Scalar {
  const caller = "adversarialTraining";
  const { logits, epsilon, norm = "linf", bounds = [0, 1], method = "pgd", beta = 6, seed = 0 } = options;
  const { steps = 7, relativeStep = 1 / 4 } = options;
  if (typeof logits !== "function")
    throw typeMismatch(`${caller}: logits`, "a function of state and images", logits);
  expectAtLeast0(`${caller}: epsilon`, epsilon);
  expectBounds(`${caller}: bounds`, bounds);
  expectInteger(`${caller}: steps`, steps, 1);
  expectInteger(`${caller}: seed`, seed, 0);
  expectAtLeast0(`${caller}: beta`, beta);
  expectNumber(
    `${caller}: relativeStep`,
    relativeStep,
    "a number in [0, 1]",
    (value) => value >= 0 && value <= 1,
  );
  if (method !== "pgd" && method !== "trades")
    throw rangeMismatch(`${caller}: method`, '"pgd" or "trades"', method);
  if (norm !== "linf" && norm !== "l2") throw rangeMismatch(`${caller}: norm`, '"linf" or "l2"', norm);
  const ball = { norm, epsilon, steps, relativeStep, bounds } as const;
  return (state, { images, labels }, step) => {
    expectShape(`${caller}: labels`, labels, [images.shape[0]!]);
    const key = { seed, purpose: `attacks adversarial training ${step}` };
    return tidy(() => {
      const near = (x: Tensor) => logits(state, x, step) as Tensor2D;
      if (method === "pgd") {
        const adversarial = outsideOfTape(() => {
          const noise = uniformTensor(images.shape, {
            ...key,
            low: -Math.max(epsilon, 1e-30),
            high: Math.max(epsilon, 1e-30),
          });
          return perturb((x) => crossEntropy(near(x), labels, { reduction: "sum" }) as Scalar, images, {
            ...ball,
            start: add(images, noise),
          });
        });
        return crossEntropy(near(adversarial), labels);
      }
      const adversarial = outsideOfTape(() => {
        const clean = logSoftmax(near(images));
        const start = add(images, normalTensor(images.shape, { ...key, std: 1e-3 }));
        return perturb((x) => divergence(clean, logSoftmax(near(x))), images, { ...ball, start });
      });
      const clean = near(images);
      const apart = divergence(logSoftmax(clean), logSoftmax(near(adversarial)));
      const natural = crossEntropy(clean, labels);
      return add(natural, mul(div(apart, images.shape[0]!), beta)) as Scalar;
    });
  };
}

/** `Σ p (log p - log q)` over the rows. */
function divergence(logP: Tensor, logQ: Tensor): Scalar {
  return sum(mul(exp(logP), sub(logP, logQ))) as Scalar;
}
