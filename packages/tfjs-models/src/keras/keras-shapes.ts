import type { Fields } from "../json-fields.js";
import { type Build, type BuiltLayer, type ShapesAt, times } from "./built-layer.js";
import {
  batchNorm,
  concatenate,
  dense,
  dot,
  embedding,
  flatten,
  layerNorm,
  merge,
  permute,
  prelu,
  repeatVector,
  reshape,
  unchanged,
} from "./plain-shapes.js";
import { attention, convLstm, multiHeadAttention, recurrent } from "./sequence-shapes.js";
import {
  border,
  centerCrop,
  conv,
  depthwiseConv,
  globalPool,
  pool,
  resizing,
  transposedConv,
  upSampling,
} from "./window-shapes.js";

/** Shapes and weights of a layer of Keras as tfjs builds it; null for a class that is not known. */
export function builtLayer(at: ShapesAt): BuiltLayer | null {
  const build = builders.get(at.className);
  return build === undefined ? null : build(at);
}

function innerOf({ config }: ShapesAt): { className: string; config: Fields } {
  const layer = config.fields("layer");
  return { className: layer.text("class_name"), config: layer.fields("config") };
}

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
