/**
 * One training step of an LSTM language model in plain tfjs operations on
 * wasm, with `embed`, `crossEntropy` and `clipByGlobalNorm` of core, beside the
 * same step in PyTorch (nn.Embedding, nn.LSTM, nn.Linear, Adam, clipping), run
 * in turns in a process of its own, with one and with two threads.
 */
import { clipByGlobalNorm, crossEntropy, embed, installGradients, torchUniform } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { median } from "./interleaved.mjs";
import { startPython } from "./peer.mjs";

const sizes = { embedding: 128, hidden: 256, vocabulary: 10_000, batch: 20, steps: 30 };
const pairs = 9;

/** Starts the step in PyTorch; asked with a number of threads it answers with milliseconds. Null without PyTorch. */
export async function startLstmPeer(own = {}) {
  const peer = await startPython("lstm-lm.py", { ...sizes, ...own });
  return peer && { step: async (threads) => Number(await peer.ask(threads)), stop: peer.stop };
}

/** The step on the current backend, in milliseconds. */
export function startLstm() {
  const { embedding, hidden, vocabulary, batch, steps } = sizes;
  const uniform = (path, shape, fanIn) =>
    tf.tidy(() => tf.variable(torchUniform(shape, { seed: 0, purpose: path, fanIn })));
  const weights = {
    table: uniform("table", [vocabulary, embedding], 1),
    input: uniform("input", [embedding, 4 * hidden], hidden),
    recurrent: uniform("recurrent", [hidden, 4 * hidden], hidden),
    bias: uniform("bias", [4 * hidden], hidden),
    output: uniform("output", [hidden, vocabulary], hidden),
    outputBias: uniform("outputBias", [vocabulary], hidden),
  };
  const list = Object.values(weights);
  const optimizer = tf.train.adam(1e-3);
  const ids = () => tf.randomUniformInt([steps * batch], 0, vocabulary, 7);
  const tokens = ids();
  const targets = ids();

  const loss = () => {
    const { table, input, recurrent, bias, output, outputBias } = weights;
    // All inputs at once, [steps · batch, 4 hidden]; the recurrence needs one product per step.
    const gates = tf.split(tf.add(tf.matMul(embed(table, tokens), input), bias), steps);
    let h = tf.zeros([batch, hidden]);
    let c = tf.zeros([batch, hidden]);
    const states = gates.map((fromInput) => {
      const [i, f, g, o] = tf.split(tf.add(fromInput, tf.matMul(h, recurrent)), 4, 1);
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
      return h;
    });
    const logits = tf.add(tf.matMul(tf.concat(states), output), outputBias);
    return crossEntropy(logits, targets);
  };

  return async () => {
    const start = performance.now();
    const { value, grads } = tf.variableGrads(loss, list);
    const { clipped, norm } = clipByGlobalNorm(grads, 0.25);
    optimizer.applyGradients(clipped);
    await value.data();
    tf.dispose([value, norm, Object.values(grads), Object.values(clipped)]);
    return performance.now() - start;
  };
}

/** Milliseconds for a step, and how many times as long as PyTorch's with the faster number of threads. */
export async function run() {
  installGradients();
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const step = startLstm();
  const peer = await startLstmPeer();
  for (let i = 0; i < 3; i++) {
    await step();
    await peer?.step(1);
    await peer?.step(2);
  }
  const times = { ours: [], 1: [], 2: [] };
  for (let i = 0; i < pairs; i++) {
    times.ours.push(await step());
    for (const threads of peer ? [1, 2] : []) times[threads].push(await peer.step(threads));
  }
  peer?.stop();
  const value = median(times.ours);
  const name = "wasm-training: LSTM-LM step (E128 H256 V10000 B20 T30, Adam, clip)";
  if (peer === null) {
    return [
      { name, value, unit: "ms", reference: "PyTorch is not installed (python3-torch)", ratio: Number.NaN },
    ];
  }
  return [1, 2].map((threads) => ({
    name,
    value,
    unit: "ms",
    reference: `PyTorch, ${threads} thread${threads === 1 ? "" : "s"} (${median(times[threads]).toFixed(0)} ms)`,
    ratio: median(times.ours.map((ours, i) => ours / times[threads][i])),
  }));
}
