import {
  add,
  conv2d,
  matMul,
  reshape,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tanh,
  tensor1d,
  tensor2d,
  tensor4d,
  tidy,
} from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import type { Classifier } from "../src/index.js";

/** The small network that programs of others have attacked, as their scripts wrote it down: one convolution, one layer. */
export interface GoldenNetwork {
  /** `[3, 3, channels, filters]`. */
  readonly kernel: number[];
  readonly bias: number[];
  readonly dense: number[];
  readonly images: number[][];
  readonly labels: number[];
  readonly logits: number[][];
}

const classes = 4;

/**
 * @param size Of the square images, and how many channels they have.
 * @param least A point counts as another one where a number differs by more.
 */
export function goldenNetwork(golden: GoldenNetwork, [size, channels]: readonly [number, number], least = 0) {
  const filters = golden.bias.length;
  const numbers = size * size * channels;
  const image = (i: number): Tensor => tensor4d(golden.images[i]!, [1, size, size, channels]);
  const logits = (x: Tensor): Tensor =>
    tidy(() => {
      const kernel = tensor4d(golden.kernel, [3, 3, channels, filters]);
      const maps = tanh(add(conv2d(x as Tensor4D, kernel, 1, "same"), tensor1d(golden.bias)));
      const flat = reshape(maps, [-1, size * size * filters]) as Tensor2D;
      return matMul(flat, tensor2d(golden.dense, [size * size * filters, classes]));
    });
  return {
    image,
    /** An image of given numbers. */
    imageOf: (point: number[]): Tensor => tensor4d(point, [1, size, size, channels]),
    /** The network, and every different point that it is asked about. */
    traced(): { readonly classifier: Classifier; readonly points: number[][] } {
      const points: number[][] = [];
      const isNew = (point: number[], before: number[] | undefined) =>
        before === undefined || point.some((value, j) => Math.abs(value - before[j]!) > least);
      const classifier: Classifier = {
        bounds: [0, 1],
        classes,
        logits: (x) => {
          const data = Array.from(x.dataSync());
          for (let from = 0; from < data.length; from += numbers) {
            const point = data.slice(from, from + numbers);
            if (isNew(point, points.at(-1))) points.push(point);
          }
          return logits(x);
        },
      };
      return { classifier, points };
    },
    /** Fails unless this is the network that they have attacked. */
    async expectSameLogits(): Promise<void> {
      for (const [i, theirs] of golden.logits.entries()) {
        const own = await logits(image(i)).data();
        for (const [k, value] of theirs.entries()) expect(own[k]).toBeCloseTo(value, 5);
      }
    },
  };
}
