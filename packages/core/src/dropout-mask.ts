import { fillUniform, skip } from "@gradlab/random";
import { type Tensor, util } from "@tensorflow/tfjs-core";
import { rangeMismatch } from "./expect-argument.js";
import { expectFraction, expectInteger } from "./expect-values.js";
import { expectSizes, type InitKey, make } from "./initializers/random-tensor.js";

/** A block of a tensor: where it begins along each axis, and how far it goes. */
export interface MaskPart {
  readonly begin: readonly number[];
  readonly size: readonly number[];
}

/**
 * What dropout multiplies by: 0 with probability `rate`, else `1 / (1 - rate)`, so that the mean stays.
 *
 * The numbers are those of a stream of `@gradlab/random`, made on the CPU: the same on every backend, and for a sample
 * at the same place in a batch of any size. In a training, key them by the step: `{ seed, purpose: "dropout fc",
 * index: step }`.
 *
 * Each number depends on its own place alone, so that a part of the mask can be made without the rest: what `slice`
 * would take of the whole.
 *
 * @param shape Of the whole mask; of at most 2^34 numbers.
 * @param rate In [0, 1).
 * @param key Of the stream: seed, purpose, and what index and position are to be.
 * @param part The whole unless given.
 * @returns float32, of the shape of the part; the caller disposes it.
 * @throws {TypeError | RangeError} when an argument is not as stated.
 * @see Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html
 */
export function dropoutMask(shape: readonly number[], rate: number, key: InitKey, part?: MaskPart): Tensor {
  expectSizes("dropoutMask", shape);
  expectFraction("dropoutMask: rate", rate);
  const { begin, size } = part ?? { begin: shape.map(() => 0), size: shape };
  if (part !== undefined) expectPart(shape, part);
  const kept = 1 / (1 - rate);
  return make(size, key, (stream, values) => {
    const { starts, length } = runsOf(shape, begin, size);
    const first = stream.position;
    for (const [i, start] of starts.entries()) {
      skip(stream, first + start - stream.position);
      fillUniform(stream, values.subarray(i * length, (i + 1) * length), 0, 1);
    }
    for (let i = 0; i < values.length; i++) values[i] = values[i]! < rate ? 0 : kept;
    return values;
  });
}

/** Where the runs of neighbours that make up a part begin in the whole, one after the other, and how long each is. */
function runsOf(shape: readonly number[], begin: readonly number[], size: readonly number[]) {
  // The last axes that are there in full make one run with the axis before them.
  let axis = shape.length - 1;
  while (axis > 0 && size[axis] === shape[axis]) axis--;
  const inner = Math.max(0, axis);
  const length = util.sizeFromShape(size.slice(inner));
  if (length === 0) return { starts: [] as number[], length };
  let starts = [0];
  for (let i = 0; i < shape.length; i++) {
    const steps = i < inner ? size[i]! : 1;
    starts = starts.flatMap((at) => Array.from({ length: steps }, (_, j) => at * shape[i]! + begin[i]! + j));
  }
  return { starts, length };
}

function expectPart(shape: readonly number[], part: MaskPart): void {
  for (const name of ["begin", "size"] as const) {
    const where = `dropoutMask: part.${name}`;
    if (part[name].length !== shape.length) {
      throw rangeMismatch(where, `one number for each of ${shape.length} axes`, part[name]);
    }
    for (const [axis, value] of part[name].entries()) expectInteger(`${where}[${axis}]`, value, 0);
  }
  for (const [axis, whole] of shape.entries()) {
    const end = part.begin[axis]! + part.size[axis]!;
    if (end > whole)
      throw rangeMismatch(`dropoutMask: part: axis ${axis}`, `an end of at most ${whole}`, end);
  }
}
