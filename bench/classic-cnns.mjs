/**
 * One training step (forward, backward, SGD, reading the loss) of `lenet-relu`
 * and `resnet18` on wasm with the kernels of wasm-training, beside
 *
 * - the same step in PyTorch, in turns, in a process of its own; the better of one and two threads counts;
 * - plain tfjs: its wasm backend (which cannot), and one step on its cpu backend with a smaller batch;
 * - the floor: the operations and bytes that the step cannot do without, at the speed
 *   at which this machine's wasm multiplies matrices and adds up arrays.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { batchNormTraining } from "@gradlab/classic-cnns";
import { crossEntropy, heNormal, installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { median } from "./interleaved.mjs";

/** `plain` is what the cpu backend does in reasonable time. */
const networks = {
  "lenet-relu": {
    build: lenet,
    batch: 128,
    channels: 1,
    size: 28,
    plain: { batch: 8, size: 28 },
    pairs: 41,
    warmups: 20,
  },
  resnet18: {
    build: resnet18,
    batch: 8,
    channels: 1,
    size: 96,
    plain: { batch: 2, size: 32 },
    pairs: 11,
    warmups: 4,
  },
};

/**
 * The layers that both networks are made of, with their weights as they are asked for. `work` adds up
 * what a step needs at least, each tensor crossing the memory once for each pass over it:
 *
 * - multiply-adds: those of the forward pass, and as many for each of the two gradients; the first
 *   layer needs no gradient of its input;
 * - numbers read and written: x, w, y forward; dy, w, dx and x, dy, dw backward; of the layers between,
 *   x, y forward and one saved tensor, dy, dx backward (batch norm reads x and dy once more, for the sums over the
 *   batch); two reads and one write for the update of a weight.
 */
function layers() {
  const weights = [];
  const work = { macs: 0, numbers: 0 };
  const variable = (make) => {
    const variable = tf.tidy(() => tf.variable(make()));
    weights.push(variable);
    return variable;
  };
  const weight = (shape) => variable(() => heNormal(shape, { seed: 0, purpose: `w${weights.length}` }));
  const constant = (size, value) => variable(() => tf.fill([size], value));
  const product = (x, w, y, isFirst) => {
    const macs = (y.size / w.shape.at(-1)) * w.size;
    work.macs += macs * (isFirst ? 2 : 3);
    work.numbers += (x.size + w.size + y.size) * (isFirst ? 2 : 3) + 3 * w.size;
    return y;
  };
  const pass = (x, y, more = 0) => {
    work.numbers += x.size + y.size + 2 * (x.size + y.size) + more;
    return y;
  };
  const conv = (inputs, outputs, kernel, stride, padding, isFirst = false) => {
    const w = weight([kernel, kernel, inputs, outputs]);
    return (x) => product(x, w, tf.conv2d(x, w, stride, padding), isFirst);
  };
  const dense = (inputs, outputs) => {
    const w = weight([inputs, outputs]);
    return (x) => product(x, w, tf.matMul(x, w));
  };
  const bias = (channels) => {
    const b = constant(channels, 0);
    return (x) => pass(x, tf.add(x, b));
  };
  const norm = (channels) => {
    const [scale, offset] = [constant(channels, 1), constant(channels, 0)];
    return (x) => pass(x, batchNormTraining(x, scale, offset).y, 2 * x.size);
  };
  const relu = (x) => pass(x, tf.relu(x));
  const maxPool = (kernel, stride, padding) => (x) => pass(x, tf.maxPool(x, kernel, stride, padding));
  const chain =
    (...steps) =>
    (x) =>
      steps.reduce((h, step) => step(h), x);
  return { weights, work, pass, conv, dense, bias, norm, relu, maxPool, chain };
}

function lenet(channels) {
  const { weights, work, conv, dense, bias, relu, maxPool, chain } = layers();
  const apply = chain(
    ...[conv(channels, 6, 5, 1, 2, true), bias(6), relu, maxPool(2, 2, 0)],
    ...[conv(6, 16, 5, 1, 0), bias(16), relu, maxPool(2, 2, 0)],
    (x) => tf.reshape(x, [x.shape[0], 400]),
    ...[dense(400, 120), bias(120), relu, dense(120, 84), bias(84), relu, dense(84, 10), bias(10)],
  );
  return { weights, work, apply };
}

function resnet18(channels) {
  const { weights, work, pass, conv, dense, bias, norm, relu, maxPool, chain } = layers();
  const block = (inputs, outputs, stride) => {
    const residual = chain(
      ...[conv(inputs, outputs, 3, stride, 1), norm(outputs), relu],
      ...[conv(outputs, outputs, 3, 1, 1), norm(outputs)],
    );
    const shortcut =
      inputs === outputs ? (x) => x : chain(conv(inputs, outputs, 1, stride, 0), norm(outputs));
    return (x) => {
      const [p, q] = [residual(x), shortcut(x)];
      return relu(pass(p, tf.add(p, q)));
    };
  };
  const apply = chain(
    ...[conv(channels, 64, 7, 2, 3, true), norm(64), relu, maxPool(3, 2, 1)],
    ...[block(64, 64, 1), block(64, 64, 1), block(64, 128, 2), block(128, 128, 1)],
    ...[block(128, 256, 2), block(256, 256, 1), block(256, 512, 2), block(512, 512, 1)],
    (x) => tf.mean(x, [1, 2]),
    ...[dense(512, 10), bias(10)],
  );
  return { weights, work, apply };
}

/** A step on the current backend, in milliseconds. `work` is that of one step. */
function startModel({ build, channels }, { batch, size }) {
  const { weights, work, apply } = build(channels);
  const x = tf.randomNormal([batch, size, size, channels], 0, 1, "float32", 7);
  const labels = tf.tensor1d(
    Array.from({ length: batch }, (_, i) => i % 10),
    "int32",
  );
  const optimizer = tf.train.sgd(1e-3);
  const step = async () => {
    work.macs = 0;
    work.numbers = 0;
    const start = performance.now();
    const { value, grads } = tf.variableGrads(() => crossEntropy(apply(x), labels), weights);
    optimizer.applyGradients(grads);
    await value.data();
    tf.dispose([value, grads]);
    return performance.now() - start;
  };
  const stop = () => {
    optimizer.dispose();
    tf.dispose([x, labels, weights]);
  };
  return { step, stop, work };
}

/** Starts the steps in PyTorch; asked with a name and a number of threads it answers with milliseconds. Null without PyTorch. */
async function startPeer() {
  const script = fileURLToPath(new URL("classic-cnns.py", import.meta.url));
  const sizes = Object.entries(networks).map(([name, { batch, channels, size }]) => [
    name,
    { batch, channels, size },
  ]);
  // The system's own Python is where distributions put PyTorch.
  const child = spawn("/usr/bin/python3", [script, JSON.stringify(Object.fromEntries(sizes))], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((resolve) => child.on("error", () => resolve({ done: true })));
  const ready = await Promise.race([lines.next(), failed]);
  if (ready.done) return null;
  return {
    async step(name, threads) {
      child.stdin.write(`${name} ${threads}\n`);
      return Number((await lines.next()).value);
    },
    stop: () => child.kill(),
  };
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

/** One step of plain tfjs, with the multiply-adds that it does, or why it cannot. */
async function plainStep(network, backend) {
  await tf.setBackend(backend);
  const model = startModel(network, network.plain);
  try {
    return { time: await model.step(), macs: model.work.macs };
  } catch (error) {
    return { problem: error.message.split("\n")[0] };
  } finally {
    model.stop();
  }
}

/** Rows of one network. */
async function measure(name, network, peer, plain, speed) {
  const { batch, channels, size, pairs, warmups } = network;
  const { step, stop, work } = startModel(network, network);
  const times = { ours: [], 1: [], 2: [] };
  for (let i = 0; i < warmups + pairs; i++) {
    const ours = await step();
    const theirs = peer ? [await peer.step(name, 1), await peer.step(name, 2)] : [];
    if (i < warmups) continue;
    times.ours.push(ours);
    for (const [k, time] of theirs.entries()) times[k + 1].push(time);
  }
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
  const [operations, bytes] = [2 * work.macs, 4 * work.numbers];
  const [computing, moving] = [operations / speed.flops / 1e6, bytes / speed.bytes / 1e6];
  const floor = [
    `floor: ${(operations / 2e6).toFixed(0)} MMAC at ${speed.flops.toFixed(1)} GFLOP/s ${computing.toFixed(1)} ms`,
    `${(bytes / 1e6).toFixed(0)} MB at ${speed.bytes.toFixed(1)} GB/s ${moving.toFixed(1)} ms`,
  ];
  rows.push(row(floor.join(" + "), value / (computing + moving)));
  for (const { backend, time, macs, problem } of plain) {
    const { batch, size } = network.plain;
    const outcome = problem ? `cannot: ${problem}` : `${size}x${size}, batch ${batch}: ${time.toFixed(0)} ms`;
    rows.push(row(`plain tfjs, ${backend}, ${outcome} (ratio for a MAC)`, value / work.macs / (time / macs)));
  }
  stop();
  return rows;
}

/** Milliseconds for a step, and how many times as long as PyTorch's, the floor and plain tfjs. */
export async function run() {
  tf.env().set("PROD", true); // no advertisement of tfjs on the console
  installGradients();
  const plain = {};
  for (const [name, network] of Object.entries(networks)) {
    plain[name] = [];
    for (const backend of ["wasm", "cpu"]) {
      plain[name].push({ backend, ...(await plainStep(network, backend)) });
    }
  }
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const peer = await startPeer();
  const speed = machineSpeed();
  const rows = [];
  for (const [name, network] of Object.entries(networks)) {
    rows.push(...(await measure(name, network, peer, plain[name], speed)));
  }
  peer?.stop();
  return rows;
}
