import v8 from "node:v8";

v8.setFlagsFromString("--experimental-wasm-relaxed-simd");

import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { companionOf, useCompanion } from "./dist/companion/companion.js";
import { enableWasmTraining } from "./dist/index.js";

tf.enableProdMode();
await enableWasmTraining();
await tf.setBackend("wasm");
const r = (s) => tf.randomNormal(s);
const run = (k, i, a) => tf.engine().runKernel(k, i, a);
const A = r([1024, 1024]),
  B = r([1024, 1024]),
  x = r([16, 28, 28, 32]),
  f = r([3, 3, 32, 64]),
  dy = r([16, 28, 28, 64]);
const at = { strides: [1, 1], pad: "same", dataFormat: "NHWC", dilations: [1, 1] };
const x1 = r([128, 28, 28, 1]),
  f1 = r([5, 5, 1, 6]),
  dy1 = r([128, 28, 28, 6]);
const h = r([20, 256]),
  W = r([256, 1024]);
const x3 = r([8, 3, 3, 512]),
  f3 = r([3, 3, 512, 512]),
  dy3 = r([8, 3, 3, 512]);
const x4 = r([8, 96, 96, 3]),
  f4 = r([7, 7, 3, 64]),
  dy4 = r([8, 48, 48, 64]);
const at4 = { ...at, strides: [2, 2] };
const small = r([8, 8]),
  s32 = r([32, 32]);
const cases = {
  mm1024: () => tf.matMul(A, B),
  mmTA: () => tf.matMul(A, B, true),
  mmTB: () => tf.matMul(A, B, false, true),
  lstm: () => tf.matMul(h, W),
  mm8: () => tf.matMul(small, small),
  mm32: () => tf.matMul(s32, s32),
  conv: () => run("Conv2D", { x, filter: f }, at),
  convF: () => run("Conv2DBackpropFilter", { x, dy }, { ...at, filterShape: f.shape }),
  convI: () => run("Conv2DBackpropInput", { dy, filter: f }, { ...at, inputShape: x.shape }),
  lenet: () => run("Conv2D", { x: x1, filter: f1 }, at),
  lenetF: () => run("Conv2DBackpropFilter", { x: x1, dy: dy1 }, { ...at, filterShape: f1.shape }),
  deep: () => run("Conv2D", { x: x3, filter: f3 }, at),
  deepF: () => run("Conv2DBackpropFilter", { x: x3, dy: dy3 }, { ...at, filterShape: f3.shape }),
  deepI: () => run("Conv2DBackpropInput", { dy: dy3, filter: f3 }, { ...at, inputShape: x3.shape }),
  stem: () => run("Conv2D", { x: x4, filter: f4 }, at4),
  stemF: () => run("Conv2DBackpropFilter", { x: x4, dy: dy4 }, { ...at4, filterShape: f4.shape }),
};
for (const [name, fn] of Object.entries(cases)) {
  if (process.argv[2] && !name.match(process.argv[2])) continue;
  const best = [1e9, 1e9];
  for (const c of [0, 1]) {
    useCompanion(!!c);
    fn().dispose();
  }
  const t1 = performance.now();
  fn().dispose();
  const reps = Math.max(1, Math.round(3 / (performance.now() - t1)));
  const t0 = performance.now();
  while (performance.now() - t0 < 1500)
    for (const c of [0, 1]) {
      useCompanion(!!c);
      const t = performance.now();
      for (let i = 0; i < reps; i++) fn().dispose();
      best[c] = Math.min(best[c], (performance.now() - t) / reps);
    }
  console.log(
    name.padEnd(8),
    best[0].toFixed(3),
    best[1].toFixed(3),
    "ratio",
    (best[0] / best[1]).toFixed(2),
  );
}
