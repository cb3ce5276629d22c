import * as core from "@gradlab/core";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";

tf.enableProdMode(); // no advertisement
const start = { w: core.xavierUniform([2, 2], { seed: 0, purpose: "w" }) as tf.Tensor2D };
const [x, labels] = [tf.tensor2d([1, 2, 3, 1], [2, 2]), tf.tensor1d([0, 1], "int32")];
const options = { loss: ({ w }: typeof start) => core.crossEntropy(tf.matMul(x, w), labels), steps: 4 };
const training = core.startTraining(start, { name: "adam", learningRate: 0.1 });
for await (const { step, loss } of core.train(training, options)) console.log(step, loss.toFixed(4));
console.log((await core.saveCheckpoint(training)).length, "bytes to resume from, bit for bit");
