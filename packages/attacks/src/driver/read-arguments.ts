import { expectShape } from "@gradlab/core";
import { Tensor } from "@tensorflow/tfjs-core";
import type { Target } from "../classifier.js";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";

/** Classes as numbers: given as such, as a tensor `[n]`, or one-hot `[n, classes]`. */
export type Labels = ArrayLike<number> | Tensor;

/** Class numbers, checked. */
export async function readLabels(
  where: string,
  labels: Labels,
  n: number,
  classes: number,
): Promise<number[]> {
  const values = await labelValues(where, labels, n, classes);
  const wrong = values.findIndex((label) => !(Number.isInteger(label) && label >= 0 && label < classes));
  if (wrong !== -1) throw rangeMismatch(`${where}[${wrong}]`, `an integer in [0, ${classes})`, values[wrong]);
  return values;
}

async function labelValues(where: string, labels: Labels, n: number, classes: number): Promise<number[]> {
  if (labels instanceof Tensor) {
    if (labels.rank !== 2) {
      expectShape(where, labels, [n]);
      return Array.from(await labels.data());
    }
    expectShape(where, labels, [n, classes]);
    const data = await labels.data();
    return Array.from({ length: n }, (_, i) => {
      const row = Array.from(data.subarray(i * classes, (i + 1) * classes));
      const one = row.indexOf(1);
      if (one === -1 || row.some((value, k) => k !== one && value !== 0)) {
        throw new RangeError(`${where}[${i}]: expected a row with a single 1, got [${row.join(", ")}]`);
      }
      return one;
    });
  }
  if (typeof labels !== "object" || labels === null || !Number.isSafeInteger(labels.length)) {
    throw typeMismatch(where, "classes as numbers or as a tensor", labels);
  }
  if (labels.length !== n) throw rangeMismatch(where, `${n} classes`, labels);
  return Array.from(labels);
}

/** One number for all, or one for each. */
export type PerSample = number | ArrayLike<number>;

export function readEpsilon(where: string, epsilon: PerSample, n: number): number[] {
  const values = typeof epsilon === "number" ? Array<number>(n).fill(epsilon) : Array.from(epsilon ?? []);
  if (values.length !== n) throw rangeMismatch(where, `a number, or ${n} of them`, epsilon);
  for (const [i, value] of values.entries()) {
    const place = typeof epsilon === "number" ? where : `${where}[${i}]`;
    if (!(Number.isFinite(value) && value >= 0)) {
      throw rangeMismatch(place, "a finite number, at least 0", value);
    }
  }
  return values;
}

/** The rows of a tensor `[n, ...]` as arrays of their own. */
export async function readRows(x: Tensor): Promise<Float32Array[]> {
  const [n] = x.shape;
  const data = Float32Array.from(await x.data());
  const length = n === 0 ? 0 : data.length / n!;
  return Array.from({ length: n! }, (_, i) => data.slice(i * length, (i + 1) * length));
}

/** Rows of an optional tensor that is shaped like the images, or like one of them. */
export async function readLike(where: string, like: Tensor, x: Tensor): Promise<Float32Array[]> {
  const [n, ...shape] = x.shape;
  if (like.rank === shape.length) {
    expectShape(where, like, shape);
    const row = Float32Array.from(await like.data());
    return Array.from({ length: n! }, () => row);
  }
  expectShape(where, like, x.shape);
  return readRows(like);
}

/** Throws where an image leaves the bounds, and says what is probably wrong. */
export function expectInBounds(
  where: string,
  images: readonly Float32Array[],
  lower: readonly Float32Array[],
  upper: readonly Float32Array[],
  { bounds }: Target,
): void {
  for (const [i, image] of images.entries()) {
    const wrong = image.findIndex((value, k) => !(value >= lower[i]![k]! && value <= upper[i]![k]!));
    if (wrong === -1) continue;
    const value = image[wrong]!;
    const between = `[${lower[i]![wrong]}, ${upper[i]![wrong]}]`;
    throw new RangeError(
      `${where}: image ${i}: expected numbers in ${between}, got ${value}${causeOf(image, bounds)}`,
    );
  }
}

function causeOf(image: Float32Array, [lowest, highest]: readonly [number, number]): string {
  const [least, most] = image.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
  if (Number.isNaN(least)) return "";
  if (lowest === 0 && highest === 1 && least >= 0 && most <= 255 && most > 2) {
    return " (bytes? divide them by 255, or give the classifier the bounds [0, 255])";
  }
  if (lowest >= 0 && least < 0) {
    return " (normalized already? attack the images before that, with withPreprocessing around the classifier)";
  }
  return "";
}
