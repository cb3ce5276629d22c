import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs";

await enableWasmTraining().then(() => tf.setBackend("wasm"));
const { conv2d, reshape, lstm, dense } = tf.layers;
const look = conv2d({ filters: 8, kernelSize: 3, activation: "relu", inputShape: [8, 8, 1] });
const read = [reshape({ targetShape: [6, 48] }), lstm({ units: 8 }), dense({ units: 1 })];
const model = tf.sequential({ layers: [look, ...read] });
model.compile({ optimizer: tf.train.adam(0.02), loss: "meanSquaredError" });
const x = tf.randomNormal([64, 8, 8, 1], 0, 1, "float32", 1);
const { history } = await model.fit(x, tf.mean(x, [1, 2]), { epochs: 20, verbose: 0 });
console.log("loss fell to less than a third:", Number(history.loss?.at(-1)) < Number(history.loss?.[0]) / 3);
