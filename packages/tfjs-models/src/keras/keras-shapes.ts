import type { Fields } from "../json-fields.js";
import { alongWindow, type Shape, sizeOf } from "../model-shape.js";

/** A weight of a layer, with null for a size that is not known. */
export interface LayerWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly trainable: boolean;
}

/** What a layer makes of its inputs, in shapes without the batch. */
export interface BuiltLayer {
  readonly output: Shape | null;
  /** Of the states that a recurrent layer returns beside it. */
  readonly states?: readonly Shape[];
  readonly weights: readonly LayerWeight[];
  /** Window of a convolution or pooling. */
  readonly kernel?: readonly number[];
  /** Multiplications and additions for one image; 0 unless given. */
  readonly macs?: number | null;
}

export interface ShapesAt {
  readonly className: string;
  readonly config: Fields;
  /** Shapes without the batch; null where one is not known. */
  readonly inputs: readonly (Shape | null)[];
}

/** Shapes and weights of a layer of Keras as tfjs builds it; null for a class that is not known. */
export function builtLayer(at: ShapesAt): BuiltLayer | null {
  const build = builders.get(at.className);
  return build === undefined ? null : build(at);
}

type Build = (at: ShapesAt) => BuiltLayer;

const dataFormats = ["channels_last", "channels_first"] as const;

const isChannelsFirst = ({ config }: ShapesAt) =>
  config.word("data_format", dataFormats, "channels_last") === "channels_first";

const weight = (name: string, shape: Shape, trainable = true): LayerWeight => ({ name, shape, trainable });

const biasOf = ({ config }: ShapesAt, units: number | null, fallback = true) =>
  config.flag("use_bias", fallback) ? [weight("bias", [units])] : [];

/** Positions and channels of the only input; null where they are not known. */
function gridOf(at: ShapesAt, rank: number): { size: Shape; channels: number | null } {
  const shape = at.inputs[0] ?? null;
  if (shape === null) return { size: Array<null>(rank).fill(null), channels: null };
  if (shape.length !== rank + 1) {
    at.config.fail("inputs", `${rank} axes and channels`, shape.map((size) => size ?? "?").join("x"));
  }
  return isChannelsFirst(at)
    ? { size: shape.slice(1), channels: shape[0]! }
    : { size: shape.slice(0, -1), channels: shape[rank]! };
}

const laidOut = (at: ShapesAt, size: Shape, channels: number | null): Shape =>
  isChannelsFirst(at) ? [channels, ...size] : [...size, channels];

const known = (at: ShapesAt, shape: Shape): Shape | null => ((at.inputs[0] ?? null) === null ? null : shape);

/** Sizes after a window, along every axis. */
function windowed(at: ShapesAt, size: Shape, kernel: readonly number[], strides: readonly number[]): Shape {
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

const times = (...factors: readonly (number | null)[]): number | null => sizeOf(factors);

const conv =
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

const depthwiseConv =
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

const transposedConv =
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

const pool =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const kernel = at.config.counts("pool_size", rank, Array(rank).fill(2));
    const output = windowed(at, size, kernel, at.config.counts("strides", rank, kernel));
    return { output: known(at, laidOut(at, output, channels)), weights: [], kernel };
  };

const globalPool =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const keep = at.config.get("keepdims") === true;
    const ones = size.map(() => 1);
    return { output: known(at, keep ? laidOut(at, ones, channels) : [channels]), weights: [] };
  };

/** Padding and cropping: one number, one per axis, or a pair per axis. */
const border =
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

const upSampling =
  (rank: number): Build =>
  (at) => {
    const { size, channels } = gridOf(at, rank);
    const scale = at.config.counts("size", rank, Array(rank).fill(2));
    const output = size.map((n, axis) => times(n, scale[axis]!));
    return { output: known(at, laidOut(at, output, channels)), weights: [] };
  };

const resizing: Build = (at) => {
  const { channels } = gridOf(at, 2);
  const output = [at.config.count("height"), at.config.count("width")];
  return { output: known(at, laidOut(at, output, channels)), weights: [] };
};

/** Element by element, without weights. */
const unchanged: Build = ({ inputs }) => ({ output: inputs[0] ?? null, weights: [] });

/** The sizes along the axes that a norm or PReLU has weights for. */
function sizesAlong({ config, inputs }: ShapesAt, key: string, fallback: number): Shape {
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

const batchNorm: Build = (at) => {
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

const layerNorm: Build = (at) => {
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
const prelu: Build = ({ config, inputs }) => {
  const shape = inputs[0] ?? null;
  const given = config.get("shared_axes") ?? [];
  const shared: readonly unknown[] = Array.isArray(given) ? given : [given];
  const alpha = shape?.map((size, axis) => (shared.includes(axis + 1) ? 1 : size));
  return { output: shape, weights: [weight("alpha", alpha ?? [null])] };
};

const dense: Build = (at) => {
  const units = at.config.count("units");
  const shape = at.inputs[0] ?? null;
  const kernel = [shape?.at(-1) ?? null, units];
  return {
    output: shape && [...shape.slice(0, -1), units],
    weights: [weight("kernel", kernel), ...biasOf(at, units)],
    macs: shape && times(...shape.slice(0, -1), ...kernel),
  };
};

const embedding: Build = ({ config, inputs }) => {
  const units = config.count("output_dim");
  const shape = inputs[0] ?? null;
  return {
    output: shape && [...shape, units],
    weights: [weight("embeddings", [config.count("input_dim"), units])],
  };
};

const flatten: Build = ({ inputs }) => ({ output: inputs[0] ? [sizeOf(inputs[0])] : null, weights: [] });

const reshape: Build = ({ config, inputs }) => {
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

const permute: Build = ({ config, inputs }) => {
  const shape = inputs[0] ?? null;
  const order = config.list("dims");
  const output = shape && order.map((place) => shape[Number(place) - 1] ?? null);
  return { output, weights: [] };
};

const repeatVector: Build = ({ config, inputs }) => ({
  output: inputs[0] ? [config.count("n"), ...inputs[0]] : null,
  weights: [],
});

/** Element by element, smaller shapes broadcast. */
const merge: Build = ({ inputs }) => {
  const shapes = inputs.filter((shape) => shape !== null);
  if (shapes.length < inputs.length || shapes.length === 0) return { output: null, weights: [] };
  const rank = Math.max(...shapes.map((shape) => shape.length));
  const output = Array.from({ length: rank }, (_, place) => {
    const sizes = shapes.map((shape) => shape[place - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
  return { output, weights: [] };
};

const concatenate: Build = ({ config, inputs }) => {
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

/** A recurrent layer with so many gates. */
const recurrent =
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

const convLstm: Build = (at) => {
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

function innerOf({ config }: ShapesAt): { className: string; config: Fields } {
  const layer = config.fields("layer");
  return { className: layer.text("class_name"), config: layer.fields("config") };
}

/** Queries, values and (unless given) keys that are the values; as wide as the queries unless told otherwise. */
const multiHeadAttention: Build = ({ config, inputs }) => {
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
const attention: Build = ({ config, inputs }) => {
  const [query = null, value = null] = inputs;
  const isScaled = config.get("use_scale") === true;
  return {
    output: query && value && [...query.slice(0, -1), value.at(-1)!],
    weights: isScaled ? [weight("scale", [])] : [],
  };
};

const dot: Build = ({ config, inputs }) => {
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

const centerCrop: Build = (at) => {
  const { channels } = gridOf(at, 2);
  const output = [at.config.count("height"), at.config.count("width")];
  return { output: known(at, laidOut(at, output, channels)), weights: [] };
};

const nothing: BuiltLayer = { output: null, weights: [] };

const bidirectional: Build = (at) => {
  const one = builtLayer({ ...innerOf(at), inputs: at.inputs }) ?? nothing;
  const mode = at.config.get("merge_mode");
  const { output } = one;
  const isJoined = mode === undefined || mode === "concat";
  return {
    output: output && (isJoined ? [...output.slice(0, -1), times(output.at(-1)!, 2)] : output),
    weights: ["forward", "backward"].flatMap((way) =>
      one.weights.map((each) => ({ ...each, name: `${way}_${each.name}` })),
    ),
    // Those of both ways, one after the other.
    ...(one.states && { states: [...one.states, ...one.states] }),
    macs: times(2, one.macs ?? 0),
  };
};

const timeDistributed: Build = (at) => {
  const shape = at.inputs[0] ?? null;
  const one = builtLayer({ ...innerOf(at), inputs: [shape?.slice(1) ?? null] }) ?? nothing;
  return {
    ...one,
    output: one.output && [shape?.[0] ?? null, ...one.output],
    macs: times(shape?.[0] ?? null, one.macs ?? 0),
  };
};

function ranked(
  ranks: readonly number[],
  names: readonly string[],
  make: (rank: number) => Build,
): [string, Build][] {
  return ranks.flatMap((rank) =>
    names.map((name): [string, Build] => [name.replace("#", `${rank}D`), make(rank)]),
  );
}

const builders: ReadonlyMap<string, Build> = new Map<string, Build>([
  ...ranked([1, 2, 3], ["Conv#", "Convolution#"], conv),
  ...ranked([1, 2], ["DepthwiseConv#"], (rank) => depthwiseConv(rank, false)),
  ...ranked([1, 2], ["SeparableConv#", "SeparableConvolution#"], (rank) => depthwiseConv(rank, true)),
  ...ranked([1, 2, 3], ["Conv#Transpose", "Convolution#Transpose"], transposedConv),
  ...ranked([1, 2, 3], ["MaxPooling#", "MaxPool#", "AveragePooling#", "AvgPool#"], pool),
  ...ranked(
    [1, 2, 3],
    ["GlobalMaxPooling#", "GlobalMaxPool#", "GlobalAveragePooling#", "GlobalAvgPool#"],
    globalPool,
  ),
  ...ranked([1, 2, 3], ["ZeroPadding#"], (rank) => border(rank, "padding", 1)),
  ...ranked([1, 2, 3], ["Cropping#"], (rank) => border(rank, "cropping", -1)),
  ...ranked([1, 2, 3], ["UpSampling#"], upSampling),
  ["Resizing", resizing],
  ["BatchNormalization", batchNorm],
  ["LayerNormalization", layerNorm],
  ["PReLU", prelu],
  ["Dense", dense],
  ["Embedding", embedding],
  ["Flatten", flatten],
  ["Reshape", reshape],
  ["Permute", permute],
  ["RepeatVector", repeatVector],
  ["Concatenate", concatenate],
  ["SimpleRNN", recurrent(1)],
  ["GRU", recurrent(3)],
  ["LSTM", recurrent(4)],
  ["ConvLSTM2D", convLstm],
  ["MultiHeadAttention", multiHeadAttention],
  ["Attention", attention],
  ["Dot", dot],
  ["CenterCrop", centerCrop],
  ["Bidirectional", bidirectional],
  ["TimeDistributed", timeDistributed],
  ...["Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum"].map((name): [string, Build] => [
    name,
    merge,
  ]),
  ...[
    "Activation", "ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Softmax", "Dropout", "SpatialDropout1D",
    "SpatialDropout2D", "SpatialDropout3D", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Rescaling", "Masking", "Identity",
  ].map((name): [string, Build] => [name, unchanged]), // biome-ignore format: a table
]);
