/** Tensors against what they should be. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { type Direction, noise, type Slope, trainedInputs } from "./along.js";
import { type Failure, wrong } from "./failure.js";
import { type Grid, sizeOf } from "./grid.js";
import type { GeometryCase, GeometryOp } from "./op.js";

/** Allowed errors: the larger of the two counts. */
export interface Allowance {
  /** In units of a tensor's largest value. */
  readonly relative: number;
  /** In units of the size of the terms that a number is summed from. */
  readonly ofTerms: number;
}

/**
 * 1e-5 of the largest value; or 32 roundings of the terms, each 2^-24 = 6e-8, for exponentials and divisions take several. A
 * backend that is less exact gets the same multiple of both.
 */
export const allowanceOf = (relative = 1e-5): Allowance => ({
  relative,
  ofTerms: 32 * 2 ** -24 * (relative / 1e-5),
});

const show = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(9))) : String(x));
const list = (values: Iterable<number>): string => {
  const all = [...values];
  return `${all.slice(0, 64).map(show).join(" ")}${all.length > 64 ? " …" : ""}`;
};

/** The same number, for infinities and NaN; within `allowed` otherwise. */
const agrees = (got: number, want: number, allowed: number): boolean =>
  Number.isFinite(want) ? Math.abs(got - want) <= allowed : Object.is(got + 0, want + 0);

const largestOf = (values: Iterable<number>): number => {
  let largest = 0;
  for (const v of values) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
  return largest;
};

/** The op's results: their number, shapes, types and elements. */
export async function compareValues(
  outputs: readonly Tensor[],
  wanted: readonly Grid[],
  { relative, ofTerms }: Allowance,
): Promise<Failure | null> {
  if (outputs.length !== wanted.length)
    return wrong(`expected ${wanted.length} outputs, got ${outputs.length}`);
  for (const [i, want] of wanted.entries()) {
    const got = outputs[i]!;
    if (got.shape.join() !== want.shape.join())
      return wrong(`output ${i}: expected shape [${want.shape}], got [${got.shape}]`);
    if (got.dtype !== want.dtype) return wrong(`output ${i}: expected ${want.dtype}, got ${got.dtype}`);
    const values = await got.data();
    if (values.length !== want.data.length)
      return wrong(`output ${i}: expected ${want.data.length} elements, got ${values.length}`);
    const exact = want.dtype !== "float32";
    const allowed = exact
      ? 0
      : Math.max(
          relative * largestOf(want.data.map(({ v }) => v)),
          ofTerms * largestOf(want.data.map(({ m }) => m)),
        );
    if (want.data.some(({ v }, j) => !agrees(values[j]!, v, allowed)))
      return wrong(`output ${i}: expected ${list(want.data.map(({ v }) => v))}; got ${list(values)}`);
  }
  return null;
}

/** What `secondGradients` gives for the weights: the slopes of the outputs along `u`, plus the weights. */
export async function compareWeights(
  gradients: readonly Tensor[],
  weights: readonly (readonly number[])[],
  alongU: readonly Grid[],
  { relative, ofTerms }: Allowance,
): Promise<Failure | null> {
  for (const [i, got] of gradients.entries()) {
    const values = await got.data();
    const wanted = alongU[i]!.data.map(({ e }, j) => e + weights[i]![j]!);
    const allowed = Math.max(
      relative * largestOf(wanted),
      ofTerms * largestOf(alongU[i]!.data.map(({ n }, j) => n + Math.abs(weights[i]![j]!))),
    );
    if (got.shape.join() !== alongU[i]!.shape.join())
      return wrong(
        `second gradient of weights ${i}: expected shape [${alongU[i]!.shape}], got [${got.shape}]`,
      );
    if (wanted.some((want, j) => !agrees(values[j]!, want, allowed)))
      return wrong(`second gradient of weights ${i}: expected ${list(wanted)}; got ${list(values)}`);
  }
  return null;
}

/** Gradients element by element where they are few, otherwise along five directions. */
export async function compareGradients(
  op: GeometryOp,
  opCase: GeometryCase,
  gradients: readonly Tensor[],
  slopes: (direction: Direction) => Slope,
  { relative, ofTerms }: Allowance,
): Promise<Failure | null> {
  const trained = trainedInputs(op, opCase);
  const shapes = trained.map((i) => opCase.inputs[i]!.shape);
  const values: (readonly number[])[] = [];
  for (const [t, i] of trained.entries()) {
    const got = gradients[t]!;
    if (got.shape.join() !== shapes[t]!.join())
      return wrong(`gradient of input ${i}: expected shape [${shapes[t]}], got [${got.shape}]`);
    if (got.dtype !== "float32") return wrong(`gradient of input ${i}: expected float32, got ${got.dtype}`);
    values.push([...(await got.data())]);
  }
  const sizes = shapes.map(sizeOf);
  const along = (t: number, j: number): Direction =>
    sizes.map((n, s) => Array.from({ length: n }, (_, i) => (s === t && i === j ? 1 : 0)));

  const small = sizes.reduce((a, b) => a + b, 0) <= 40;
  if (small) {
    for (const [t, got] of values.entries()) {
      const wanted = got.map((_, j) => slopes(along(t, j)));
      const allowed = Math.max(
        relative * largestOf(wanted.flatMap(({ low, high }) => [low, high])),
        ofTerms * largestOf(wanted.map(({ terms }) => terms)),
      );
      if (wanted.some(({ low, high }, j) => !(got[j]! >= low - allowed && got[j]! <= high + allowed)))
        return wrong(
          `gradient of input ${trained[t]}: expected ${wanted.map(({ low, high }) => (low === high ? show(low) : `${show(low)}..${show(high)}`)).join(" ")}; got ${list(got)}`,
        );
    }
  }
  if (small && !op.kinks) return null;
  // Along all inputs at once, then along noise: a sum over them hides no single element.
  for (let r = 0; r < 5; r++) {
    const direction = sizes.map((n, t) =>
      r === 0 && small ? Array<number>(n).fill(1) : noise(n, 17 * r + t + 3),
    );
    const { low, high, terms } = slopes(direction);
    let along = 0;
    let allowed = ofTerms * terms;
    for (const [t, got] of values.entries()) {
      for (const [j, g] of got.entries()) along += g * direction[t]![j]!;
      allowed += relative * largestOf(got) * Math.sqrt(got.length);
    }
    if (!(along >= low - allowed && along <= high + allowed))
      return wrong(
        `gradients ${values.map((got) => `[${list(got)}]`).join(" and ")}: their sum along ${direction.map((d) => `[${list(d)}]`).join(" and ")} is expected ${low === high ? show(low) : `${show(low)}..${show(high)}`}, got ${show(along)}`,
      );
  }
  return null;
}
