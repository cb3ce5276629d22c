import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";
import type { Size } from "./plane.js";

/** One value for both axes, or one for each. */
export type PerAxis<T> = T | readonly [y: T, x: T];

/**
 * How much an input grows at its borders: a number for all sides; or one entry per axis, each a number or
 * `[begin, end]`; `"valid"`, not at all; `"same"`, so that there are `⌈n / stride⌉` outputs, the odd one at the end;
 * `"full"`, by all but one of the kernel's reach on every side, so that every overlap counts.
 */
export type Padding = PerAxis<number | readonly [begin: number, end: number]> | "valid" | "same" | "full";

export interface WindowOptions {
  /** Distance between neighbouring windows, default 1. */
  readonly stride?: PerAxis<number>;
  /** Distance between neighbouring taps of a window, default 1. */
  readonly dilation?: PerAxis<number>;
  /** Default 0. */
  readonly padding?: Padding;
}

/** The windows along one axis: output `i` reads the positions `i · stride + tap · dilation` of the padded input. */
export interface AxisWindows {
  /** Length of the input. */
  readonly inputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the input. */
  readonly begin: number;
  /** Padding behind the input. */
  readonly end: number;
  /** `⌊(inputs + begin + end − (kernel − 1) · dilation − 1) / stride⌋ + 1`. */
  readonly outputs: number;
}

export type Windows = readonly [y: AxisWindows, x: AxisWindows];

/**
 * The windows of a kernel over an input.
 *
 * @throws {TypeError | RangeError} when an option is out of range, or no window fits.
 */
export function windowsOf(where: string, input: Size, kernel: Size, options: WindowOptions): Windows {
  const { stride = 1, dilation = 1, padding = 0 } = options;
  const strides = perAxis(`${where}: stride`, stride, 1);
  const dilations = perAxis(`${where}: dilation`, dilation, 1);
  const axis = (a: 0 | 1): AxisWindows => {
    const reach = (kernel[a] - 1) * dilations[a];
    const [begin, end] = paddingOf(`${where}: padding`, padding, a, input[a], reach, strides[a]);
    const free = input[a] + begin + end - reach - 1;
    if (free < 0) {
      throw new RangeError(
        `${where}: kernel: expected it to fit into the padded ${a === 0 ? "height" : "width"} ${input[a] + begin + end}, got a reach of ${reach + 1}`,
      );
    }
    const outputs = Math.floor(free / strides[a]) + 1;
    return {
      inputs: input[a],
      kernel: kernel[a],
      stride: strides[a],
      dilation: dilations[a],
      begin,
      end,
      outputs,
    };
  };
  return [axis(0), axis(1)];
}

/** Height and width of what windows give. */
export function outputSize([y, x]: Windows): Size {
  return [y.outputs, x.outputs];
}

export function perAxis(where: string, value: PerAxis<number>, min: number): Size {
  if (!Array.isArray(value)) {
    expectInteger(where, value, min);
    return [value as number, value as number];
  }
  if (value.length !== 2) throw rangeMismatch(where, "a number or one per axis", value);
  for (const [a, one] of value.entries()) expectInteger(`${where}[${a}]`, one, min);
  return [value[0], value[1]];
}

function paddingOf(
  where: string,
  padding: Padding,
  a: 0 | 1,
  inputs: number,
  reach: number,
  stride: number,
): readonly [begin: number, end: number] {
  switch (padding) {
    case "valid":
      return [0, 0];
    case "full":
      return [reach, reach];
    case "same": {
      const total = Math.max((Math.ceil(inputs / stride) - 1) * stride + reach + 1 - inputs, 0);
      return [Math.floor(total / 2), Math.ceil(total / 2)];
    }
    default:
      return sidesOf(where, padding, a);
  }
}

/** The padding of one axis, where it is given in numbers. */
export function sidesOf(
  where: string,
  padding: Exclude<Padding, string>,
  a: 0 | 1,
): readonly [begin: number, end: number] {
  if (typeof padding === "number") {
    expectInteger(where, padding, 0);
    return [padding, padding];
  }
  if (!Array.isArray(padding)) {
    throw typeMismatch(where, 'a number, one entry per axis, "valid", "same" or "full"', padding);
  }
  if (padding.length !== 2) throw rangeMismatch(where, "a number or one entry per axis", padding);
  const one: number | readonly number[] = padding[a];
  const sides = Array.isArray(one) ? one : [one, one];
  if (sides.length !== 2) throw rangeMismatch(`${where}[${a}]`, "a number or [begin, end]", sides);
  for (const side of sides) expectInteger(`${where}[${a}]`, side, 0);
  return [sides[0], sides[1]];
}
