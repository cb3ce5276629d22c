/** Layers that go over a sequence: recurrent ones and attention. */
import type { Shape } from "../model-shape.js";
import { type Build, biasOf, gridOf, laidOut, times, weight } from "./built-layer.js";
import { windowed } from "./window-shapes.js";

/** A recurrent layer with so many gates. */
export const recurrent =
  (gates: number): Build =>
  (at) => {
    const { config } = at;
    const units = config.count("units");
    const shape = at.inputs[0] ?? null;
    const [time, features] = [shape?.[0] ?? null, shape?.at(-1) ?? null];
    const kernels: Shape[] = [
      [features, gates * units],
      [units, gates * units],
    ];
    const resets = config.get("reset_after") === true;
    const bias: Shape = resets ? [2, gates * units] : [gates * units];
    return {
      output: config.flag("return_sequences", false) ? [time, units] : [units],
      states: Array.from({ length: gates === 4 ? 2 : 1 }, () => [units]),
      weights: [
        weight("kernel", kernels[0]!),
        weight("recurrent_kernel", kernels[1]!),
        ...(config.flag("use_bias", true) ? [weight("bias", bias)] : []),
      ],
      macs: features === null ? null : times(time, features + units, gates * units),
    };
  };

export const convLstm: Build = (at) => {
  const { config } = at;
  const shape = at.inputs[0] ?? null;
  const filters = config.count("filters");
  const kernel = config.counts("kernel_size", 2);
  const inner = gridOf({ ...at, inputs: [shape?.slice(1) ?? null] }, 2);
  const size = windowed(at, inner.size, kernel, config.counts("strides", 2, [1, 1]));
  const output = laidOut(at, size, filters);
  const time = shape?.[0] ?? null;
  return {
    output: shape && (config.flag("return_sequences", false) ? [time, ...output] : output),
    states: [output, output],
    weights: [
      weight("kernel", [...kernel, inner.channels, 4 * filters]),
      weight("recurrent_kernel", [...kernel, filters, 4 * filters]),
      ...biasOf(at, 4 * filters),
    ],
    kernel,
    macs:
      inner.channels === null ? null : times(time, ...size, ...kernel, inner.channels + filters, 4 * filters),
  };
};

/** Queries, values and (unless given) keys that are the values; as wide as the queries unless told otherwise. */
export const multiHeadAttention: Build = ({ config, inputs }) => {
  const [query = null, value = null, key = value] = inputs;
  const heads = config.count("num_heads");
  const keys = config.count("key_dim");
  const values = config.count("value_dim", keys);
  const width = query?.at(-1) ?? null;
  const given = config.get("output_shape");
  const out = Array.isArray(given) ? Number(given.at(-1)) : typeof given === "number" ? given : width;
  const bias = (shape: Shape) => (config.flag("use_bias", true) ? [weight("bias", shape)] : []);
  const projected = (from: number | null, size: number) => [
    weight("kernel", [from, heads, size]),
    ...bias([heads, size]),
  ];
  const [time, others] = [query?.[0] ?? null, value?.[0] ?? null];
  const projections = [
    times(time, width, heads, keys),
    times(others, key?.at(-1) ?? null, heads, keys),
    times(others, value?.at(-1) ?? null, heads, values),
    times(time, others, heads, keys + values),
    times(time, heads, values, out),
  ];
  return {
    output: query && [...query.slice(0, -1), out],
    weights: [
      ...projected(width, keys),
      ...projected(key?.at(-1) ?? null, keys),
      ...projected(value?.at(-1) ?? null, values),
      weight("kernel", [heads, values, out]),
      ...bias([out]),
    ],
    macs: projections.reduce<number | null>(
      (sum, one) => (sum === null || one === null ? null : sum + one),
      0,
    ),
  };
};

/** Attention without weights, or with one scale: values, mixed for every query. */
export const attention: Build = ({ config, inputs }) => {
  const [query = null, value = null] = inputs;
  const isScaled = config.get("use_scale") === true;
  return {
    output: query && value && [...query.slice(0, -1), value.at(-1)!],
    weights: isScaled ? [weight("scale", [])] : [],
  };
};
