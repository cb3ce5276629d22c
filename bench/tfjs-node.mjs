/**
 * One training step of three networks on TensorFlow's C library (the candidate `tfjs-node`) beside the same step on
 * wasm and in PyTorch, in turns. PyTorch has one and two threads, the faster counts; the library has all processors.
 * Built by `npm run test:tfjs-node`. `GRADLAB_BENCH_WRITE=1 npm run bench tfjs-node`, then `npm test -- readmes -u`, write
 * the table in backend-select's README anew.
 */
import { existsSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
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

async function measure({ network, title, start, peerStep, pairs, warmups }) {
  const steps = { wasm: await on("wasm", start), tfjsNode: await on("tensorflow", start) };
  const times = { wasm: [], tfjsNode: [], 1: [], 2: [] };
  for (let i = 0; i < warmups + pairs; i++) {
    const round = { tfjsNode: await steps.tfjsNode(), wasm: await steps.wasm() };
    for (const threads of peerStep ? [1, 2] : []) round[threads] = await peerStep(threads);
    if (i < warmups) continue;
    for (const [key, time] of Object.entries(round)) times[key].push(time);
  }
  const of = (others) => median(times.tfjsNode.map((ours, i) => ours / others[i]));
  const milliseconds = median(times.tfjsNode);
  const row = (reference, ratio) => ({
    name: `tfjs-node: ${title}`,
    value: milliseconds,
    unit: "ms",
    reference,
    ratio,
  });
  const wasm = row(`wasm (${median(times.wasm).toFixed(1)} ms)`, of(times.wasm));
  const seen = { network, milliseconds, ofWasm: of(times.wasm) };
  if (!peerStep) {
    return { rows: [wasm, row("PyTorch is not installed (python3-torch)", Number.NaN)], seen };
  }
  const better = median(times[2]) <= median(times[1]) ? 2 : 1;
  const [one, two] = [median(times[1]).toFixed(1), median(times[2]).toFixed(1)];
  const reference = `PyTorch, better of 1 thread (${one} ms) and 2 threads (${two} ms)`;
  return {
    rows: [wasm, row(reference, of(times[better]))],
    seen: { ...seen, ofPyTorch: of(times[better]) },
  };
}

/** Keeps what was measured for the README of backend-select, with GRADLAB_BENCH_WRITE=1. */
function write(networks) {
  const [{ model }] = cpus();
  const machine = { processor: model.trim(), processors: cpus().length, node: process.versions.node };
  const tensorflow = tf.backend().binding.TF_Version;
  const file = new URL("../packages/backend-select/scripts/node-steps.json", import.meta.url);
  const rounded = (_, value) => (Number.isFinite(value) ? Number(value.toPrecision(3)) : value);
  const results = networks.map((network) => JSON.parse(JSON.stringify(network, rounded)));
  writeFileSync(file, `${JSON.stringify({ machine, tensorflow, networks: results }, null, 2)}\n`);
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
  const measured = [];
  const lstmPeer = await startLstmPeer();
  measured.push(
    await measure({
      network: "LSTM-LM",
      title: "LSTM-LM step (E128 H256 V10000 B20 T30, Adam, clip)",
      start: startLstm,
      peerStep: lstmPeer && ((threads) => lstmPeer.step(threads)),
      pairs: 9,
      warmups: 3,
    }),
  );
  lstmPeer?.stop();
  const cnnPeer = await startCnnPeer();
  for (const [name, { batch, size, pairs, warmups }] of Object.entries(networks)) {
    measured.push(
      await measure({
        network: name,
        title: `${name} step, 1x${size}x${size}, batch ${batch}, SGD`,
        start: () => startCnn(name, { batch, size }).step,
        peerStep: cnnPeer && ((threads) => cnnPeer.step(name, threads)),
        pairs,
        warmups,
      }),
    );
  }
  cnnPeer?.stop();
  if (process.env.GRADLAB_BENCH_WRITE) write(measured.map(({ seen }) => seen));
  return measured.flatMap(({ rows }) => rows);
}
