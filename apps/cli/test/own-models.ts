import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { io, tensor, util } from "@tensorflow/tfjs-core";
import {
  input,
  type LayersModel,
  layers,
  model,
  type SymbolicTensor,
  sequential,
} from "@tensorflow/tfjs-layers";
import {
  flag,
  GraphModelFile,
  ints,
  word,
  words,
} from "../../../packages/tfjs-models/test/graph-model-file.js";

/** A model as its files hold it. */
export interface ModelFiles {
  readonly json: Record<string, unknown>;
  /** By the names that the manifest gives them. */
  readonly shards: ReadonlyMap<string, Uint8Array>;
}

/** Weights of a size that keeps numbers small, the same every time. */
function settle(net: LayersModel): void {
  net.setWeights(
    net.weights.map((weight, place) => {
      const shape = weight.shape as number[];
      const size = util.sizeFromShape(shape);
      const values = Array.from({ length: size }, (_, i) => Math.sin(3 * i + place) / 4);
      const isScale = /variance|gamma/.test(weight.originalName);
      return tensor(isScale ? values.map((value) => 1 + value / 2) : values, shape);
    }),
  );
}

/** The files of a model of tfjs-layers, its weights in two shards. */
async function filesOf(net: LayersModel): Promise<ModelFiles> {
  settle(net);
  let found: io.ModelArtifacts | undefined;
  await net.save(
    io.withSaveHandler(async (artifacts) => {
      found = artifacts;
      return { modelArtifactsInfo: io.getModelArtifactsInfoForJSON(artifacts) };
    }),
  );
  net.dispose();
  const { modelTopology, weightSpecs = [], weightData } = found!;
  const bytes = new Uint8Array(weightData as ArrayBuffer);
  const half = 4 * Math.floor(bytes.length / 8);
  const paths = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
  return {
    json: { format: "layers-model", modelTopology, weightsManifest: [{ paths, weights: weightSpecs }] },
    shards: new Map([
      [paths[0]!, bytes.slice(0, half)],
      [paths[1]!, bytes.slice(half)],
    ]),
  };
}

function graphFiles(file: GraphModelFile): ModelFiles {
  const { json } = file;
  const bytes = file.weightBytes.slice();
  const [first] = json.weightsManifest;
  const length = first!.weights.reduce((sum, { shape }) => sum + 4 * util.sizeFromShape(shape), 0);
  const half = 4 * Math.floor(length / 8);
  return {
    json,
    shards: new Map([
      ["group1-shard1of2.bin", bytes.slice(0, half)],
      ["group1-shard2of2.bin", bytes.slice(half, length)],
      ["group2-shard1of1.bin", bytes.slice(length)],
    ]),
  };
}

const same = {
  padding: word("SAME"),
  data_format: word("NHWC"),
  strides: ints(1, 1, 1, 1),
  dilations: ints(1, 1, 1, 1),
};

/** Small models of every kind that people ship, each on pictures of 8 x 8 x 3 and with three classes. */
export const ownModels: Readonly<Record<string, () => Promise<ModelFiles>>> = {
  "a chain with batch norm": () =>
    filesOf(
      sequential({
        layers: [
          layers.conv2d({
            inputShape: [8, 8, 3],
            filters: 4,
            kernelSize: 3,
            padding: "same",
            useBias: false,
          }),
          layers.batchNormalization({}),
          layers.reLU({ maxValue: 6 }),
          layers.depthwiseConv2d({ kernelSize: 3, strides: 2 }),
          layers.leakyReLU({}),
          layers.globalAveragePooling2d({}),
          layers.reshape({ targetShape: [1, 1, 4] }),
          layers.dropout({ rate: 0.1 }),
          layers.conv2d({ filters: 3, kernelSize: 1 }),
          layers.reshape({ targetShape: [3] }),
          layers.activation({ activation: "softmax" }),
        ],
      }),
    ),
  "branches and a model in a model": () => {
    const inner = input({ shape: [8, 8, 4] });
    const block = model({
      inputs: inner,
      outputs: layers.elu({}).apply(
        layers.separableConv2d({ filters: 4, kernelSize: 3, padding: "same" }).apply(inner),
      ) as SymbolicTensor,
      name: "block",
    });
    const x = input({ shape: [8, 8, 3] });
    const stem = layers.conv2d({ filters: 4, kernelSize: 1 }).apply(x) as SymbolicTensor;
    const sum = layers.add().apply([stem, block.apply(stem) as SymbolicTensor]) as SymbolicTensor;
    const both = layers.concatenate().apply([sum, stem]) as SymbolicTensor;
    const padded = layers.zeroPadding2d({ padding: [[0, 1], [1, 0]] }).apply(both) as SymbolicTensor;
    const pooled = layers.maxPooling2d({ poolSize: 3 }).apply(padded) as SymbolicTensor;
    const flat = layers.flatten().apply(pooled) as SymbolicTensor;
    const y = layers.dense({ units: 3, activation: "sigmoid" }).apply(flat) as SymbolicTensor;
    return filesOf(model({ inputs: x, outputs: y }));
  }, // biome-ignore format: paddings
  "up and down again, with a norm of layers": () =>
    filesOf(
      sequential({
        layers: [
          layers.conv2d({ inputShape: [8, 8, 3], filters: 2, kernelSize: 2, strides: 2 }),
          layers.prelu({ sharedAxes: [1, 2] }),
          layers.upSampling2d({ size: [2, 2] }),
          layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: "same" }),
          layers.cropping2D({ cropping: [[1, 2], [3, 0]] }),
          layers.layerNormalization({}),
          layers.gaussianNoise({ stddev: 0.1 }),
          layers.averagePooling2d({ poolSize: 4 }),
          layers.flatten(),
          layers.dense({ units: 3 }),
        ],
      }),
    ), // biome-ignore format: croppings
  "rows as a sequence": () => {
    const recurrentInitializer = "glorotUniform";
    return filesOf(
      sequential({
        layers: [
          layers.reshape({ inputShape: [8, 8, 3], targetShape: [8, 24] }),
          layers.bidirectional({
            layer: layers.lstm({ units: 3, recurrentInitializer, returnSequences: true }) as never,
            mergeMode: "concat",
          }),
          layers.gru({ units: 4, recurrentInitializer, returnSequences: true }),
          layers.timeDistributed({ layer: layers.dense({ units: 2 }) }),
          layers.simpleRNN({ units: 4, recurrentInitializer }),
          layers.dense({ units: 3 }),
          layers.softmax({}),
        ],
      }),
    );
  },
  "a graph with fused operations": async () => {
    const file = new GraphModelFile([-1, 8, 8, 3]);
    file.node("c1", "_FusedConv2D", ["x", file.weights("w1", 3, 3, 3, 4), file.weights("b1", 4)], {
      ...same,
      num_args: { i: "1" },
      fused_ops: words("BiasAdd", "Relu"),
    });
    file.node("d1", "DepthwiseConv2dNative", ["c1", file.weights("wd", 3, 3, 4, 1)], same);
    file.node("p1", "Pad", ["d1", file.integers("pads", [0, 0, 1, 1, 1, 1, 0, 0], [4, 2])]);
    file.node("m1", "MaxPool", ["p1"], { ...same, ksize: ints(1, 2, 2, 1), strides: ints(1, 2, 2, 1) });
    file.node("s1", "AddV2", ["m1", file.weights("shift", 4)]);
    file.node("g1", "Mean", ["s1", file.integers("axes", [1, 2])], { keep_dims: flag(false) });
    file.node("l1", "MatMul", ["g1", file.weights("wl", 4, 3)], {
      transpose_a: flag(false),
      transpose_b: flag(false),
    });
    file.node("y", "Softmax", ["l1"]);
    file.output("y");
    return graphFiles(file);
  },
  "a graph that reshapes and resizes": async () => {
    const file = new GraphModelFile([1, 8, 8, 3]);
    file.node("r1", "ResizeBilinear", ["x", file.integers("size", [4, 4])], {
      align_corners: flag(false),
      half_pixel_centers: flag(true),
    });
    file.node("c1", "Conv2D", ["r1", file.weights("w1", 4, 4, 3, 3)], { ...same, padding: word("VALID") });
    file.node("q1", "Squeeze", ["c1"], { squeeze_dims: ints(1, 2) });
    file.node("t1", "Reshape", ["q1", file.integers("shape", [-1, 3])]);
    file.node("y", "Sigmoid", ["t1"]);
    file.output("y");
    return graphFiles(file);
  },
};

/** Writes a model into a folder and says where its JSON stands. */
export async function writeFiles(folder: string, { json, shards }: ModelFiles): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "model.json");
  await writeFile(file, JSON.stringify(json));
  for (const [name, bytes] of shards) await writeFile(join(folder, name), bytes);
  return file;
}
