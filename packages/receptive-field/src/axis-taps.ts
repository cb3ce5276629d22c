import { type AxisStep, type Border, beginPadding, outputSize, type ResizeStep } from "./axis-step.js";
import { greatestCommonDivisor } from "./integers.js";
import { emptySet, type RunSet, setOf } from "./run-set.js";

/**
 * Which units of the layer below each unit reads, along one axis, as a
 * periodic rule: unit `v + period` reads what unit `v` reads, moved by
 * `shift`. Positions outside the layer below are meant as they stand; what is
 * found there is the affair of `border`.
 */
export interface AxisTaps {
  readonly period: number;
  readonly shift: number;
  /** For the units 0 … period − 1, the positions read. */
  readonly phases: readonly RunSet[];
  readonly border: Border;
}

/** Everything, however large the input is. */
export const everything: RunSet = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** A rule for layers that read everything there is, or whose rule the unknown size hides. */
const readsEverything: AxisTaps = { period: 1, shift: 0, phases: [everything], border: "constant" };

const identity: AxisTaps = { period: 1, shift: 1, phases: [[0, 0]], border: "constant" };

/** All units read the single unit of a broadcast input. */
export const broadcastTaps: AxisTaps = { period: 1, shift: 0, phases: [[0, 0]], border: "constant" };

/**
 * The rule of a step for an input of `n` units, or of unknown size (null).
 * `paddingSize` decides `"same"` padding alone: a stand-in for an unknown size.
 */
export function tapsOf(step: AxisStep, n: number | null, paddingSize: number | null = n): AxisTaps {
  switch (step.kind) {
    case "identity":
      return identity;
    case "window": {
      const window = windowAt(-beginPadding(step, paddingSize), step.kernel, step.dilation);
      return { period: 1, shift: step.stride, phases: [window], border: "constant" };
    }
    case "transposed":
      return transposedTaps(step.kernel, step.stride, step.dilation, beginPadding(step, paddingSize));
    case "resize":
      return resizeTaps(step, n);
    case "pad":
      return { period: 1, shift: 1, phases: [[-step.begin, -step.begin]], border: step.border };
    case "adaptive":
      return n === null ? readsEverything : adaptiveTaps(n, step.size);
    case "everything":
      if (n === null) return readsEverything;
      return { period: 1, shift: 0, phases: [[0, n - 1]], border: "constant" };
  }
}

/** Longer rules are not written down: a table of so many boxes helps nobody. */
const longestRule = 2 ** 16;

function expectRule(what: string, length: number, most = longestRule): void {
  if (length <= most) return;
  throw new RangeError(`expected ${what} at most ${most} units, got ${length}`);
}

function windowAt(first: number, kernel: number, dilation: number): RunSet {
  if (dilation === 1) return [first, first + kernel - 1];
  expectRule("a dilated kernel of", kernel, 2 ** 21);
  return setOf(Array.from({ length: kernel }, (_, tap) => first + tap * dilation));
}

/** Output `i = stride · k + dilation · t − begin`: the inputs k for which a tap t exists depend on i modulo the stride. */
function transposedTaps(kernel: number, stride: number, dilation: number, begin: number): AxisTaps {
  expectRule("boxes that repeat after", stride);
  expectRule("a kernel of", kernel, 2 ** 21);
  const inputs: number[][] = Array.from({ length: stride }, () => []);
  for (let tap = 0; tap < kernel; tap++) {
    // The tap writes to the outputs i ≡ dilation · tap − begin modulo the stride.
    const offset = dilation * tap - begin;
    const phase = ((offset % stride) + stride) % stride;
    inputs[phase]!.push((phase - offset) / stride);
  }
  const phases = inputs.map((read) => (read.length === 0 ? emptySet : setOf(read)));
  return { period: stride, shift: 1, phases, border: "constant" };
}

function adaptiveTaps(n: number, outputs: number): AxisTaps {
  const divisor = greatestCommonDivisor(n, outputs);
  const period = outputs / divisor;
  expectRule("boxes that repeat after", period);
  const phases = Array.from({ length: period }, (_, i) => [
    Math.floor((i * n) / outputs),
    Math.ceil(((i + 1) * n) / outputs) - 1,
  ]);
  return { period, shift: n / divisor, phases, border: "constant" };
}

/**
 * Output unit v looks at the source position `(v · shift · 2 + offset) / (2 · period)`;
 * integers throughout, so that "exactly on a unit" is decided exactly.
 */
function resizeTaps(step: ResizeStep, n: number | null): AxisTaps {
  const ratio = sourceStep(step, n);
  if (ratio === null) return readsEverything;
  const { period, shift } = ratio;
  expectRule("boxes that repeat after", period);
  const offset = step.coordinates === "half-pixel" ? shift - period : 0;
  const phases = Array.from({ length: period }, (_, v): RunSet => {
    const doubled = 2 * v * shift + offset;
    const below = Math.floor(doubled / (2 * period));
    if (step.method === "bilinear")
      return below * 2 * period === doubled ? [below, below] : [below, below + 1];
    if (step.coordinates === "asymmetric") return [below, below];
    // Nearest: round half up; in half-pixel coordinates that is floor((v + ½) n/m).
    const nearest = Math.floor((doubled + period) / (2 * period));
    return [nearest, nearest];
  });
  return { period, shift, phases, border: "edge" };
}

/** The distance between neighbouring units in the source, as a reduced fraction shift/period. */
function sourceStep(step: ResizeStep, n: number | null): { period: number; shift: number } | null {
  let shift: number;
  let period: number;
  if (step.coordinates === "align-corners") {
    if (n === null) return null;
    shift = n - 1;
    period = outputSize(step, n) - 1;
    if (period === 0 || shift === 0) return { period: 1, shift: 0 };
  } else if ("size" in step.to) {
    if (n === null) return null;
    shift = n;
    period = step.to.size;
  } else {
    shift = step.to.denominator;
    period = step.to.numerator;
  }
  const divisor = greatestCommonDivisor(shift, period);
  return { period: period / divisor, shift: shift / divisor };
}
