import type { MergeLayer } from "@gradlab/receptive-field";
import {
  channelsOf,
  concatenatedDims,
  type Dim,
  type Feature,
  isChannels,
  isVector,
  joinedDims,
  placeOf,
  showDims,
} from "../dims.js";
import { reshapedDims } from "../reshaped-dims.js";
import { activationOf, type Convert, checkActivation, type LayerAt, onlyInput } from "./keras-layer-at.js";
import {
  border,
  conv,
  depthwiseConv,
  globalPool,
  pool,
  resizing,
  separableConv,
  transposedConv,
  upSampling,
} from "./keras-windows.js";

/** Adds a call of a Keras layer to the graph, or refuses it. */
export function addKerasLayer(at: LayerAt): Feature {
  const convert = converters.get(at.className);
  if (convert !== undefined) return convert(at);
  return at.refuse(
    "a layer that works on positions (convolution, pooling, resizing, merging, pointwise, Flatten, Dense)",
    at.className,
  );
}

const pointwise =
  (fn: string): Convert =>
  (at) => {
    const feature = onlyInput(at);
    return at.draft.add({ name: at.name, op: "pointwise", fn }, [feature], feature.dims);
  };

const activation: Convert = (at) => {
  const feature = onlyInput(at);
  checkActivation(at, feature.dims, feature);
  const fn = activationOf(at) ?? "linear";
  return at.draft.add({ name: at.name, op: "pointwise", fn }, [feature], feature.dims);
};

/** Refuses a normalisation over dimensions other than channels. */
function checkOverChannels(at: LayerAt, feature: Feature): void {
  const given = at.config.get("axis") ?? -1;
  for (const index of Array.isArray(given) ? given : [given]) {
    const place = placeOf(index as number, feature.dims.length);
    if (place === null) at.config.fail("axis", `dimensions of ${showDims(feature)}`, index);
    const dim = feature.dims[place!];
    if (!isChannels(dim) && dim !== "one") {
      at.refuse(`${at.className} over channels only`, `dimension ${place} of ${showDims(feature)}`);
    }
  }
}

const overChannels =
  (fn: string): Convert =>
  (at) => {
    checkOverChannels(at, onlyInput(at));
    return pointwise(fn)(at);
  };

/** Branches joined element by element. Missing dimensions are inserted after the batch, as Keras does. */
const merge =
  (op: MergeLayer["op"], fn: string): Convert =>
  (at) => {
    const features = at.inputs.filter((input) => input !== null);
    const rank = Math.max(...features.map(({ dims }) => dims.length));
    const dims = joinedDims(
      features.map(({ dims: [first, ...rest] }): Dim[] => {
        return [first!, ...Array<Dim>(rank - rest.length - 1).fill("one"), ...rest];
      }),
    );
    if (dims === null) return at.refuse("inputs of one layout", features.map(showDims).join(" and "));
    return at.draft.join(at.name, op, fn, features, dims);
  };

const concatenate: Convert = (at) => {
  const features = at.inputs.filter((input) => input !== null);
  const [first] = features;
  const { dims } = first!;
  const index = at.config.get("axis") ?? -1;
  const place = placeOf(index as number, dims.length);
  if (place === null) return at.config.fail("axis", `a dimension of ${showDims(first!)}`, index);
  const counts = at.inputs.map((input) => (input === null ? null : channelsOf(input)));
  const channels = counts.includes(null) ? null : counts.reduce<number>((sum, count) => sum + count!, 0);
  const all = features.map((feature) => feature.dims);
  const joined = concatenatedDims(all, place, channels);
  if (joined === null) return at.refuse("inputs of one layout", features.map(showDims).join(" and "));
  if (!isChannels(dims[place]) && dims[place] !== "row") {
    return at.refuse("concatenation along channels", `along dimension ${place} of ${showDims(first!)}`);
  }
  return at.draft.join(at.name, "concat", "concat", features, joined);
};

const flatten: Convert = (at) => {
  const feature = onlyInput(at);
  if (isVector(feature)) {
    const dims: Dim[] = ["batch", { channels: channelsOf(feature) }];
    return at.draft.add({ name: at.name, op: "pointwise", fn: "flatten" }, [feature], dims);
  }
  const dims = reshapedDims(feature, [null, null], at.refuse);
  return at.draft.add({ name: at.name, op: "flatten" }, [feature], dims);
};

const reshape: Convert = (at) => {
  const feature = onlyInput(at);
  const given = at.config.list("target_shape");
  const target = given.map((entry) => {
    // tfjs writes null for the size that is to be computed.
    const size = entry ?? -1;
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < -1 || size === 0) {
      return at.config.fail("target_shape", "positive integers or -1", given);
    }
    return size === -1 ? null : size;
  });
  const dims = reshapedDims(feature, [null, ...target], at.refuse);
  const flattens = dims.includes("row") && !feature.dims.includes("row");
  return flattens
    ? at.draft.add({ name: at.name, op: "flatten" }, [feature], dims)
    : at.draft.add({ name: at.name, op: "pointwise", fn: "reshape" }, [feature], dims);
};

const permute: Convert = (at) => {
  const feature = onlyInput(at);
  const order = at.config.list("dims");
  const expected = feature.dims.slice(1).map((_, i) => i + 1);
  if (order.length !== expected.length || !expected.every((place) => order.includes(place))) {
    at.config.fail("dims", `an order of ${expected.join(", ")}`, order);
  }
  const dims = [0, ...(order as number[])].map((place) => feature.dims[place]!);
  return at.draft.add({ name: at.name, op: "pointwise", fn: "permute" }, [feature], dims);
};

/** On positions, Keras applies a Dense layer to every position: a 1x1 convolution. */
const dense: Convert = (at) => {
  const feature = onlyInput(at);
  const units = at.config.count("units");
  const bias = at.config.flag("use_bias", true);
  const last = feature.dims[feature.dims.length - 1]!;
  if (last === "row" || (isVector(feature) && isChannels(last))) {
    const dims = [...feature.dims.slice(0, -1), { channels: units }];
    return at.draft.add({ name: at.name, op: "dense", units, bias }, [feature], dims);
  }
  if (!isChannels(last)) return at.refuse("channels in the last dimension", showDims(feature));
  const dims = [...feature.dims.slice(0, -1), { channels: units }];
  checkActivation(at, dims, feature);
  return at.draft.add({ name: at.name, op: "conv", kernel: 1, filters: units, bias }, [feature], dims);
};

/** The ranks for which a layer exists, under the names that Keras knows it by. */
function ranked(
  ranks: readonly number[],
  names: readonly string[],
  make: (rank: number) => Convert,
): [string, Convert][] {
  return ranks.flatMap((rank) =>
    names.map((name): [string, Convert] => [name.replace("#", `${rank}D`), make(rank)]),
  );
}

const converters: ReadonlyMap<string, Convert> = new Map<string, Convert>([
  ...ranked([1, 2, 3], ["Conv#", "Convolution#"], conv),
  ...ranked([1, 2], ["DepthwiseConv#"], depthwiseConv),
  ...ranked([1, 2], ["SeparableConv#", "SeparableConvolution#"], separableConv),
  ...ranked([1, 2, 3], ["Conv#Transpose", "Convolution#Transpose"], transposedConv),
  ...ranked([1, 2, 3], ["MaxPooling#", "MaxPool#"], (rank) => pool(rank, "max")),
  ...ranked([1, 2, 3], ["AveragePooling#", "AvgPool#"], (rank) => pool(rank, "avg")),
  ...ranked([1, 2, 3], ["GlobalMaxPooling#", "GlobalMaxPool#"], (rank) => globalPool(rank, "max")),
  ...ranked([1, 2, 3], ["GlobalAveragePooling#", "GlobalAvgPool#"], (rank) => globalPool(rank, "avg")),
  ...ranked([1, 2, 3], ["ZeroPadding#"], (rank) => border(rank, "padding", 1)),
  ...ranked([1, 2, 3], ["Cropping#"], (rank) => border(rank, "cropping", -1)),
  ...ranked([1, 2, 3], ["UpSampling#"], upSampling),
  ["Resizing", resizing],
  ["Add", merge("add", "add")],
  ["Multiply", merge("multiply", "multiply")],
  ["Subtract", merge("merge", "subtract")],
  ["Average", merge("merge", "average")],
  ["Maximum", merge("merge", "maximum")],
  ["Minimum", merge("merge", "minimum")],
  ["Concatenate", concatenate],
  // At inference a fixed factor and offset per element, whatever the axis.
  ["BatchNormalization", pointwise("batch_norm")],
  ["LayerNormalization", overChannels("layer_norm")],
  ["Activation", activation],
  ["ReLU", pointwise("relu")],
  ["LeakyReLU", pointwise("leaky_relu")],
  ["PReLU", pointwise("prelu")],
  ["ELU", pointwise("elu")],
  ["ThresholdedReLU", pointwise("thresholded_relu")],
  ["Softmax", overChannels("softmax")],
  ...[
    "Dropout",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "AlphaDropout",
    "GaussianDropout",
  ].map((name): [string, Convert] => [name, pointwise("dropout")]),
  ["GaussianNoise", pointwise("noise")],
  ["ActivityRegularization", pointwise("linear")],
  ["Rescaling", pointwise("rescale")],
  ["Normalization", pointwise("normalize")],
  ["Flatten", flatten],
  ["Reshape", reshape],
  ["Permute", permute],
  ["Dense", dense],
]);
