/** Which of the slopes that a kink allows comes out. */
import * as tf from "@tensorflow/tfjs-core";

export interface Kink {
  readonly what: string;
  readonly at: readonly number[];
  readonly f: (x: tf.Tensor1D) => tf.Tensor;
  /** The gradient of the sum of the results. */
  readonly slopes: readonly number[];
}

const second = (x: tf.Tensor1D) => tf.slice(x, 1);
const first = (x: tf.Tensor1D) => tf.slice(x, 0, 1);
const image = (x: tf.Tensor1D) => tf.reshape(x, [1, 1, 3, 1]) as tf.Tensor4D;

export const kinks: readonly Kink[] = [
  { what: "abs", at: [0], f: tf.abs, slopes: [-1] },
  { what: "relu", at: [0], f: tf.relu, slopes: [0] },
  { what: "relu6", at: [0, 6], f: tf.relu6, slopes: [0, 1] },
  { what: "leakyRelu", at: [0], f: (x) => tf.leakyRelu(x, 0.2), slopes: [0.2] },
  { what: "prelu by 0.3", at: [0], f: (x) => tf.prelu(x, tf.tensor1d([0.3])), slopes: [0.3] },
  { what: "elu", at: [0], f: tf.elu, slopes: [1] },
  { what: "clipByValue between -1 and 1", at: [-1, 1], f: (x) => tf.clipByValue(x, -1, 1), slopes: [1, 1] },
  { what: "maximum of the two", at: [2, 2], f: (x) => tf.maximum(first(x), second(x)), slopes: [1, 0] },
  { what: "minimum of the two", at: [2, 2], f: (x) => tf.minimum(first(x), second(x)), slopes: [1, 0] },
  { what: "max", at: [2, 1, 2], f: (x) => tf.max(x), slopes: [0.5, 0, 0.5] },
  { what: "min", at: [1, 2, 1], f: (x) => tf.min(x), slopes: [0.5, 0, 0.5] },
  {
    what: "maxPool of all three",
    at: [2, 1, 2],
    f: (x) => tf.maxPool(image(x), [1, 3], 1, "valid"),
    slopes: [1, 0, 0],
  },
  { what: "topk of one", at: [2, 1, 2], f: (x) => tf.topk(x, 1).values, slopes: [1, 0, 0] },
];
