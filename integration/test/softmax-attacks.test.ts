import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Classifier,
  layersClassifier,
  pixelOptimization,
  runAttack,
  withPreprocessing,
} from "@gradlab/attacks";
import { installGradients } from "@gradlab/core";
import { preprocessImageNet } from "@gradlab/datasets";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import { type LayersModel, loadLayersModel, model } from "@tensorflow/tfjs-layers";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { wasmMode } from "../training/wasm-mode.js";

const folder = process.env.GRADLAB_DATA;
const names = ["lion", "lizard", "scorpion", "snake", "tiger"] as const;
const targets = [5, 10, 15] as const;

beforeAll(async () => {
  tf.env().set("PROD", true); // no advertisement on the console
  installGradients();
  await enableWasmTraining(wasmMode());
  await tf.setBackend("wasm");
});

/** MobileNet v1 0.25 of the data folder: images in [-1, 1] to probabilities. */
async function mobileNet(): Promise<LayersModel> {
  const read = (name: string) => readFileSync(join(folder!, "models/mobilenet-v1-025-224", name));
  const { modelTopology, weightsManifest } = JSON.parse(read("model.json").toString());
  const groups: { paths: string[]; weights: tf.io.WeightsManifestEntry[] }[] = weightsManifest;
  const bytes = Buffer.concat(groups.flatMap(({ paths }) => paths.map(read)));
  return await loadLayersModel(
    tf.io.fromMemory({
      modelTopology,
      weightSpecs: groups.flatMap(({ weights }) => weights),
      weightData: Uint8Array.from(bytes).buffer,
    }),
  );
}

/** The five photographs, three times each, in [0, 1]. */
async function photographs(): Promise<tf.Tensor4D> {
  const rows: Float32Array[] = [];
  for (const name of names) {
    const { data, info } = await sharp(`${folder}/images/${name}.jpg`)
      .raw()
      .toBuffer({ resolveWithObject: true });
    const image = preprocessImageNet({ width: info.width, height: info.height, data }, { moments: null });
    rows.push(Float32Array.from(image.data));
  }
  return tf.tidy(
    () => tf.stack(rows.flatMap((row) => targets.map(() => tf.tensor3d(row, [224, 224, 3])))) as tf.Tensor4D,
  );
}

/** What a classifier lets the classic attack come to: Adam 0.005 on pixels from 0 to 1, at most 29 steps. */
async function driven(classifier: Classifier, x: tf.Tensor, labels: readonly number[]) {
  const unit = withPreprocessing(classifier, { mean: 0.5, std: 0.5 });
  const attack = pixelOptimization({ learningRate: 0.005, steps: 29 });
  const aims = labels.map((_, i) => targets[i % targets.length]!);
  const { samples, preflight, adversarial } = await runAttack(unit, attack, x, labels, { targets: aims });
  adversarial.dispose();
  return { reached: samples.filter(({ success }) => success).length, preflight: preflight! };
}

test.skipIf(!folder)(
  "a cross-entropy of MobileNet's probabilities leaves targets unreached, and the look before the attack says why",
  async () => {
    const whole = await mobileNet();
    const x = await photographs();
    const byLogits = layersClassifier(whole, { model: model as never, bounds: [-1, 1] });
    const byProbabilities: Classifier = {
      ...byLogits,
      logits: (images) => whole.predict(images as tf.Tensor) as tf.Tensor,
    };
    const probabilities = tf.tidy(() => whole.predict(tf.sub(tf.mul(x, 2), 1)) as tf.Tensor2D);
    const rows = (await probabilities.array()) as number[][];
    probabilities.dispose();
    const labels = rows.map((row) => row.indexOf(Math.max(...row)));
    // Whatever the target, with 1000 probabilities the loss is between log(e + 999) - 1 and log(e + 999).
    const most = Math.log(Math.E + 999);
    for (const [i, row] of rows.entries()) {
      const sum = row.reduce((total, value) => total + Math.exp(value), 0);
      const loss = Math.log(sum) - row[targets[i % targets.length]!]!;
      expect(loss).toBeGreaterThan(most - 1);
      expect(loss).toBeLessThanOrEqual(most + 1e-6);
    }
    const [right, wrong] = [await driven(byLogits, x, labels), await driven(byProbabilities, x, labels)];
    expect([right.reached, right.preflight.warnings]).toEqual([15, []]);
    expect(wrong.preflight.warnings.map(({ kind }) => kind)).toEqual(["softmax"]);
    // 8 here. Known for this rate and number of steps are 11, from a program whose α and range of pixels are not: 14 are
    // reached with α = 0, and 6 with pixels from -1 to 1. Three targets are for processors that round in another way.
    expect(Math.abs(wrong.reached - 8)).toBeLessThanOrEqual(3);
    whole.dispose();
    x.dispose();
  },
  240_000,
);
