import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { enableWasmTraining } from "../src/index.js";

beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining();
});

/** Trains the same model from the same start on a backend and returns the loss after each epoch. */
async function fit(
  backend: string,
  build: () => tf.Sequential,
  data: () => { x: tf.Tensor; y: tf.Tensor },
): Promise<number[]> {
  await tf.setBackend(backend);
  const model = build();
  model.compile({ optimizer: tf.train.adam(0.01), loss: "categoricalCrossentropy" });
  const { x, y } = data();
  const { history } = await model.fit(x, y, { epochs: 8, batchSize: 16, shuffle: false, verbose: 0 });
  tf.dispose([x, y]);
  model.dispose();
  return history.loss as number[];
}

/**
 * The two runs differ by float32 rounding alone, which 24 steps of Adam amplify: 1.4e-7 was measured. Another order of
 * sums may do ten times that; channels taken for each other in one gradient did 4e-3.
 */
function expectSameCurve(ours: number[], reference: number[]): void {
  expect(ours).toHaveLength(8);
  for (const [i, loss] of ours.entries()) {
    expect(Math.abs(loss - reference[i]!) / reference[i]!, `epoch ${i}`).toBeLessThan(1e-5);
  }
  expect(ours.at(-1)).toBeLessThan(ours[0]! * 0.9);
}

const initializer = (seed: number) => tf.initializers.glorotUniform({ seed });

test("an unchanged convolutional model trains on wasm as on cpu", async () => {
  const build = () =>
    tf.sequential({
      layers: [
        tf.layers.conv2d({
          filters: 6,
          kernelSize: 3,
          padding: "same",
          inputShape: [10, 10, 2],
          kernelInitializer: initializer(1),
        }),
        tf.layers.maxPooling2d({ poolSize: 2 }), // before the activation: windows without a positive value
        tf.layers.batchNormalization(),
        tf.layers.activation({ activation: "relu" }),
        tf.layers.depthwiseConv2d({
          kernelSize: 3,
          depthwiseInitializer: initializer(2),
          activation: "tanh",
        }),
        tf.layers.conv2d({ filters: 4, kernelSize: 2, strides: 2, kernelInitializer: initializer(3) }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 2, activation: "softmax", kernelInitializer: initializer(4) }),
      ],
    });
  const data = () =>
    tf.tidy(() => {
      const x = tf.randomNormal([48, 10, 10, 2], 0, 1, "float32", 5);
      const label = tf.cast(
        tf.greater(tf.sum(tf.slice(x, [0, 0, 0, 0], [48, 5, 10, 1]), [1, 2, 3]), 0),
        "int32",
      );
      return { x, y: tf.oneHot(label, 2) };
    });
  expectSameCurve(await fit("wasm", build, data), await fit("cpu", build, data));
});

test("an unchanged recurrent model with an embedding trains on wasm as on cpu", async () => {
  const build = () =>
    tf.sequential({
      layers: [
        tf.layers.embedding({
          inputDim: 11,
          outputDim: 6,
          inputLength: 7,
          embeddingsInitializer: tf.initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed: 1 }),
        }),
        tf.layers.lstm({
          units: 9,
          kernelInitializer: initializer(2),
          recurrentInitializer: initializer(3),
          returnSequences: true,
        }),
        tf.layers.gru({ units: 5, kernelInitializer: initializer(4), recurrentInitializer: initializer(5) }),
        tf.layers.dense({ units: 2, activation: "softmax", kernelInitializer: initializer(6) }),
      ],
    });
  const data = () =>
    tf.tidy(() => {
      const x = tf.tensor2d(
        Array.from({ length: 48 * 7 }, (_, i) => (i * i + 3 * i) % 11),
        [48, 7],
      );
      const label = tf.cast(tf.greater(tf.slice(x, [0, 6], [48, 1]), 5), "int32");
      return { x, y: tf.oneHot(tf.reshape(label, [48]), 2) };
    });
  expectSameCurve(await fit("wasm", build, data), await fit("cpu", build, data));
});
