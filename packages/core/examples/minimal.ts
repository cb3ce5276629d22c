import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import * as tf from "@tensorflow/tfjs-core";

installGradients();
const weight = tf.tidy(() => tf.variable(tf.tensor1d([-1, 2])));
const loss = () => tf.sum(tf.where(tf.greater(weight, 0), tf.square(weight), tf.neg(weight))) as tf.Scalar;
const optimizer = tf.train.sgd(0.1);
for (let step = 0; step < 5; step++) optimizer.minimize(loss);
console.log(`loss ${(await loss().data())[0]}`);
