import { selectBackend } from "@gradlab/backend-select";
import * as tf from "@tensorflow/tfjs-core";

const { backend } = await selectBackend({ only: ["wasm", "cpu"] }); // without only: the best of this machine
const w = tf.variable(tf.tensor2d([0.5, -0.5], [2, 1]));
const [x, y] = [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.tensor2d([1, 2], [2, 1])];
const optimizer = tf.train.adam(0.1);
for (let step = 1; step <= 2; step++) {
  const loss = optimizer.minimize(() => tf.mean(tf.square(tf.sub(tf.matMul(x, w), y))), true)!;
  console.log(backend, "step", step, "loss", (await loss.data())[0]!.toFixed(3));
}
