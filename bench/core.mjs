/**
 * What the loop's breathing costs: a training on wasm whose steps take about a millisecond, with macrotasks and with
 * callbacks in their place that run at once, in turns; and one macrotask alone, beside the 20 ms after which it comes.
 */
import { breather, disposeTraining, startTraining, train } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { median } from "./interleaved.mjs";

const STEPS = 300;
const PAIRS = 25;
const HOLD = 20;

async function timeOf(task) {
  const start = performance.now();
  await task();
  return performance.now() - start;
}

/** Milliseconds of processor, which other load on the machine does not stretch. */
async function workOf(task) {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Milliseconds of one macrotask, alone on the event loop. */
async function macrotask() {
  const times = [];
  for (let i = 0; i < 20; i++) {
    const breathe = breather();
    const end = performance.now() + HOLD + 1;
    while (performance.now() < end);
    times.push(await timeOf(breathe));
  }
  return median(times);
}

export async function run() {
  tf.env().set("PROD", true);
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const start = { a: tf.randomNormal([64, 64]), b: tf.randomNormal([64, 64]) };
  const x = tf.randomNormal([64, 64]);
  const training = startTraining(start, { name: "adam", learningRate: 1e-4 });
  const loss = ({ a, b }) => tf.mean(tf.square(tf.matMul(tf.relu(tf.matMul(x, a)), b)));
  const steps = async () => {
    const end = training.step + STEPS;
    for await (const _ of train(training, { loss, steps: end }));
  };
  const held = async () => {
    const { setImmediate } = globalThis;
    globalThis.setImmediate = (callback) => callback();
    try {
      await steps();
    } finally {
      globalThis.setImmediate = setImmediate;
    }
  };
  await steps();
  const pairs = [];
  for (let i = 0; i < PAIRS; i++) {
    // Which comes first takes turns too.
    const first = await workOf(i % 2 === 0 ? steps : held);
    const second = await workOf(i % 2 === 0 ? held : steps);
    pairs.push(i % 2 === 0 ? [first, second] : [second, first]);
  }
  // The least of each, which other load on the machine has disturbed least.
  const [ours, other] = [0, 1].map((i) => Math.min(...pairs.map((pair) => pair[i])));
  const alone = await macrotask();
  disposeTraining(training);
  return [
    {
      name: `core: ${STEPS} steps that breathe`,
      value: ours,
      unit: "ms of CPU",
      reference: "the same, holding the event loop",
      ratio: ours / other,
    },
    {
      name: "core: one macrotask",
      value: 1000 * alone,
      unit: "µs",
      reference: `the ${HOLD} ms between two of them`,
      ratio: alone / HOLD,
    },
  ];
}
