/** Layers that go over positions: convolutions, pools, borders, resizing. */
import { alongWindow, type Shape } from "../model-shape.js";
import { type Build, biasOf, gridOf, known, laidOut, type ShapesAt, times, weight } from "./built-layer.js";

/** Sizes after a window, along every axis. */
export function windowed(
  at: ShapesAt,
  size: Shape,
  kernel: readonly number[],
  strides: readonly number[],
): Shape {
  const ones = Array<number>(size.length).fill(1);
  const dilation = at.config.counts("dilation_rate", size.length, ones);
  const mode = at.config.word("padding", ["valid", "same", "causal"], "valid");
  return size.map((n, axis) => {
    const length = alongWindow(n, {
      kernel: kernel[axis]!,
      stride: strides[axis]!,
      dilation: dilation[axis]!,
      valid: mode === "valid",
    });
    if (length !== null && length < 1)
      at.config.fail("kernel_size", `a window within ${n} positions`, kernel);
    return length;
  });
}

export const conv =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const filters = at.config.count("filters");
    const kernel = at.config.counts("kernel_size", rank);
    const strides = at.config.counts("strides", rank, Array(rank).fill(1));
    const groups = at.config.count("groups", 1);
    const output = windowed(at, size, kernel, strides);
    const shape = [...kernel, channels === null ? null : channels / groups, filters];
    return {
      output: known(at, laidOut(at, output, filters)),
      weights: [weight("kernel", shape), ...biasOf(at, filters)],
      kernel,
      macs: times(...output, ...shape),
    };
  };

export const depthwiseConv =
  (rank: number, isSeparable: boolean): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const kernel = at.config.counts("kernel_size", rank);
    const strides = at.config.counts("strides", rank, Array(rank).fill(1));
    const each = at.config.count("depth_multiplier", 1);
    const output = windowed(at, size, kernel, strides);
    const between = times(channels, each);
    const filters = isSeparable ? at.config.count("filters") : between;
    const depthwise = times(...output, ...kernel, between);
    const pointwise = isSeparable ? times(...output, between, filters) : 0;
    return {
      output: known(at, laidOut(at, output, filters)),
      weights: [
        weight("depthwise_kernel", [...kernel, channels, each]),
        ...(isSeparable ? [weight("pointwise_kernel", [...kernel.map(() => 1), between, filters])] : []),
        ...biasOf(at, filters),
      ],
      kernel,
      macs: depthwise === null || pointwise === null ? null : depthwise + pointwise,
    };
  };

export const transposedConv =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const filters = at.config.count("filters");
    const kernel = at.config.counts("kernel_size", rank);
    const strides = at.config.counts("strides", rank, Array(rank).fill(1));
    const same = at.config.word("padding", ["valid", "same"], "valid") === "same";
    const output = size.map((n, axis) =>
      n === null ? null : n * strides[axis]! + (same ? 0 : Math.max(kernel[axis]! - strides[axis]!, 0)),
    );
    const shape = [...kernel, filters, channels];
    return {
      output: known(at, laidOut(at, output, filters)),
      weights: [weight("kernel", shape), ...biasOf(at, filters)],
      kernel,
      macs: times(...size, ...shape),
    };
  };

export const pool =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const kernel = at.config.counts("pool_size", rank, Array(rank).fill(2));
    const output = windowed(at, size, kernel, at.config.counts("strides", rank, kernel));
    return { output: known(at, laidOut(at, output, channels)), weights: [], kernel };
  };

export const globalPool =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const keep = at.config.get("keepdims") === true;
    const ones = size.map(() => 1);
    return { output: known(at, keep ? laidOut(at, ones, channels) : [channels]), weights: [] };
  };

/** Padding and cropping: one number, one per axis, or a pair per axis. */
export const border =
  (rank: number, key: "padding" | "cropping", sign: 1 | -1): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const given = at.config.get(key) ?? 1;
    const list: readonly unknown[] = Array.isArray(given) ? given : Array(rank).fill(given);
    const perAxis: readonly unknown[] = rank === 1 && list.length === 2 ? [list] : list;
    const output = size.map((n, axis) => {
      const entry = perAxis[axis];
      const pair: readonly unknown[] = Array.isArray(entry) ? entry : [entry, entry];
      const [begin, end] = pair;
      if (typeof begin !== "number" || typeof end !== "number")
        return at.config.fail(key, "numbers or pairs of them", given);
      return n === null ? null : n + sign * (begin + end);
    });
    return { output: known(at, laidOut(at, output, channels)), weights: [] };
  };

export const upSampling =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const scale = at.config.counts("size", rank, Array(rank).fill(2));
    const output = size.map((n, axis) => times(n, scale[axis]!));
    return { output: known(at, laidOut(at, output, channels)), weights: [] };
  };

export const resizing: Build = (at) => {
  const { channels } = gridOf(at, 2);
  const output = [at.config.count("height"), at.config.count("width")];
  return { output: known(at, laidOut(at, output, channels)), weights: [] };
};

export const centerCrop: Build = (at) => {
  const { channels } = gridOf(at, 2);
  const output = [at.config.count("height"), at.config.count("width")];
  return { output: known(at, laidOut(at, output, channels)), weights: [] };
};
