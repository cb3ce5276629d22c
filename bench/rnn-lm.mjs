/**
 * Training steps of rnn-lm (Adam, clipping, carried state) on wasm, without and with the companion module, beside
 * PyTorch's faster number of threads, in turns; and a thousand words drawn from a model. A process for each, because
 * the companion is chosen before the backend starts. `RNN_LM_HIDDEN=256` measures one size alone.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { generate } from "@gradlab/core";
import { randomStream } from "@gradlab/random";
import { initLanguageModel, sequenceModel } from "@gradlab/rnn-lm";
import { enableWasmTraining } from "@gradlab/wasm-training";
import { enableProdMode, expandDims, setBackend, tensor2d } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import * as layers from "@tensorflow/tfjs-layers";
import { median } from "./interleaved.mjs";
import { shape, startLanguageModel } from "./language-model-step.mjs";
import { startLstmPeer } from "./lstm-lm.mjs";

const pairs = 5;

async function stepTimes({ companion, hidden }) {
  const step = startLanguageModel({ hidden });
  const peer = await startLstmPeer({ hidden });
  const times = { ours: [], 1: [], 2: [] };
  for (let i = -2; i < pairs; i++) {
    const own = await step();
    const others = peer === null ? [] : [await peer.step(1), await peer.step(2)];
    if (i < 0) continue;
    times.ours.push(own);
    for (const [k, time] of others.entries()) times[k + 1].push(time);
  }
  peer?.stop();
  const [layersTime] = await layersTimes(hidden, 1);
  const name = `rnn-lm: LSTM step (E128 H${hidden} V10000 B20 T30, Adam, clip)${companion ? ", companion" : ""}`;
  const value = median(times.ours);
  if (peer === null) return [{ name, value, unit: "ms", reference: "PyTorch is not installed", ratio: null }];
  const faster = median(times[1]) < median(times[2]) ? 1 : 2;
  return [
    {
      name,
      value,
      unit: "ms",
      reference: `PyTorch, ${faster} thread${faster === 1 ? "" : "s"} (${median(times[faster]).toFixed(0)} ms)`,
      ratio: median(times.ours.map((own, i) => own / times[faster][i])),
    },
    {
      name,
      value,
      unit: "ms",
      reference: `tfjs-layers on the same backend (${layersTime.toFixed(0)} ms)`,
      ratio: value / layersTime,
    },
  ];
}

/** The same step by tfjs-layers, whose clipping is by value. */
async function layersTimes(hidden, count) {
  const { vocabulary, embedding, batch, steps } = shape;
  const model = layers.sequential();
  model.add(layers.layers.embedding({ inputDim: vocabulary, outputDim: embedding, inputLength: steps }));
  model.add(
    layers.layers.lstm({ units: hidden, returnSequences: true, recurrentInitializer: "glorotUniform" }),
  );
  model.add(layers.layers.dense({ units: vocabulary, activation: "softmax" }));
  model.compile({ optimizer: "adam", loss: "sparseCategoricalCrossentropy" });
  const ids = tensor2d(
    Array.from({ length: batch * steps }, (_, i) => (i * 7919) % vocabulary),
    [batch, steps],
  );
  const targets = expandDims(ids, 2);
  const times = [];
  for (let i = -1; i < count; i++) {
    const start = performance.now();
    await model.trainOnBatch(ids, targets);
    if (i >= 0) times.push(performance.now() - start);
  }
  model.dispose();
  ids.dispose();
  targets.dispose();
  return times;
}

/** A thousand words from a model of PTB's validation text in size. */
async function sampling() {
  const spec = { cell: "lstm", vocabulary: 6022, embedding: 128, hidden: 256 };
  const model = sequenceModel(spec, initLanguageModel(spec, { seed: 0 }));
  const draw = async () => {
    const start = performance.now();
    const stream = randomStream({ seed: 0, purpose: "bench" });
    for await (const { id } of generate(model, [0], { length: 1000, stream })) void id;
    return performance.now() - start;
  };
  // The first thousand are drawn by code that is being compiled, and take up to twice as long.
  await draw();
  const value = await draw();
  return [
    {
      name: "rnn-lm: 1,000 words drawn (H256 V6022)",
      value,
      unit: "ms",
      reference: "a second",
      ratio: value / 1000,
    },
  ];
}

async function inChild(task) {
  enableProdMode();
  await enableWasmTraining({ companion: task.companion ?? true });
  await setBackend("wasm");
  const rows = task.sampling ? await sampling() : await stepTimes(task);
  process.stdout.write(JSON.stringify(rows), () => process.exit(0));
}

export async function run() {
  const sizes = (process.env.RNN_LM_HIDDEN ?? "256,1024").split(",").map(Number);
  const tasks = [
    ...sizes.flatMap((hidden) => [false, true].map((companion) => ({ hidden, companion }))),
    { sampling: true },
  ];
  const rows = [];
  for (const task of tasks) {
    const child = spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(task)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let text = "";
    for await (const piece of child.stdout) text += piece;
    for (const row of JSON.parse(text)) rows.push({ ...row, ratio: row.ratio ?? Number.NaN });
  }
  return rows;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await inChild(JSON.parse(process.argv[2]));
