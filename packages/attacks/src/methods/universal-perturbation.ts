import { permutation, randomStream } from "@gradlab/random";
import { type Tensor, tensor } from "@tensorflow/tfjs-core";
import { type Classifier, expectTarget } from "../classifier.js";
import { predictionOf } from "../driver/judge.js";
import { oracleOf } from "../driver/oracle.js";
import { readRows } from "../driver/read-arguments.js";
import { runAttack } from "../driver/run-attack.js";
import { expectAtLeast0, expectFraction, expectInteger } from "../expect-values.js";
import { normNamed } from "../norms/norm-named.js";
import { deepFool } from "./deep-fool.js";

export interface UniversalOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2";
  /** The largest size of the perturbation. */
  readonly epsilon: number;
  /** Ends when this share of the images is fooled; 0.8 unless given. */
  readonly foolingRate?: number;
  /** Passes over the images, 10 unless given. */
  readonly passes?: number;
  /** Of the order of the images; 0 unless given. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface UniversalPerturbation {
  /** Like one image: what is added to every one of them, before the bounds cut it. The caller disposes it. */
  readonly delta: Tensor;
  /** The share of the images that are seen as something else with it. */
  readonly foolingRate: number;
  readonly passes: number;
}

/**
 * One perturbation for all images: each image that is not fooled yet adds what DeepFool needs for it, and the sum is kept
 * in the ball.
 *
 * Unlike other attacks this one depends on all of its images and on their order.
 *
 * @param x Images `[n, ...]`, borrowed; what the classifier sees in them is their label.
 * @see Moosavi-Dezfooli et al. 2017, Algorithm 1, https://arxiv.org/abs/1610.08401
 */
export async function universalPerturbation(
  classifier: Classifier,
  x: Tensor,
  options: UniversalOptions,
): Promise<UniversalPerturbation> {
  const caller = "universalPerturbation";
  const { norm: name = "linf", epsilon, foolingRate = 0.8, passes = 10, seed = 0, signal } = options;
  expectTarget(caller, classifier);
  const norm = normNamed(caller, name, ["linf", "l2"]);
  expectAtLeast0(`${caller}: epsilon`, epsilon);
  expectFraction(`${caller}: foolingRate`, foolingRate, true);
  expectInteger(`${caller}: passes`, passes, 1);
  const shape = x.shape.slice(1);
  const images = await readRows(x);
  const length = images[0]!.length;
  const [lowest, highest] = classifier.bounds.map(Math.fround) as [number, number];
  const oracle = oracleOf(caller, classifier, shape);
  const seen = async (rows: readonly Float32Array[]) => {
    const classes: number[] = [];
    for (let from = 0; from < rows.length; from += 64) {
      const part = rows.slice(from, from + 64);
      const asked = part.map((row, i) => ({
        x: row,
        row: { id: from + i, query: 0 },
        loss: null,
        label: 0,
        target: 0,
      }));
      const { logits } = await oracle.ask(asked, false);
      for (let i = 0; i < part.length; i++) {
        classes.push(predictionOf(logits.subarray(i * classifier.classes, (i + 1) * classifier.classes)));
      }
    }
    return classes;
  };
  const added = (image: Float32Array, delta: Float32Array) =>
    image.map((value, i) => Math.min(Math.max(value + delta[i]!, lowest), highest));
  // The ball around nothing.
  const ball = {
    x: new Float32Array(length),
    lower: new Float32Array(length).fill(lowest - highest),
    upper: new Float32Array(length).fill(highest - lowest),
  };
  const labels = await seen(images);
  let delta = new Float32Array(length);
  let rate = 0;
  let pass = 0;
  while (pass < passes && rate < foolingRate && !signal?.aborted) {
    const order = permutation(
      randomStream({ seed, purpose: "attacks universal", index: pass }),
      images.length,
    );
    for (const i of order) {
      if (signal?.aborted) break;
      const moved = added(images[i]!, delta);
      const [now] = await seen([moved]);
      if (now !== labels[i]) continue;
      const image = tensor(moved, [1, ...shape]);
      const { adversarial, samples } = await runAttack(
        classifier,
        deepFool({ norm: name }),
        image,
        [labels[i]!],
        {
          preflight: false,
          ids: [i],
        },
      );
      image.dispose();
      const [found] = await readRows(adversarial);
      adversarial.dispose();
      if (!samples[0]!.success) continue;
      const sum = Float64Array.from(delta, (value, k) => value + found![k]! - moved[k]!);
      delta = Float32Array.from(norm.project(sum, ball, epsilon));
    }
    pass++;
    const after = await seen(images.map((image) => added(image, delta)));
    rate = after.filter((label, i) => label !== labels[i]).length / images.length;
  }
  return { delta: tensor(delta, shape), foolingRate: rate, passes: pass };
}
