/**
 * What PGD costs beside the forward and backward passes that it needs, on wasm in one run; and beside torchattacks in
 * PyTorch on the processor, where GRADLAB_TORCHATTACKS names a folder with its package (for /usr/bin/python3).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { pgd, runAttack } from "@gradlab/attacks";
import { initNetwork, network, networkClassifier } from "@gradlab/classic-cnns";
import { crossEntropy } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";
import { median } from "./interleaved.mjs";

const IMAGES = 200;
const STEPS = 40;
const PAIRS = 7;

/** Milliseconds of processor, which other load on the machine does not stretch. */
async function workOf(task) {
  const before = process.cpuUsage();
  await task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

export async function run() {
  tf.env().set("PROD", true);
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const graph = network("lenet-relu", { inputSize: 28, channels: 1, classes: 10 });
  const classifier = networkClassifier(graph, initNetwork(graph, { seed: 0 }));
  const x = tf.randomUniform([IMAGES, 28, 28, 1], 0, 1, "float32", 1);
  const labels = tf.tidy(() => tf.argMax(classifier.logits(x), 1));
  const attack = pgd({ steps: STEPS });
  // No image is ever found, so that all steps are done for all images.
  const options = { epsilon: 0.1, batchSize: IMAGES, preflight: false, criterion: () => false };
  const ours = async () => (await runAttack(classifier, attack, x, labels, options)).adversarial.dispose();
  const passes = () => {
    const loss = tf.grad((images) => crossEntropy(classifier.logits(images), labels, { reduction: "sum" }));
    for (let k = 0; k < STEPS; k++) loss(x).dispose();
    // The first look at the images, and the last.
    for (let k = 0; k < 2; k++) classifier.logits(x).dispose();
  };
  const times = [];
  const walls = [];
  for (let i = -2; i < PAIRS; i++) {
    const started = performance.now();
    const own = await workOf(ours);
    const wall = performance.now() - started;
    const bare = await workOf(passes);
    if (i < 0) continue;
    times.push([own, bare]);
    walls.push(wall);
  }
  const rows = [
    {
      name: `pgd, ${IMAGES} images, ${STEPS} steps, lenet-relu, wasm`,
      value: median(times.map(([own]) => own)),
      unit: "ms of cpu",
      reference: "its own forward and backward passes",
      ratio: median(times.map(([own, bare]) => own / bare)),
    },
  ];
  const peer = torchattacks();
  if (peer !== null) {
    rows.push({
      name: "the same, beside torchattacks",
      value: median(walls),
      unit: "ms",
      reference: `torchattacks ${peer.version}, torch ${peer.torch}, ${peer.milliseconds.toFixed(0)} ms`,
      ratio: median(walls) / peer.milliseconds,
    });
  }
  return rows;
}

function torchattacks() {
  const folder = process.env.GRADLAB_TORCHATTACKS;
  if (!folder) return null;
  const script = fileURLToPath(new URL("attacks.py", import.meta.url));
  const env = { ...process.env, PYTHONPATH: folder };
  const { stdout } = spawnSync("/usr/bin/python3", [script, `${IMAGES}`, `${STEPS}`], {
    encoding: "utf8",
    env,
  });
  return stdout ? JSON.parse(stdout) : null;
}
