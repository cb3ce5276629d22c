/**
 * Attention on wasm:
 *
 * - forward and backward of a transformer block (and reading the loss), by the composition of kernels and with the companion
 *   module of wasm-training, each beside PyTorch in turns (a process of its own; the better of one and two threads
 *   counts) and beside the same block written with plain tfjs ops, which the same kernels compute;
 * - the peak memory of one attention with its gradient, all scores at once and keys in chunks.
 *
 * - multi-head attention alone, beside that of tfjs-layers: which it does not export, so that it is bundled out of its
 *   files, and which trains only with the gradients of core.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  attend,
  attendInChunks,
  initMultiHeadAttention,
  initTransformerBlock,
  multiHeadAttention,
  transformerBlock,
} from "@gradlab/attention";
import { disposeParams, installGradients, lossAndGradients } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { build } from "esbuild";
import { median } from "./interleaved.mjs";
import { startPython } from "./peer.mjs";

const sizes = { batch: 8, tokens: 128, width: 128, heads: 4 };
const { pairs, warmups } = { pairs: Number(process.env.GRADLAB_BENCH_PAIRS ?? 15), warmups: 4 };

/** Milliseconds of forward, backward and the reading of the loss. */
async function timed(params, x, block) {
  const start = performance.now();
  const { loss, gradients } = lossAndGradients({ params, x }, (state) =>
    tf.mean(tf.square(block(state.params, state.x))),
  );
  await loss.data();
  loss.dispose();
  disposeParams(gradients);
  return performance.now() - start;
}

/** The block as it is usually written: softmax, norms and GELU of plain ops, nothing kept back. */
function plainBlock({ attentionNorm, attention, feedForwardNorm, feedForward }, x) {
  const { batch, tokens, width, heads } = sizes;
  const norm = ({ scale, offset }, y) => {
    const { mean, variance } = tf.moments(y, -1, true);
    return tf.add(tf.mul(tf.div(tf.sub(y, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), offset);
  };
  const dense = ({ kernel, bias }, y) => {
    const rows = tf.matMul(tf.reshape(y, [batch * tokens, kernel.shape[0]]), kernel);
    return tf.reshape(tf.add(rows, bias), [batch, tokens, kernel.shape[1]]);
  };
  const split = (y) => tf.transpose(tf.reshape(y, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  const y = norm(attentionNorm, x);
  const [q, k, v] = ["query", "key", "value"].map((name) => split(dense(attention[name], y)));
  const weights = tf.softmax(tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads)));
  const mixed = tf.reshape(tf.transpose(tf.matMul(weights, v), [0, 2, 1, 3]), [batch, tokens, width]);
  const z = tf.add(x, dense(attention.output, mixed));
  const [first, second] = feedForward.layers;
  const u = dense(first, norm(feedForwardNorm, z));
  const activated = tf.mul(tf.mul(u, 0.5), tf.add(tf.erf(tf.div(u, Math.SQRT2)), 1));
  return tf.add(z, dense(second, activated));
}

async function startTorch() {
  const peer = await startPython("attention.py", sizes);
  return peer && { step: async (threads) => Number(await peer.ask(threads)), stop: peer.stop };
}

/** Rows of the block, with the companion module or without. */
async function measureBlock(companion) {
  installGradients();
  const { threads } = await enableWasmTraining({ companion });
  await tf.setBackend("wasm");
  const params = initTransformerBlock(sizes);
  const x = tf.randomNormal([sizes.batch, sizes.tokens, sizes.width], 0, 1, "float32", 7);
  const ours = (given, y) => transformerBlock(given, y, { heads: sizes.heads });
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(ours(params, x), plainBlock(params, x)))));
  if (!((await difference.data())[0] < 1e-3)) throw new Error("bench: the two blocks differ");
  const peer = await startTorch();
  const times = { ours: [], plain: [], 1: [], 2: [] };
  // The second of two each: the first finds the caches of the one before.
  const second = async (step) => {
    await step();
    return step();
  };
  for (let i = 0; i < warmups + pairs; i++) {
    const own = await second(() => timed(params, x, ours));
    const plain = await second(() => timed(params, x, plainBlock));
    const theirs = peer ? [await second(() => peer.step(1)), await second(() => peer.step(2))] : [];
    if (i < warmups) continue;
    times.ours.push(own);
    times.plain.push(plain);
    for (const [k, time] of theirs.entries()) times[k + 1].push(time);
  }
  peer?.stop();
  const value = median(times.ours);
  const { batch, tokens, width, heads } = sizes;
  const how = companion ? `companion module, ${threads} threads` : "composition";
  const name = `block, batch ${batch}, T ${tokens}, D ${width}, ${heads} heads, ${how}`;
  const row = (reference, ratio) => ({ name, value, unit: "ms", reference, ratio });
  const rows = [];
  if (peer === null) rows.push(row("PyTorch is not installed (python3-torch)", Number.NaN));
  else {
    const better = median(times[2]) <= median(times[1]) ? 2 : 1;
    const [one, two] = [median(times[1]).toFixed(1), median(times[2]).toFixed(1)];
    const reference = `PyTorch, better of 1 thread (${one} ms) and 2 threads (${two} ms)`;
    rows.push(row(reference, median(times.ours.map((own, i) => own / times[better][i]))));
  }
  const plain = `plain tfjs ops on the same kernels (${median(times.plain).toFixed(1)} ms)`;
  rows.push(row(plain, median(times.ours.map((own, i) => own / times.plain[i]))));
  return rows;
}

/** The class in the files of tfjs-layers; its own copy of tfjs-core finds the engine that is there. */
async function layersAttention() {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-bench-"));
  try {
    const outfile = join(folder, "layers.cjs");
    const contents = `import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js";
      export { MultiHeadAttention } from "@tensorflow/tfjs-layers/dist/layers/nlp/multihead_attention.js";`;
    await build({
      stdin: { contents, resolveDir: dirname(fileURLToPath(import.meta.url)) },
      ...{ outfile, bundle: true, format: "cjs", platform: "node", mainFields: ["module", "main"] },
      logLevel: "silent",
    });
    const { MultiHeadAttention } = createRequire(import.meta.url)(outfile);
    const { width, heads } = sizes;
    return new MultiHeadAttention({ numHeads: heads, keyDim: width / heads });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Multi-head attention alone, forward and backward, beside that of tfjs-layers. */
async function measureLayers() {
  installGradients();
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const { batch, tokens, width, heads } = sizes;
  const x = tf.randomNormal([batch, tokens, width], 0, 1, "float32", 7);
  const params = initMultiHeadAttention({ width, heads });
  const theirs = await layersAttention();
  theirs.call(x, { value: x }).dispose(); // makes the weights
  const theirStep = async () => {
    const start = performance.now();
    // Of all variables, which are theirs.
    const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(theirs.call(x, { value: x }))));
    await value.data();
    tf.dispose([value, grads]);
    return performance.now() - start;
  };
  const times = { ours: [], theirs: [] };
  for (let i = 0; i < warmups + pairs; i++) {
    const own = await timed(params, x, (given, y) => multiHeadAttention(given, y, { heads }));
    const other = await theirStep();
    if (i < warmups) continue;
    times.ours.push(own);
    times.theirs.push(other);
  }
  return [
    {
      name: `attention alone, batch ${batch}, T ${tokens}, D ${width}, ${heads} heads`,
      value: median(times.ours),
      unit: "ms",
      reference: `tfjs-layers with core's gradients, without that of x (${median(times.theirs).toFixed(1)} ms)`,
      ratio: median(times.ours.map((own, i) => own / times.theirs[i])),
    },
  ];
}

/** Peaks of one head with its gradient; the ratio is that of keys in chunks to all scores at once. */
async function measurePeaks() {
  installGradients();
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const rows = [];
  for (const t of [256, 512, 1024, 2048, 4096]) {
    const inputs = [0, 1, 2].map((i) => tf.randomNormal([1, 1, t, 32], 0, 1, "float32", i + 1));
    const peakOf = async (f) => {
      const { peakBytes } = await tf.profile(() => {
        tf.dispose(tf.grads((q, k, v) => tf.sum(f(q, k, v)))(inputs));
        return tf.zeros([1]);
      });
      return peakBytes;
    };
    const [plain, chunks] = [await peakOf(attend), await peakOf(attendInChunks)];
    tf.dispose(inputs);
    rows.push({
      name: `peak memory, keys in chunks of 64, T ${t}`,
      value: chunks / 1e6,
      unit: "MB",
      reference: `all scores at once, ${(plain / 1e6).toFixed(1)} MB`,
      ratio: chunks / plain,
    });
  }
  return rows;
}

const measures = {
  composition: () => measureBlock(false),
  companion: () => measureBlock(true),
  layers: measureLayers,
  peaks: measurePeaks,
};

/** Each in a process of its own: the companion module starts its threads before the backend. */
export async function run() {
  const self = fileURLToPath(import.meta.url);
  return Object.keys(measures).flatMap((name) =>
    JSON.parse(
      execFileSync(process.execPath, [self, name], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      }),
    ),
  );
}

const [, file, wanted] = process.argv;
if (file === fileURLToPath(import.meta.url)) {
  tf.env().set("PROD", true); // no advertisement of tfjs on the console
  process.stdout.write(JSON.stringify(await measures[wanted]()), () => process.exit(0));
}
