/** Layers that look at one position, or that only move numbers. */
import { type Shape, sizeOf } from "../model-shape.js";
import { type Build, biasOf, type ShapesAt, times, weight } from "./built-layer.js";

/** Element by element, without weights. */
export const unchanged: Build = ({ inputs }) => ({ output: inputs[0] ?? null, weights: [] });

/** The sizes along the axes that a norm or PReLU has weights for. */
export function sizesAlong({ config, inputs }: ShapesAt, key: string, fallback: number): Shape {
  const shape = inputs[0] ?? null;
  const given = config.get(key) ?? fallback;
  const axes: readonly unknown[] = Array.isArray(given) ? given : [given];
  return axes.map((axis) => {
    if (typeof axis !== "number") return config.fail(key, "an axis", given);
    if (shape === null) return null;
    // Counted with the batch, or from the end.
    return shape[axis < 0 ? shape.length + axis : axis - 1] ?? config.fail(key, "an axis of the input", axis);
  });
}

export const batchNorm: Build = (at) => {
  const shape = sizesAlong(at, "axis", -1);
  const has = (key: string) => at.config.flag(key, true);
  return {
    output: at.inputs[0] ?? null,
    weights: [
      ...(has("scale") ? [weight("gamma", shape)] : []),
      ...(has("center") ? [weight("beta", shape)] : []),
      weight("moving_mean", shape, false),
      weight("moving_variance", shape, false),
    ],
  };
};

export const layerNorm: Build = (at) => {
  const shape = sizesAlong(at, "axis", -1);
  const has = (key: string) => at.config.flag(key, true);
  return {
    output: at.inputs[0] ?? null,
    weights: [
      ...(has("scale") ? [weight("gamma", shape)] : []),
      ...(has("center") ? [weight("beta", shape)] : []),
    ],
  };
};

/** A slope for every unit, or one for all along the shared axes. */
export const prelu: Build = ({ config, inputs }) => {
  const shape = inputs[0] ?? null;
  const given = config.get("shared_axes") ?? [];
  const shared: readonly unknown[] = Array.isArray(given) ? given : [given];
  const alpha = shape?.map((size, axis) => (shared.includes(axis + 1) ? 1 : size));
  return { output: shape, weights: [weight("alpha", alpha ?? [null])] };
};

export const dense: Build = (at) => {
  const units = at.config.count("units");
  const shape = at.inputs[0] ?? null;
  const kernel = [shape?.at(-1) ?? null, units];
  return {
    output: shape && [...shape.slice(0, -1), units],
    weights: [weight("kernel", kernel), ...biasOf(at, units)],
    macs: shape && times(...shape.slice(0, -1), ...kernel),
  };
};

export const embedding: Build = ({ config, inputs }) => {
  const units = config.count("output_dim");
  const shape = inputs[0] ?? null;
  return {
    output: shape && [...shape, units],
    weights: [weight("embeddings", [config.count("input_dim"), units])],
  };
};

export const flatten: Build = ({ inputs }) => ({
  output: inputs[0] ? [sizeOf(inputs[0])] : null,
  weights: [],
});

export const reshape: Build = ({ config, inputs }) => {
  const target = config.list("target_shape").map((given) => {
    // tfjs writes null for the size that is to be computed.
    const size = given ?? -1;
    if (typeof size !== "number" || !Number.isSafeInteger(size))
      return config.fail("target_shape", "integers", size);
    return size;
  });
  const all = inputs[0] ? sizeOf(inputs[0]) : null;
  const fixed = target.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  const rest = all === null ? null : all / fixed;
  if (rest !== null && (target.includes(-1) ? !Number.isSafeInteger(rest) : rest !== 1)) {
    config.fail("target_shape", `a shape of ${all} numbers`, target);
  }
  return { output: target.map((size) => (size === -1 ? rest : size)), weights: [] };
};

export const permute: Build = ({ config, inputs }) => {
  const shape = inputs[0] ?? null;
  const order = config.list("dims");
  const output = shape && order.map((place) => shape[Number(place) - 1] ?? null);
  return { output, weights: [] };
};

export const repeatVector: Build = ({ config, inputs }) => ({
  output: inputs[0] ? [config.count("n"), ...inputs[0]] : null,
  weights: [],
});

/** Element by element, smaller shapes broadcast. */
export const merge: Build = ({ inputs }) => {
  const shapes = inputs.filter((shape) => shape !== null);
  if (shapes.length < inputs.length || shapes.length === 0) return { output: null, weights: [] };
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const output = Array.from({ length: rank }, (_, place) => {
    const sizes = shapes.map((shape) => shape[place - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
  return { output, weights: [] };
};

export const concatenate: Build = ({ config, inputs }) => {
  const shapes = inputs.filter((shape) => shape !== null);
  const [first] = shapes;
  if (first === undefined || shapes.length < inputs.length) return { output: null, weights: [] };
  const axis = config.get("axis") ?? -1;
  const place = typeof axis === "number" ? (axis < 0 ? first.length + axis : axis - 1) : -1;
  if (place < 0 || place >= first.length) return config.fail("axis", "an axis of the inputs", axis);
  const sizes = shapes.map((shape) => shape[place] ?? null);
  const sum = sizes.includes(null) ? null : sizes.reduce<number>((all, size) => all + size!, 0);
  return { output: first.map((size, i) => (i === place ? sum : size)), weights: [] };
};

export const dot: Build = ({ config, inputs }) => {
  const [a = null, b = null] = inputs;
  const given = config.get("axes");
  const axes: readonly unknown[] = Array.isArray(given) ? given : [given, given];
  if (a === null || b === null) return { output: null, weights: [] };
  const [x, y] = [a, b].map((shape, i) => {
    const axis = axes[i];
    if (typeof axis !== "number") return config.fail("axes", "one or two axes", given);
    return axis < 0 ? shape.length + axis : axis - 1;
  });
  const output = [...a.filter((_, i) => i !== x), ...b.filter((_, i) => i !== y)];
  return { output: output.length === 0 ? [1] : output, weights: [], macs: times(...output, a[x!] ?? null) };
};
