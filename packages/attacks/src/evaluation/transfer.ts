import type { Tensor } from "@tensorflow/tfjs-core";
import { expectTarget, type Target } from "../classifier.js";
import { predictionOf } from "../driver/judge.js";
import { oracleOf } from "../driver/oracle.js";
import { readRows } from "../driver/read-arguments.js";
import type { SampleResult } from "../driver/result.js";
import { rangeMismatch } from "../expect-argument.js";

export interface Transfer {
  /** What the other classifier sees in each image. */
  readonly predictions: readonly number[];
  /** Samples whose image was found for the first classifier. */
  readonly found: number;
  /** Of these, the share that the other classifier sees as something else than the label (as the target, where there is one). */
  readonly rate: number | null;
}

/**
 * How images that were made for one classifier fare with another.
 *
 * @param classifier The other one. Borrowed.
 * @param result Of `runAttack`: its images and samples. Borrowed.
 * @throws {RangeError} when there are not as many images as samples.
 */
export async function transfer(
  classifier: Target,
  { adversarial, samples }: { readonly adversarial: Tensor; readonly samples: readonly SampleResult[] },
): Promise<Transfer> {
  const caller = "transfer";
  expectTarget(caller, classifier);
  if (adversarial.shape[0] !== samples.length) {
    throw rangeMismatch(`${caller}: result`, `${samples.length} images`, adversarial.shape);
  }
  const oracle = oracleOf(caller, classifier, adversarial.shape.slice(1));
  const predictions: number[] = [];
  for (const [i, x] of (await readRows(adversarial)).entries()) {
    const asked = { x, row: { id: samples[i]!.id, query: 0 }, loss: null, label: 0, target: 0 };
    predictions.push(predictionOf((await oracle.ask([asked], false)).logits));
  }
  const found = samples.flatMap(({ success }, i) => (success ? [i] : []));
  const carried = found.filter((i) => {
    const { label, target } = samples[i]!;
    return target === null ? predictions[i] !== label : predictions[i] === target;
  });
  return {
    predictions,
    found: found.length,
    rate: found.length === 0 ? null : carried.length / found.length,
  };
}
