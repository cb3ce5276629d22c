/**
 * The companion module of wasm-training with two threads and with one, beside PyTorch's faster number of threads, the
 * composition that it replaces, stock tfjs where that can do it, and the floor: products, convolutions with both
 * gradients, and training steps, all in turns in one run. Each configuration has a process of its own, for threads are
 * chosen before a backend starts. Then small work, where the companion may not be behind the composition.
 *
 * `COMPANION_ONLY=conv` measures the cases whose names have it. `GRADLAB_BENCH_WRITE=1 npm run bench companion`, then
 * `npm test -- readmes -u`, write the table in wasm-training's README anew.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { applyNetwork, initNetwork, network } from "@gradlab/classic-cnns";
import { installGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { leastWork, networks, startCnn, startCnnPeer } from "./classic-cnns.mjs";
import { median } from "./interleaved.mjs";
import { shape as lm, startLanguageModel } from "./language-model-step.mjs";
import { startLstmPeer } from "./lstm-lm.mjs";
import { startPeer, startPython } from "./peer.mjs";

const conv = { batch: 16, size: 28, inputs: 32, outputs: 64, kernel: 3 };
const convMacs = conv.batch * conv.size ** 2 * conv.inputs * conv.outputs * conv.kernel ** 2;
/** Products of a token: of the gates with input and state, and of the output; three passes. */
const lmMacs = (hidden) =>
  3 * lm.batch * lm.steps * (4 * hidden * (lm.embedding + hidden) + hidden * lm.vocabulary);

/** The multiply-adds that a training step of a network cannot do without. */
const cnnMacs = (name) => leastWork(name, networks[name]).operations / 2;

/** What is measured, the pairs, and the multiply-adds that it cannot do without. */
const cases = {
  "matMul 1024³": { kind: "product", sizes: { n: 1024 }, pairs: 15, macs: 1024 ** 3 },
  ...Object.fromEntries(
    ["forward", "filter", "input"].map((part) => [
      `conv 3x3 16x28x28x32→64, ${part === "forward" ? part : `${part} gradient`}`,
      { kind: "convolution", sizes: { ...conv, part }, pairs: 15, macs: convMacs },
    ]),
  ),
  "lenet-relu step, batch 128": {
    kind: "cnn",
    sizes: { name: "lenet-relu" },
    pairs: 21,
    macs: cnnMacs("lenet-relu"),
  },
  "resnet18 step, 96x96, batch 8": {
    kind: "cnn",
    sizes: { name: "resnet18" },
    pairs: 7,
    macs: cnnMacs("resnet18"),
  },
  "LSTM-LM step, H 256": { kind: "lm", sizes: { hidden: 256 }, pairs: 5, macs: lmMacs(256) },
  "LSTM-LM step, H 1024": { kind: "lm", sizes: { hidden: 1024 }, pairs: 3, macs: lmMacs(1024) },
};

/** Small work: the companion with two threads and with one against the composition. */
const small = {
  ...Object.fromEntries(
    [8, 16, 32, 64, 128, 256, 512].map((n) => [`matMul ${n}³`, { kind: "product", sizes: { n } }]),
  ),
  "dense 32 → 32, batch 1": { kind: "dense", sizes: { batch: 1 } },
  "dense 32 → 32, batch 32": { kind: "dense", sizes: { batch: 32 } },
  "lenet-relu, batch 1, forward": { kind: "predict", sizes: { name: "lenet-relu" } },
};

const random = (shape, seed = 1) => tf.randomNormal(shape, 0, 1, "float32", seed);
/** In training a weight is new in every step, so that nothing packed for the last one can be used again. */
const fresh = (x) => tf.mul(x, 1);

/** A call that can be timed, in `tidy`. */
const calls = {
  product({ n }) {
    const [a, b] = [random([n, n]), random([n, n], 2)];
    return () => tf.matMul(a, fresh(b));
  },
  dense({ batch }) {
    const [x, w, bias] = [random([batch, 32]), random([32, 32], 2), random([32], 3)];
    return () => tf.relu(tf.add(tf.matMul(x, fresh(w)), bias));
  },
  predict({ name }) {
    const net = network(name, { classes: 10 });
    const state = initNetwork(net, { seed: 0 });
    const x = random([1, 28, 28, 1]);
    return () => applyNetwork(net, state, x);
  },
  convolution({ batch, size, inputs, outputs, kernel, part }) {
    const x = random([batch, size, size, inputs]);
    const filter = random([kernel, kernel, inputs, outputs], 2);
    const dy = random([batch, size, size, outputs], 3);
    const attrs = { strides: [1, 1], pad: "same", dataFormat: "NHWC" };
    const run = (name, tensors, more) => tf.engine().runKernel(name, tensors, { ...attrs, ...more });
    if (part === "forward") return () => tf.conv2d(x, fresh(filter), 1, "same");
    if (part === "filter") {
      return () => run("Conv2DBackpropFilter", { x, dy: fresh(dy) }, { filterShape: filter.shape });
    }
    return () => run("Conv2DBackpropInput", { dy, filter: fresh(filter) }, { inputShape: x.shape });
  },
};

const stepsOf = {
  cnn: ({ name }) => startCnn(name, networks[name]).step,
  lm: startLanguageModel,
};

/** Where the time of a step goes: milliseconds by kernel, without those that it runs itself; the rest is JavaScript. */
async function profile(step) {
  const own = new Map();
  const inner = [0];
  const configs = tf.getKernelsForBackend("wasm");
  const plain = configs.map(({ kernelFunc }) => kernelFunc);
  for (const config of configs) {
    const { kernelName, kernelFunc } = config;
    config.kernelFunc = (args) => {
      inner.push(0);
      const begin = performance.now();
      const outputs = kernelFunc(args);
      const time = performance.now() - begin;
      own.set(kernelName, (own.get(kernelName) ?? 0) + time - inner.pop());
      inner[inner.length - 1] += time;
      return outputs;
    };
  }
  const steps = 5;
  let all = 0;
  for (let i = 0; i < steps; i++) all += await step();
  for (const [i, config] of configs.entries()) config.kernelFunc = plain[i];
  const kernels = [...own].sort(([, a], [, b]) => b - a).slice(0, 8);
  const rest = all - [...own.values()].reduce((sum, time) => sum + time, 0);
  return [...kernels, ["JavaScript", rest]].map(([name, time]) => [name, time / steps]);
}

/** Answers each line, the name of a case, with milliseconds; `NaN` where it cannot. */
async function serve(configuration) {
  tf.env().set("PROD", true); // no advertisement of tfjs on the console
  installGradients();
  if (configuration.stock !== true) await enableWasmTraining(configuration);
  await tf.setBackend("wasm");
  const started = new Map();
  process.stdout.write("ready\n");
  for await (const asked of createInterface({ input: process.stdin })) {
    const [line, wantsProfile] = asked.split("\t");
    if (wantsProfile !== undefined) {
      process.stdout.write(`${JSON.stringify(await profile(started.get(line)))}\n`);
      continue;
    }
    const { kind, sizes } = { ...cases, ...small }[line] ?? {};
    let time = Number.NaN;
    try {
      if (!started.has(line)) started.set(line, (stepsOf[kind] ?? calls[kind])(sizes));
      if (kind in stepsOf) time = await started.get(line)();
      else {
        const begin = performance.now();
        for (let i = 0; i < (line in small ? 20 : 1); i++) tf.dispose(tf.tidy(started.get(line)));
        time = performance.now() - begin;
      }
    } catch {
      // Stock tfjs lacks the kernel.
    }
    process.stdout.write(`${time}\n`);
  }
}

/** Answers of a process in milliseconds. */
async function timed(starting) {
  const peer = await starting;
  return (
    peer && {
      ask: async (line) => Number(await peer.ask(line)),
      profile: async (line) => JSON.parse(await peer.ask(`${line}\tprofile`)),
      stop: peer.stop,
    }
  );
}

const ours = (configuration) =>
  timed(startPeer(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(configuration)]));

/** What PyTorch is asked for each kind of case: milliseconds with a number of threads. */
async function startPeers(chosen) {
  const given = Object.entries(chosen).filter(([, { kind }]) => kind in calls);
  const list = Object.fromEntries(given.map(([, { kind, sizes }], i) => [`case${i}`, [kind, sizes]]));
  const names = new Map(given.map(([name], i) => [name, `case${i}`]));
  const plain = await timed(startPython("companion.py", list));
  if (plain === null) return null;
  const cnn = await startCnnPeer();
  const lms = new Map();
  return {
    async time(name, { kind, sizes }, threads) {
      if (kind === "cnn") return cnn.step(sizes.name, threads);
      if (kind !== "lm") return plain.ask(`${names.get(name)} ${threads}`);
      if (!lms.has(sizes.hidden)) lms.set(sizes.hidden, await startLstmPeer(sizes));
      return lms.get(sizes.hidden).step(threads);
    },
    stop() {
      for (const peer of [plain, cnn, ...lms.values()]) peer.stop();
    },
  };
}

const configurations = {
  two: { threads: 2 },
  one: { threads: 1 },
  composition: { companion: false },
  stock: { stock: true },
};

/** Medians of times and of ratios to the reference of the same round. */
async function measure(name, what, processes, peers) {
  const rounds = [];
  const warmups = 2;
  for (let i = 0; i < warmups + what.pairs; i++) {
    const round = {};
    for (const [key, process] of Object.entries(processes)) {
      const skip = key === "stock" && what.kind in stepsOf;
      round[key] = skip ? Number.NaN : await process.ask(name);
    }
    for (const threads of peers ? [1, 2] : [])
      round[`torch${threads}`] = await peers.time(name, what, threads);
    if (i >= warmups) rounds.push(round);
  }
  const of = (key) => median(rounds.map((round) => round[key]));
  const faster = peers === null ? null : of("torch1") <= of("torch2") ? "torch1" : "torch2";
  const ratio = (key, to) => median(rounds.map((round) => round[key] / round[to]));
  return {
    name,
    two: of("two"),
    one: of("one"),
    composition: of("composition"),
    stock: of("stock"),
    torch: faster === null ? Number.NaN : of(faster),
    torchThreads: faster === null ? null : Number(faster.at(-1)),
    twoOfTorch: faster === null ? Number.NaN : ratio("two", faster),
    oneOfTorch: faster === null ? Number.NaN : ratio("one", faster),
    twoOfComposition: ratio("two", "composition"),
    twoOfStock: ratio("two", "stock"),
    best: Math.min(...rounds.map(({ one }) => one)),
  };
}

/**
 * Best of many: small work is over before a machine's noise comes. At least three seconds, for what takes a few hundred
 * microseconds is compiled for speed only after some thousand calls, and the longer code later.
 */
async function measureSmall(name, processes) {
  const best = { two: Number.POSITIVE_INFINITY, one: Number.POSITIVE_INFINITY, composition: Number.POSITIVE_INFINITY }; // biome-ignore format: one line
  const end = performance.now() + 3000;
  for (let i = 0; i < 40 || (i < 400 && performance.now() < end); i++) {
    for (const key of Object.keys(best)) best[key] = Math.min(best[key], await processes[key].ask(name));
  }
  return { name, two: best.two / 20, one: best.one / 20, composition: best.composition / 20 };
}

/** Keeps what was measured for the README of wasm-training, with GRADLAB_BENCH_WRITE=1. */
function write(measured, smallWork, gigaflops) {
  const [{ model }] = cpus();
  const machine = { processor: model.trim(), processors: cpus().length, node: process.versions.node };
  const file = new URL("../packages/wasm-training/scripts/companion-times.json", import.meta.url);
  const rounded = (_, value) =>
    typeof value !== "number" ? value : Number.isFinite(value) ? Number(value.toPrecision(3)) : null;
  // A run of some cases leaves the others as they were.
  const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { measured: [], small: [] };
  const merged = (before, now) => [
    ...before.map((row) => now.find(({ name }) => name === row.name) ?? row),
    ...now.filter(({ name }) => before.every((row) => row.name !== name)),
  ];
  const all = {
    ...{ machine, gigaflops: Number.isNaN(gigaflops) ? kept.gigaflops : gigaflops },
    ...{ measured: merged(kept.measured, measured), small: merged(kept.small, smallWork) },
  };
  const results = JSON.parse(JSON.stringify(all, rounded));
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

/** Milliseconds with two threads, and how many times as long as each reference. */
export async function run() {
  const wanted = (table) =>
    Object.fromEntries(
      Object.entries(table).filter(([name]) => name.includes(process.env.COMPANION_ONLY ?? "")),
    );
  const [chosen, chosenSmall] = [wanted(cases), wanted(small)];
  const startAll = async () => {
    const processes = {};
    for (const [key, configuration] of Object.entries(configurations))
      processes[key] = await ours(configuration);
    return processes;
  };
  const processes = await startAll();
  const peers = await startPeers(chosen);
  const [measured, smallWork] = [[], []];
  for (const [name, what] of Object.entries(chosen)) {
    const row = await measure(name, what, processes, peers);
    measured.push(what.kind in stepsOf ? { ...row, profile: await processes.two.profile(name) } : row);
  }
  const stopAll = (all) => {
    for (const process of Object.values(all)) process.stop();
  };
  stopAll(processes);
  peers?.stop();
  // Each in processes of its own: trainings that went before make the same calls a third slower, by what is compiled.
  for (const name of Object.keys(chosenSmall)) {
    const fresh = await startAll();
    smallWork.push(await measureSmall(name, fresh));
    stopAll(fresh);
  }
  // What one thread does at best, in the product: the floor of all else.
  const product = measured.find(({ name }) => name === "matMul 1024³");
  const gigaflops = product === undefined ? Number.NaN : (2 * 1024 ** 3) / product.best / 1e6;
  for (const row of measured) row.floor = (2 * chosen[row.name].macs) / gigaflops / 1e6;
  if (process.env.GRADLAB_BENCH_WRITE) write(measured, smallWork, gigaflops);
  const ms = (value) => `${value.toFixed(1)} ms`;
  return [
    ...measured.flatMap((row) => {
      const at = (name, value, reference, ratio) => ({
        name: `${row.name}${name}`,
        value,
        unit: "ms",
        reference,
        ratio,
      });
      const torch = Number.isNaN(row.torch)
        ? "PyTorch is not installed (python3-torch)"
        : `PyTorch, ${row.torchThreads} thread${row.torchThreads === 1 ? "" : "s"} (${ms(row.torch)})`;
      return [
        at(", 2 threads", row.two, torch, row.twoOfTorch),
        at(", 1 thread", row.one, torch, row.oneOfTorch),
        at(", 2 threads", row.two, `composition (${ms(row.composition)})`, row.twoOfComposition),
        ...(Number.isNaN(row.stock) ? [] : [at(", 2 threads", row.two, `stock tfjs (${ms(row.stock)})`, row.twoOfStock)]), // biome-ignore format: one line
        ...(row.profile ?? []).map(([kernel, time]) => ({
          name: `  ${kernel} in it`,
          value: time,
          unit: "ms",
          reference: "the step, 2 threads",
          ratio: time / row.two,
        })),
        at(
          ", 1 thread",
          row.one,
          `floor (${ms(row.floor)} at ${gigaflops.toFixed(0)} GFLOP/s)`,
          row.one / row.floor,
        ),
      ];
    }),
    ...smallWork.flatMap(({ name, two, one, composition }) =>
      Object.entries({ "2 threads": two, "1 thread": one }).map(([threads, value]) => ({
        name: `${name}, ${threads}`,
        value: value * 1000,
        unit: "µs",
        reference: `composition (${(composition * 1000).toFixed(1)} µs)`,
        ratio: value / composition,
      })),
    ),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(JSON.parse(process.argv[2]));
