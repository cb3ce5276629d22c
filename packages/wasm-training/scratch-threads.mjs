import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { enableWasmTraining } from "./dist/index.js";

tf.enableProdMode();
const t0 = performance.now();
const r = await enableWasmTraining({ threads: +process.argv[2] || 1 });
console.log(r);
await tf.setBackend("wasm");
console.log("start", performance.now() - t0, tf.backend().wasm.HEAPU8.buffer.constructor.name);
const a = tf.randomUniform([1024, 1024], -1, 1, "float32", 1),
  b = tf.randomUniform([1024, 1024], -1, 1, "float32", 2);
tf.matMul(a, b).dispose();
await new Promise((f) => setTimeout(f, 200));
let best = 1e9;
for (let i = 0; i < 20; i++) {
  const t = performance.now();
  const c = tf.matMul(a, b);
  best = Math.min(best, performance.now() - t);
  if (i < 19) c.dispose();
  else {
    const d = await c.data();
    let h = 0;
    const u = new Uint32Array(d.buffer);
    for (const x of u) h = (h * 31 + x) >>> 0;
    console.log("hash", h);
  }
}
console.log("best", best.toFixed(1));
const small = tf.randomUniform([20, 256]),
  w = tf.randomUniform([256, 1024]);
best = 1e9;
for (let i = 0; i < 200; i++) {
  const t = performance.now();
  tf.matMul(small, w).dispose();
  best = Math.min(best, performance.now() - t);
}
console.log("lstm", best.toFixed(3));
console.log("listeners", process.listenerCount("uncaughtException"), typeof globalThis.Worker);
const e = performance.now();
process.on("exit", () => console.log("exit"));
