import { pgd, runAttack } from "@gradlab/attacks";
import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";

tf.enableProdMode(); // no advertisement
const w = tf.tensor2d([1, -1, 0.5, 0.2, -0.3, 0.8], [2, 3]);
const logits = (x: tf.Tensor) => tf.matMul(x as tf.Tensor2D, w);
const x = tf.tensor2d([0.9, 0.1, 0.2, 0.7], [2, 2]);
const model = { logits, bounds: [0, 1] as const, classes: 3 };
const { samples, summary } = await runAttack(model, pgd(), x, [0, 2], { epsilon: 0.4 });
for (const { label, prediction, success, distances } of samples)
  console.log(label, "→", prediction, success, distances.linf.toFixed(3));
console.log(samples[0]!.certificate, `${summary.standing} of ${summary.samples} stand`);
