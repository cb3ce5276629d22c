import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs";

await enableWasmTraining();
await tf.setBackend("wasm");

const conv = tf.layers.conv2d({ filters: 8, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] });
const model = tf.sequential({ layers: [conv, tf.layers.flatten(), tf.layers.dense({ units: 1 })] });
model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
const x = tf.randomNormal([64, 8, 8, 1], 0, 1, "float32", 1);
const { history } = await model.fit(x, tf.mean(x, [1, 2]), { epochs: 20, verbose: 0 });
console.log(`loss ${history.loss?.at(0)} → ${history.loss?.at(-1)}`);
