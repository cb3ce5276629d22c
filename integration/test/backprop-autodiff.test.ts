import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import { kroneckerGradient, twoLayerGradient } from "@gradlab/lms/backprop";
import { normal, randomStream } from "@gradlab/random";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";

tf.env().set("PROD", true); // no advertisement on the console

/** Rows of normal numbers, rounded to float32 so that tfjs computes with the same ones. */
function matrixOf(seed: number, purpose: string, rows: number, columns: number): number[][] {
  const stream = randomStream({ seed, purpose });
  return Array.from({ length: rows }, () =>
    Array.from({ length: columns }, () => Math.fround(normal(stream))),
  );
}

test("the two-layer gradients by hand are those of automatic differentiation, for many shapes", async () => {
  installGradients();
  await tf.setBackend("cpu");
  for (let seed = 0; seed < 24; seed++) {
    const [inputs, hidden, outputs, samples] = [
      1 + (seed % 4),
      1 + (seed % 5),
      1 + (seed % 3),
      1 + (seed % 7),
    ];
    const activation = seed % 2 === 0 ? ("relu" as const) : ("sigmoid" as const);
    const W1 = matrixOf(seed, "W1", hidden, inputs);
    const b1 = matrixOf(seed, "b1", hidden, 1);
    const W2 = matrixOf(seed, "W2", outputs, hidden);
    const b2 = matrixOf(seed, "b2", outputs, 1);
    const X = matrixOf(seed, "X", inputs, samples);
    const T = matrixOf(seed, "T", outputs, samples);
    const flat = { W1, b1: b1.flat(), W2, b2: b2.flat() };
    const byHand = twoLayerGradient(flat, X, T, { activation });
    const byKronecker = kroneckerGradient(flat, X, T, { activation });

    const weights = [W1, b1, W2, b2].map((rows) => tf.tensor2d(rows));
    const s = activation === "relu" ? tf.relu : tf.sigmoid;
    const { value, grads } = tf.valueAndGrads((w1, c1, w2, c2) => {
      const h = s(tf.add(tf.matMul(w1!, tf.tensor2d(X)), c1!));
      const error = tf.sub(tf.add(tf.matMul(w2!, h), c2!), tf.tensor2d(T));
      return tf.mul(tf.sum(tf.square(error)), 0.5);
    })(weights);
    const loss = (await value.data())[0]!;
    // float32 keeps 24 bits; sums of at most 35 products of numbers of the size of the result.
    const near = (got: number, known: number, scale: number) =>
      expect(Math.abs(got - known)).toBeLessThan(2e-5 * Math.max(1, scale));
    near(loss, byHand.loss, byHand.loss);
    for (const [i, name] of (["W1", "b1", "W2", "b2"] as const).entries()) {
      const auto = await grads[i]!.data();
      const scale = Math.max(...byHand[name].data.map(Math.abs));
      expect([seed, name, auto.length]).toEqual([seed, name, byHand[name].data.length]);
      for (const [at, known] of byHand[name].data.entries()) {
        near(auto[at]!, known, scale);
        near(byKronecker[name].data[at]!, known, scale);
      }
    }
  }
});
