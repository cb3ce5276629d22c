import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import {
  cosineRate,
  crossEntropy,
  disposeParams,
  startTraining,
  type Training,
  train,
  warmUp,
} from "@gradlab/core";
import { batchesOf, type Dataset, inOrder } from "@gradlab/datasets";
import { argMax, type Tensor1D, type Tensor4D, tensor1d, tensor4d, tidy } from "@tensorflow/tfjs-core";
import {
  applyVisionTransformer,
  initVisionTransformer,
  type VisionTransformerConfig,
  type VisionTransformerParams,
} from "../src/index.js";

/** The 700 training (or 200 test) images of fashion-mnist-900. */
export function fashionMnist(folder: string, part: "train" | "t10k"): Dataset {
  const read = (name: string) =>
    new Uint8Array(gunzipSync(readFileSync(join(folder, "fashion-mnist-900", `${part}-${name}.gz`))));
  const images = read("images-idx3-ubyte").slice(16);
  const labels = Int32Array.from(read("labels-idx1-ubyte").subarray(8));
  return { images, labels, shape: [28, 28, 1], count: labels.length, classes: 10 };
}
