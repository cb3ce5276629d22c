/** Definitions of ops on inputs that move along directions. */
import { variable } from "./dual.js";
import type { Grid } from "./grid.js";
import type { GeometryCase, GeometryOp, Input } from "./op.js";

const isFloat = ({ dtype }: Input) => (dtype ?? "float32") === "float32";

/** The inputs of a case that are differentiated. */
export function trainedInputs(op: GeometryOp, { inputs }: GeometryCase): number[] {
  return inputs.flatMap((input, i) => (isFloat(input) && (op.wrt?.includes(i) ?? true) ? [i] : []));
}

/** Directions: one array for each trained input. */
export type Direction = readonly (readonly number[])[];

/** The definition on inputs that move along `d`, and along `e` for second derivatives. */
export function defined(
  op: GeometryOp,
  { inputs, attrs }: GeometryCase,
  d?: Direction,
  e?: Direction,
): Grid[] {
  const trained = d ? trainedInputs(op, { inputs, attrs }) : [];
  const grids = inputs.map(({ shape, dtype = "float32", values }, i): Grid => {
    const t = trained.indexOf(i);
    return {
      shape,
      dtype,
      data: values.map((v, j) => variable(v, d?.[t]?.[j] ?? 0, e?.[t]?.[j] ?? 0)),
    };
  });
  return [op.definition(grids, attrs)].flat();
}

/** Numbers between -1 and 1 that are the same in every run. */
export function noise(n: number, salt: number): number[] {
  return Array.from({ length: n }, (_, i) => {
    const x = Math.sin(i * 12.9898 + salt * 78.233 + 1) * 43758.5453;
    return Math.round(((x - Math.floor(x)) * 2 - 1) * 1024) / 1024;
  });
}

/** The weights of the outputs, whose weighted sum is differentiated. */
export const weightsOf = (outputs: readonly Grid[]): number[][] =>
  outputs.map(({ data }, i) => noise(data.length, i));

/** A sum over outputs: its slope on both sides of a kink, and how large its terms are. */
export interface Slope {
  readonly low: number;
  readonly high: number;
  readonly terms: number;
}

/** The slope of `Σ weights · outputs` along a direction; of both sides where the op has kinks. */
export function slopeAlong(
  op: GeometryOp,
  opCase: GeometryCase,
  weights: readonly (readonly number[])[],
  direction: Direction,
): Slope {
  const ahead = defined(op, opCase, direction);
  const behind = op.kinks
    ? defined(
        op,
        opCase,
        direction.map((d) => d.map((v) => -v)),
      )
    : null;
  let [low, high, terms] = [0, 0, 0];
  for (const [i, { data }] of ahead.entries()) {
    for (const [j, { d, n }] of data.entries()) {
      const weight = weights[i]![j]!;
      const one = weight * d;
      const other = behind ? -weight * behind[i]!.data[j]!.d : one;
      low += Math.min(one, other);
      high += Math.max(one, other);
      terms += Math.abs(weight) * n;
    }
  }
  return { low, high, terms };
}

/** The direction that first derivatives are multiplied by before they are differentiated again. */
export const fixedDirection = (op: GeometryOp, opCase: GeometryCase): Direction =>
  trainedInputs(op, opCase).map((i, t) => noise(opCase.inputs[i]!.values.length, 101 + t));

/**
 * The slope along a direction of `⟨u, gradient⟩ + ½ ‖inputs‖²`, where the gradient is that of `Σ weights · outputs` and `u` the
 * fixed direction.
 */
export function secondSlopeAlong(
  op: GeometryOp,
  opCase: GeometryCase,
  weights: readonly (readonly number[])[],
  direction: Direction,
): Slope {
  let [slope, terms] = [0, 0];
  for (const [i, { data }] of defined(op, opCase, direction, fixedDirection(op, opCase)).entries()) {
    for (const [j, { de, k }] of data.entries()) {
      slope += weights[i]![j]! * de;
      terms += Math.abs(weights[i]![j]!) * k;
    }
  }
  for (const [t, i] of trainedInputs(op, opCase).entries()) {
    for (const [j, x] of opCase.inputs[i]!.values.entries()) {
      slope += x * direction[t]![j]!;
      terms += Math.abs(x * direction[t]![j]!);
    }
  }
  return { low: slope, high: slope, terms };
}
