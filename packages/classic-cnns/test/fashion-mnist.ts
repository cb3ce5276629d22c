import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { tensor1d, tensor4d } from "@tensorflow/tfjs-core";
import type { ImageTensors } from "../src/index.js";
import { closedFormUnit } from "./closed-form-weights.js";

/** Gray images of 28 x 28 pixels in [0, 1], and their classes. */
export interface Images {
  readonly pixels: Float32Array;
  readonly labels: Int32Array;
}

/** The folder of real data, where the environment names one. */
export const dataFolder = process.env.GRADLAB_DATA;

/** The 700 training (or 200 test) images of fashion-mnist-900, pixels / 255. */
export function fashionMnist(part: "train" | "t10k"): Images {
  const read = (name: string) =>
    gunzipSync(readFileSync(join(dataFolder!, "fashion-mnist-900", `${part}-${name}.gz`)));
  return {
    pixels: Float32Array.from(read("images-idx3-ubyte").subarray(16), (value) => value / 255),
    labels: Int32Array.from(read("labels-idx1-ubyte").subarray(8)),
  };
}

const patternStream = 100_001;

/** Half noise, half a pattern of the class, in [0, 1): the images of `scripts/golden/lenet_training.py`. */
export function closedFormClasses(count: number): Images {
  const labels = Int32Array.from({ length: count }, (_, i) => (i * 7) % 10);
  const pixels = Float32Array.from({ length: count * 784 }, (_, i) => {
    const label = labels[Math.floor(i / 784)]!;
    const pattern = closedFormUnit(label * 784 + (i % 784), patternStream);
    return (closedFormUnit(i, patternStream + 1) + pattern + 2) / 4;
  });
  return { pixels, labels };
}

/** Images `from` to `to` as a batch, which belongs to the caller. */
export function batchOf({ pixels, labels }: Images, from: number, to: number): ImageTensors {
  return {
    images: tensor4d(pixels.slice(from * 784, to * 784), [to - from, 28, 28, 1]),
    labels: tensor1d(labels.slice(from, to), "int32"),
  };
}
