/**
 * One training step (forward, backward, SGD, reading the loss) of `lenet-relu`
 * and `resnet18` on wasm with the kernels of wasm-training, beside
 *
 * - the same step in PyTorch, in turns, in a process of its own; the better of one and two threads counts;
 * - plain tfjs: its wasm backend (which cannot), and one step on its cpu backend with a smaller batch;
 * - the floor: the operations and bytes that the step cannot do without, at the speed
 *   at which this machine's wasm multiplies matrices and adds up arrays.
 */
import { applyNetworkTraining, initNetwork, network, summary } from "@gradlab/classic-cnns";
import { crossEntropy, disposeParams, flattenParams, installGradients, mapParams } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { median } from "./interleaved.mjs";
import { startPython } from "./peer.mjs";

/** `plain` is what the cpu backend does in reasonable time. */
export const networks = {
  "lenet-relu": { batch: 128, size: 28, plain: { batch: 8, size: 28 }, pairs: 41, warmups: 20 },
  resnet18: { batch: 8, size: 96, plain: { batch: 2, size: 32 }, pairs: 11, warmups: 4 },
};
const channels = 1;

const graphOf = (name, size) => network(name, { inputSize: size, channels, classes: 10 });

/**
 * What a step needs at least, each tensor crossing the memory once for each pass over it:
 *
 * - multiply-adds: those of the forward pass, and as many for each of the two gradients; the first
 *   layer needs no gradient of its input;
 * - numbers read and written: x, w, y forward, dy, w, dx and x, dy, dw backward of a convolution or a product, and
 *   two reads and one write for the update of w; of the layers between, x, y forward and one saved
 *   tensor, dy, dx backward (a batch norm reads x and dy once more, for its sums over the batch).
 */
export function leastWork(name, { batch, size }) {
  const graph = graphOf(name, size);
  const { layers } = summary(graph);
  const sizes = new Map(
    layers.map(({ name, outputShape }) => [name, batch * outputShape.reduce((a, b) => a * b)]),
  );
  let macs = 0;
  let numbers = 0;
  let before = batch * channels * size * size;
  for (const [i, row] of layers.entries()) {
    const { inputs } = graph.layers.find((layer) => layer.name === row.name);
    const x = inputs ? inputs.reduce((sum, from) => sum + (sizes.get(from) ?? before), 0) : before;
    const y = sizes.get(row.name);
    before = y;
    if (row.op === "flatten") continue;
    if (row.macs > 0) {
      const passes = i === 0 ? 2 : 3;
      macs += passes * batch * row.macs;
      numbers += passes * (x + row.weights + y) + 3 * row.weights;
    } else numbers += 3 * (x + y) + (row.fn === "batch-norm" ? 2 * x : 0);
  }
  return { operations: 2 * macs, bytes: 4 * numbers };
}

/** A step on the current backend, in milliseconds. */
export function startCnn(name, { batch, size }) {
  const graph = graphOf(name, size);
  const initial = initNetwork(graph, { scheme: "he-normal" });
  const params = mapParams(initial.params, (tensor) => tf.variable(tensor));
  disposeParams(initial.params);
  const weights = flattenParams(params).map(([, variable]) => variable);
  let { statistics } = initial;
  const x = tf.randomNormal([batch, size, size, channels], 0, 1, "float32", 7);
  const labels = tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    "int32",
  );
  const optimizer = tf.train.sgd(1e-3);
  const step = async () => {
    const start = performance.now();
    let moved;
    const { value, grads } = tf.variableGrads(() => {
      const pass = applyNetworkTraining(graph, { params, statistics }, x);
      moved = mapParams(pass.statistics, (tensor) => tf.keep(tensor));
      return crossEntropy(pass.logits, labels);
    }, weights);
    optimizer.applyGradients(grads);
    disposeParams(statistics);
    statistics = moved;
    await value.data();
    tf.dispose([value, grads]);
    return performance.now() - start;
  };
  const stop = () => {
    optimizer.dispose();
    disposeParams(statistics);
    tf.dispose([x, labels, weights]);
  };
  return { step, stop };
}

/** Starts the steps in PyTorch; asked with a name and a number of threads it answers with milliseconds. Null without PyTorch. */
export async function startCnnPeer() {
  const sizes = Object.entries(networks).map(([name, { batch, size }]) => [name, { batch, channels, size }]);
  const peer = await startPython("classic-cnns.py", Object.fromEntries(sizes));
  return (
    peer && { step: async (name, threads) => Number(await peer.ask(`${name} ${threads}`)), stop: peer.stop }
  );
}

/** What one thread of wasm does here at best, in 10^9 a second: `flops` in a product, `bytes` in a sum. */
function machineSpeed() {
  const best = (task) => {
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < 9; i++) {
      const start = performance.now();
      task().dispose();
      least = Math.min(least, performance.now() - start);
    }
    return least * 1e6; // ns
  };
  const n = 512;
  const [a, b] = [tf.ones([n, n]), tf.ones([n, n])];
  const flops = (2 * n ** 3) / best(() => tf.matMul(a, b));
  const length = 2 ** 23; // beyond the caches
  const [p, q] = [tf.ones([length]), tf.ones([length])];
  const bytes = (12 * length) / best(() => tf.add(p, q));
  tf.dispose([a, b, p, q]);
  return { flops, bytes };
}

/** One step of plain tfjs in milliseconds, or why it cannot. */
async function plainStep(name, backend) {
  await tf.setBackend(backend);
  const model = startCnn(name, networks[name].plain);
  try {
    return { backend, time: await model.step() };
  } catch (error) {
    return { backend, problem: error.message.split("\n")[0] };
  } finally {
    model.stop();
  }
}

/** Rows of one network. */
async function measure(name, peer, plain, speed) {
  const { batch, size, pairs, warmups } = networks[name];
  const { step, stop } = startCnn(name, networks[name]);
  const times = { ours: [], 1: [], 2: [] };
  for (let i = 0; i < warmups + pairs; i++) {
    const ours = await step();
    const theirs = peer ? [await peer.step(name, 1), await peer.step(name, 2)] : [];
    if (i < warmups) continue;
    times.ours.push(ours);
    for (const [k, time] of theirs.entries()) times[k + 1].push(time);
  }
  stop();
  const value = median(times.ours);
  const title = `${name} step, ${channels}x${size}x${size}, batch ${batch}, SGD`;
  const row = (reference, ratio) => ({ name: title, value, unit: "ms", reference, ratio });
  const rows = [];
  if (peer === null) rows.push(row("PyTorch is not installed (python3-torch)", Number.NaN));
  else {
    const better = median(times[2]) <= median(times[1]) ? 2 : 1;
    const [one, two] = [median(times[1]).toFixed(1), median(times[2]).toFixed(1)];
    const reference = `PyTorch, better of 1 thread (${one} ms) and 2 threads (${two} ms)`;
    rows.push(row(reference, median(times.ours.map((ours, i) => ours / times[better][i]))));
  }
  const { operations, bytes } = leastWork(name, networks[name]);
  const [computing, moving] = [operations / speed.flops / 1e6, bytes / speed.bytes / 1e6];
  const floor = [
    `floor: ${(operations / 2e6).toFixed(0)} MMAC at ${speed.flops.toFixed(1)} GFLOP/s ${computing.toFixed(1)} ms`,
    `${(bytes / 1e6).toFixed(0)} MB at ${speed.bytes.toFixed(1)} GB/s ${moving.toFixed(1)} ms`,
  ];
  rows.push(row(floor.join(" + "), value / (computing + moving)));
  for (const { backend, time, problem } of plain) {
    const { batch, size } = networks[name].plain;
    const outcome = problem ? `cannot: ${problem}` : `${size}x${size}, batch ${batch}: ${time.toFixed(0)} ms`;
    const share = leastWork(name, networks[name].plain).operations / operations;
    rows.push(row(`plain tfjs, ${backend}, ${outcome} (ratio for the same work)`, (value * share) / time));
  }
  return rows;
}

/** Milliseconds for a step, and how many times as long as PyTorch's, the floor and plain tfjs. */
export async function run() {
  tf.env().set("PROD", true); // no advertisement of tfjs on the console
  installGradients();
  const factory = tf.findBackendFactory("wasm");
  const plain = {};
  for (const name of Object.keys(networks)) {
    plain[name] = [await plainStep(name, "wasm"), await plainStep(name, "cpu")];
  }
  // Begun anew, for threads must be asked for before it starts.
  tf.removeBackend("wasm");
  tf.registerBackend("wasm", factory, 2);
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const peer = await startCnnPeer();
  const speed = machineSpeed();
  const rows = [];
  for (const name of Object.keys(networks)) rows.push(...(await measure(name, peer, plain[name], speed)));
  peer?.stop();
  return rows;
}
