import { expectShape } from "@gradlab/core";
import { Tensor } from "@tensorflow/tfjs-core";
import type { Attack } from "../attack.js";
import type { Target } from "../classifier.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectAtLeast0, expectInteger } from "../expect-values.js";
import { expectInBounds, type Labels, readEpsilon, readLabels, readLike } from "./read-arguments.js";
import type { RunOptions } from "./run-options.js";
import type { Sample } from "./sample.js";

export type Prepared = Pick<Sample, "id" | "label" | "target" | "epsilon" | "lower" | "upper">;

/** Everything about the samples that has to be checked. */
export async function prepare(
  caller: string,
  classifier: Target,
  images: readonly Float32Array[],
  x: Tensor,
  labels: Labels,
  { epsilon, targets, ids, mask, box }: RunOptions,
): Promise<Prepared[]> {
  const n = images.length;
  const { classes } = classifier;
  const classesOf = await readLabels(`${caller}: labels`, labels, n, classes);
  const aims = targets === undefined ? null : await readLabels(`${caller}: targets`, targets, n, classes);
  const radii = epsilon === undefined ? null : readEpsilon(`${caller}: epsilon`, epsilon, n);
  const names = ids ?? images.map((_, i) => i);
  if (names.length !== n || new Set(names).size !== n) {
    throw rangeMismatch(`${caller}: ids`, `${n} different integers`, names);
  }
  for (const [i, id] of names.entries()) expectInteger(`${caller}: ids[${i}]`, id, 0);
  for (const [i, aim] of (aims ?? []).entries()) {
    if (aim === classesOf[i]) {
      throw new RangeError(`${caller}: targets[${i}]: expected another class than the label, got ${aim}`);
    }
  }
  const [lowest, highest] = classifier.bounds.map(Math.fround) as [number, number];
  const whole = images[0]!.length;
  const lower = box ? await readLike(`${caller}: box.lower`, box.lower, x) : constantRows(n, whole, lowest);
  const upper = box ? await readLike(`${caller}: box.upper`, box.upper, x) : constantRows(n, whole, highest);
  for (const [i, row] of lower.entries()) {
    if (row.some((value, k) => !(value >= lowest && value <= upper[i]![k]! && upper[i]![k]! <= highest))) {
      throw new RangeError(
        `${caller}: box: expected ${lowest} <= lower <= upper <= ${highest}, got something else for image ${i}`,
      );
    }
  }
  expectInBounds(`${caller}: x`, images, lower, upper, classifier);
  const masks = mask === undefined ? null : await readLike(`${caller}: mask`, mask, x);
  for (const row of masks ?? []) {
    const wrong = row.find((value) => value !== 0 && value !== 1);
    if (wrong !== undefined) throw rangeMismatch(`${caller}: mask`, "ones and zeros", wrong);
  }
  // What the mask leaves alone has itself as its bounds.
  const masked = (bound: Float32Array, i: number) =>
    masks === null ? bound : bound.map((value, k) => (masks[i]![k] === 1 ? value : images[i]![k]!));
  return images.map((_, i) => ({
    id: names[i]!,
    label: classesOf[i]!,
    target: aims?.[i] ?? null,
    epsilon: radii?.[i] ?? Number.POSITIVE_INFINITY,
    lower: masked(lower[i]!, i),
    upper: masked(upper[i]!, i),
  }));
}

function constantRows(n: number, length: number, value: number): Float32Array[] {
  const row = new Float32Array(length).fill(value);
  return Array.from({ length: n }, () => row);
}

export function expectImages(caller: string, x: Tensor): void {
  if (!(x instanceof Tensor)) throw typeMismatch(`${caller}: x`, "a tensor of images", x);
  if (x.dtype !== "float32") throw new TypeError(`${caller}: x: expected float32, got ${x.dtype}`);
  if (x.rank < 2 || x.size === 0) {
    expectShape(`${caller}: x`, x, [null, null, null, null]);
    throw rangeMismatch(`${caller}: x`, "at least one image", x.shape);
  }
}

export function expectAttack(caller: string, attack: Attack, target: Target, options: RunOptions): void {
  if (typeof attack?.run !== "function") {
    throw typeMismatch(`${caller}: attack`, "an attack, such as pgd() makes", attack);
  }
  const { name, needs, targeting, goal } = attack;
  const { epsilon, targets, seed = 0, batchSize = 64, confidence = 0, until = "best" } = options;
  const gives = "predict" in target ? target.gives : "gradients";
  const order = ["decisions", "scores", "gradients"];
  if (order.indexOf(gives) < order.indexOf(needs)) {
    throw new TypeError(`${caller}: classifier: ${name} needs ${needs}, and it gives ${gives}`);
  }
  if (goal === "within" && epsilon === undefined) {
    throw typeMismatch(`${caller}: epsilon`, `how far ${name} may go`, epsilon);
  }
  if (targeting === "targeted" && targets === undefined) {
    throw typeMismatch(`${caller}: targets`, `a class for each image, which ${name} aims at`, targets);
  }
  if (targeting === "untargeted" && targets !== undefined) {
    throw new TypeError(`${caller}: targets: ${name} is untargeted: leave them out, or take another attack`);
  }
  expectInteger(`${caller}: seed`, seed, 0);
  expectInteger(`${caller}: batchSize`, batchSize, 1);
  expectAtLeast0(`${caller}: confidence`, confidence);
  if (until !== "first" && until !== "best") {
    throw rangeMismatch(`${caller}: until`, '"first" or "best"', until);
  }
}
