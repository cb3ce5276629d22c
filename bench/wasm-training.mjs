/**
 * What the kernels of wasm-training cost, on the wasm backend, in ratios of
 * medians over interleaved pairs: both halves of a pair see the same machine.
 */
import { pathToFileURL } from "node:url";
import { enableWasmTraining } from "@gradlab/wasm-training";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-wasm";

const pairs = 15;

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

let spacing = 1;

/** The time of one call; every call finds the heap a little different, for some addresses suit the cache badly. */
function milliseconds(f) {
  spacing = (spacing * 48271) % 2147483647;
  const spacer = tf.zeros([1 + (spacing % 60000)]);
  const start = performance.now();
  tf.dispose(tf.tidy(f));
  const elapsed = performance.now() - start;
  spacer.dispose();
  return elapsed;
}

/** Times `f` and `reference` in turn; `ratio` is the median of the ratios of the pairs. */
function compare(name, reference, f, g) {
  for (let i = 0; i < 3; i++) [g, f].forEach(milliseconds);
  const times = Array.from({ length: pairs }, (_, i) => {
    if (i % 2) return [milliseconds(f), milliseconds(g)];
    const other = milliseconds(g);
    return [milliseconds(f), other];
  });
  return {
    name,
    value: median(times.map(([ours]) => ours)),
    unit: "ms",
    reference,
    ratio: median(times.map(([ours, other]) => ours / other)),
  };
}

const fill = (...shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 7) + 0.3 * i)),
    shape,
  );
};

/** In training a weight is new in every step, so that nothing packed for the last one can be used again. */
const fresh = (x) => tf.mul(x, 1);

/** @returns {Promise<{name: string, value: number, unit: string, reference: string, ratio: number}[]>} */
export async function run() {
  const stock = tf.getKernel("Conv2D", "wasm").kernelFunc;
  await enableWasmTraining();
  await tf.setBackend("wasm");
  const rows = [];

  const x = fill(16, 28, 28, 32);
  const filter = fill(3, 3, 32, 64);
  const dy = fill(16, 28, 28, 64);
  const attrs = { strides: [1, 1], pad: "same", dataFormat: "NHWC" };
  const forward = () => tf.conv2d(x, fresh(filter), 1, "same");
  const stockForward = () => {
    const inputs = { x, filter: fresh(filter) };
    const { dataId, shape, dtype } = stock({
      inputs,
      backend: tf.backend(),
      attrs: { ...attrs, dilations: [1, 1] },
    });
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
  };
  const filterGradient = () =>
    tf
      .engine()
      .runKernel("Conv2DBackpropFilter", { x, dy: fresh(dy) }, { ...attrs, filterShape: filter.shape });
  const inputGradient = () => {
    const inputs = { dy, filter: fresh(filter) };
    return tf.engine().runKernel("Conv2DBackpropInput", inputs, { ...attrs, inputShape: x.shape });
  };
  const conv = "conv 3x3 16x28x28x32→64";
  rows.push(compare(`${conv}, forward`, "the same in stock tfjs", forward, stockForward));
  rows.push(compare(`${conv}, filter gradient`, "its forward pass", filterGradient, forward));
  rows.push(compare(`${conv}, input gradient`, "its forward pass", inputGradient, forward));
  tf.dispose([x, filter, dy]);

  const a = fill(1024, 1024);
  const b = fill(1024, 1024);
  const product = (transposeA, transposeB) => () => tf.matMul(a, fresh(b), transposeA, transposeB);
  const plain = product(false, false);
  rows.push(compare("matMul 1024³, first transposed", "neither transposed", product(true, false), plain));
  rows.push(compare("matMul 1024³, second transposed", "neither transposed", product(false, true), plain));
  rows.push(compare("matMul 1024³, both transposed", "neither transposed", product(true, true), plain));
  tf.dispose([a, b]);
  return rows;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) console.table(await run());
