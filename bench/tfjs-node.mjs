/**
 * One training step of three networks on TensorFlow's C library (the candidate `tfjs-node`) beside the same step on
 * wasm and in PyTorch, in turns. PyTorch has one and two threads, the faster counts; the library has all processors.
 * Built by `npm run test:tfjs-node`.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { selectBackend } from "@gradlab/backend-select";
import * as tf from "@tensorflow/tfjs-core";
import { networks, startCnn, startCnnPeer } from "./classic-cnns.mjs";
import { median } from "./interleaved.mjs";
import { startLstm, startLstmPeer } from "./lstm-lm.mjs";

const resolveFrom = fileURLToPath(new URL("../node_modules/.gradlab-tfjs-node", import.meta.url));

/** A step on a backend that was opened before. */
async function on(backend, start) {
  await tf.setBackend(backend);
  const step = start();
  return async () => {
    await tf.setBackend(backend);
    return step();
  };
}

async function measure({ title, start, peerStep, pairs, warmups }) {
  const steps = { wasm: await on("wasm", start), tfjsNode: await on("tensorflow", start) };
  const times = { wasm: [], tfjsNode: [], 1: [], 2: [] };
  for (let i = 0; i < warmups + pairs; i++) {
    const round = { tfjsNode: await steps.tfjsNode(), wasm: await steps.wasm() };
    for (const threads of peerStep ? [1, 2] : []) round[threads] = await peerStep(threads);
    if (i < warmups) continue;
    for (const [key, time] of Object.entries(round)) times[key].push(time);
  }
  const value = median(times.tfjsNode);
  const row = (reference, others) => ({
    name: `tfjs-node: ${title}`,
    value,
    unit: "ms",
    reference,
    ratio: others === null ? Number.NaN : median(times.tfjsNode.map((ours, i) => ours / others[i])),
  });
  const rows = [row(`wasm (${median(times.wasm).toFixed(1)} ms)`, times.wasm)];
  if (!peerStep) return [...rows, row("PyTorch is not installed (python3-torch)", null)];
  const better = median(times[2]) <= median(times[1]) ? 2 : 1;
  const [one, two] = [median(times[1]).toFixed(1), median(times[2]).toFixed(1)];
  return [...rows, row(`PyTorch, better of 1 thread (${one} ms) and 2 threads (${two} ms)`, times[better])];
}

/** Milliseconds for a step, and how many times as long as on wasm and in PyTorch. */
export async function run() {
  if (!existsSync(resolveFrom)) {
    const reference = "not built: npm run test:tfjs-node";
    return [{ name: "tfjs-node", value: Number.NaN, unit: "ms", reference, ratio: Number.NaN }];
  }
  tf.env().set("PROD", true); // no advertisement of tfjs on the console
  await selectBackend({ only: "wasm" });
  await selectBackend({ only: "tfjs-node", resolveFrom });
  const rows = [];
  const lstmPeer = await startLstmPeer();
  rows.push(
    ...(await measure({
      title: "LSTM-LM step (E128 H256 V10000 B20 T30, Adam, clip)",
      start: startLstm,
      peerStep: lstmPeer && ((threads) => lstmPeer.step(threads)),
      pairs: 9,
      warmups: 3,
    })),
  );
  lstmPeer?.stop();
  const cnnPeer = await startCnnPeer();
  for (const [name, { batch, size, pairs, warmups }] of Object.entries(networks)) {
    rows.push(
      ...(await measure({
        title: `${name} step, 1x${size}x${size}, batch ${batch}, SGD`,
        start: () => startCnn(name, { batch, size }).step,
        peerStep: cnnPeer && ((threads) => cnnPeer.step(name, threads)),
        pairs,
        warmups,
      })),
    );
  }
  cnnPeer?.stop();
  return rows;
}
