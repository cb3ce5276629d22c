import "@tensorflow/tfjs-backend-cpu";
import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  backend_util,
  conv2d,
  engine,
  env,
  memory,
  type NamedAttrMap,
  setBackend,
  type Tensor,
  type Tensor4D,
  tensor,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { convolutionCosts } from "../src/kernels/convolution-costs.js";
import { window2d } from "../src/window.js";

// Convolutions that are done tap by tap, against the cpu backend.

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining({ companion: false });
  await setBackend("cpu");
});

const wave = (shape: number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)),
    shape,
  );
};

type Shape = [number, number, number, number];
type Pad = number | "same" | "valid" | [[0, 0], [number, number], [number, number], [0, 0]];

/** Largest difference between the backends, over the largest value of cpu. */
async function difference(work: () => Tensor): Promise<number> {
  const results: Float32Array[] = [];
  for (const backend of ["cpu", "wasm"]) {
    await setBackend(backend);
    const out = work();
    results.push((await out.data()) as Float32Array);
    out.dispose();
  }
  const [want, got] = results as [Float32Array, Float32Array];
  expect(got.length).toBe(want.length);
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return got.reduce((worst, value, i) => Math.max(worst, Math.abs(value - want[i]!)), 0) / largest;
}

const cases: { title: string; x: Shape; filter: Shape; stride: number; pad: Pad; dilation?: number }[] = [
  { title: "3x3 images", x: [2, 3, 3, 200], filter: [3, 3, 200, 230], stride: 1, pad: "same" },
  { title: "stride 2", x: [2, 4, 5, 200], filter: [3, 3, 200, 230], stride: 2, pad: 1 },
  { title: "1x1 filters at stride 2", x: [2, 4, 4, 300], filter: [1, 1, 300, 310], stride: 2, pad: "valid" },
  {
    title: "taps that never touch the image",
    x: [3, 1, 2, 90],
    filter: [5, 5, 90, 100],
    stride: 1,
    pad: "same",
  },
  {
    title: "another padding on each side",
    x: [2, 3, 2, 200],
    filter: [3, 2, 200, 230],
    stride: 1,
    pad: [
      [0, 0],
      [2, 0],
      [0, 1],
      [0, 0],
    ],
  },
  { title: "dilation", x: [2, 4, 3, 200], filter: [3, 3, 200, 230], stride: 1, pad: "same", dilation: 2 },
];

for (const { title, x: xShape, filter: filterShape, stride, pad, dilation = 1 } of cases) {
  test(`a convolution by taps and its gradients are those of cpu: ${title}`, async () => {
    const info = backend_util.computeConv2DInfo(xShape, filterShape, stride, dilation, pad as number);
    const window = window2d(info);
    const costs = convolutionCosts(window, info.outChannels);
    // Otherwise this would test something else.
    for (const { taps, ...others } of Object.values(costs)) {
      for (const other of Object.values<number>(others)) expect(taps).toBeLessThan(other);
    }
    const before = memory().numTensors;
    const [x, filter, dy] = [wave(xShape), wave(filterShape, 1), wave(info.outShape, 2)];
    // Both add up at most 9 · 300 products of numbers near 1, in float32: √2,700 roundings of sums as large as the result.
    const tolerance = Math.sqrt(2700) * 2 ** -24;
    const attrs = { strides: [stride, stride], pad, dataFormat: "NHWC" };
    const run = (kernel: string, inputs: Record<string, Tensor>, more: Record<string, unknown>) =>
      engine().runKernel(kernel, inputs, { ...attrs, ...more } as unknown as NamedAttrMap) as Tensor;
    expect(
      await difference(() =>
        conv2d(x as Tensor4D, filter as Tensor4D, stride, pad as "same", "NHWC", dilation),
      ),
    ).toBeLessThan(tolerance);
    // The gradients of a dilated convolution are convolutions again.
    if (dilation === 1) {
      const inputGradient = () => run("Conv2DBackpropInput", { dy, filter }, { inputShape: xShape });
      const filterGradient = () => run("Conv2DBackpropFilter", { x, dy }, { filterShape });
      expect(await difference(inputGradient)).toBeLessThan(tolerance);
      expect(await difference(filterGradient)).toBeLessThan(tolerance);
    }
    for (const t of [x, filter, dy]) t.dispose();
    expect(memory().numTensors).toBe(before);
  });
}
