import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { wasmMode } from "../training/wasm-mode.js";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js"; // the attention calls them
import { type LayersModel, layers, sequential } from "@tensorflow/tfjs-layers";
import { MultiHeadAttention } from "@tensorflow/tfjs-layers/dist/layers/nlp/multihead_attention.js";
import { beforeAll, expect, test } from "vitest";

/*
 * Layers of tfjs-layers that do not train with the gradients of tfjs-core, on cpu and on wasm.
 */

beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining(wasmMode());
  installGradients();
});

const backends = ["cpu", "wasm"];

// The layers are deserialized: their types know objects alone.
const seeded = (seed: number) => ({ className: "GlorotUniform", config: { seed } }) as never;

/** Float32 rounds differently on the two backends; five steps of descent do not amplify it beyond 1e-4. */
function expectSameDescent(losses: number[][]): void {
  const [reference, other] = losses as [number[], number[]];
  expect(reference).toHaveLength(5);
  expect(reference.at(-1)!).toBeLessThan(reference[0]! * 0.99);
  for (const [i, loss] of reference.entries()) {
    expect(Math.abs(other[i]! - loss) / Math.abs(loss), `step ${i}`).toBeLessThan(1e-4);
  }
}

test("the multi-head attention of tfjs-layers trains", async () => {
  const losses: number[][] = [];
  for (const backend of backends) {
    await tf.setBackend(backend);
    const before = tf.memory().numTensors;
    const attention = new MultiHeadAttention({
      numHeads: 2,
      keyDim: 3,
      kernelInitializer: seeded(1),
    });
    const [query, value, wanted] = [0, 1, 2].map((seed) =>
      tf.randomNormal([2, seed === 1 ? 5 : 4, 6], 0, 1, "float32", seed + 1),
    ) as [tf.Tensor, tf.Tensor, tf.Tensor];
    attention.call(query, { value }).dispose(); // makes the weights
    const optimizer = tf.train.sgd(0.5);
    const curve: number[] = [];
    for (let step = 0; step < 5; step++) {
      const loss = optimizer.minimize(
        () => tf.losses.meanSquaredError(wanted, attention.call(query, { value })) as tf.Scalar,
        true,
      )!;
      curve.push((await loss.data())[0]!);
      loss.dispose();
    }
    losses.push(curve);
    optimizer.dispose();
    tf.dispose([query, value, wanted]);
    tf.disposeVariables();
    expect(tf.memory().numTensors).toBe(before);
  }
  expectSameDescent(losses);
});

const models: [string, number[], () => Parameters<typeof sequential>[0]][] = [
  [
    "normalizations with every switch that tfjs-layers trains",
    [6],
    () => ({
      layers: [
        layers.dense({ units: 8, inputShape: [6], kernelInitializer: seeded(1) }),
        layers.batchNormalization({}),
        layers.dense({ units: 8, kernelInitializer: seeded(2) }),
        layers.layerNormalization({ center: false }),
        layers.layerNormalization({ scale: false }),
        layers.layerNormalization({ center: false, scale: false }),
        layers.layerNormalization({}),
        layers.dense({ units: 3, kernelInitializer: seeded(3) }),
      ],
    }),
  ],
  [
    "recurrent layers over one time step",
    [1, 4],
    () => ({
      layers: [
        layers.lstm({
          units: 5,
          returnSequences: true,
          inputShape: [1, 4],
          kernelInitializer: seeded(1),
          recurrentInitializer: seeded(2),
        }),
        layers.gru({ units: 4, kernelInitializer: seeded(3), recurrentInitializer: seeded(4) }),
        layers.dense({ units: 3, kernelInitializer: seeded(5) }),
      ],
    }),
  ],
  [
    "dilated and upsampled images",
    [6, 6, 2],
    () => ({
      layers: [
        layers.conv2d({
          filters: 4,
          kernelSize: 3,
          dilationRate: 2,
          padding: "same",
          inputShape: [6, 6, 2],
          kernelInitializer: seeded(1),
        }),
        layers.depthwiseConv2d({ kernelSize: 2, depthwiseInitializer: seeded(2) }),
        layers.upSampling2d({ size: [2, 2] }),
        layers.upSampling2d({ size: [2, 3], interpolation: "bilinear" }),
        layers.maxPooling2d({ poolSize: [3, 2] }),
        layers.flatten(),
        layers.dense({ units: 3, kernelInitializer: seeded(3) }),
      ],
    }),
  ],
];
for (const [name, shape, build] of models) {
  test(`an unchanged model of ${name} trains`, async () => {
    const losses: number[][] = [];
    for (const backend of backends) {
      await tf.setBackend(backend);
      const model: LayersModel = sequential(build());
      model.compile({ optimizer: tf.train.sgd(0.05), loss: "meanSquaredError" });
      const x = tf.randomNormal([8, ...shape], 0, 1, "float32", 7);
      const y = tf.randomNormal([8, 3], 0, 1, "float32", 8);
      const { history } = await model.fit(x, y, { epochs: 5, batchSize: 8, shuffle: false, verbose: 0 });
      losses.push(history.loss as number[]);
      tf.dispose([x, y]);
      model.dispose();
    }
    expectSameDescent(losses);
  });
}
