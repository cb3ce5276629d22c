import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  add,
  engine,
  env,
  matMul,
  memory,
  type NamedAttrMap,
  setBackend,
  slice,
  type Tensor,
  tensor,
  tidy,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";

// Small cases fit in one block of the kernels' scratch; these do not.

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining({ companion: false });
  await setBackend("wasm");
});

const wave = (shape: number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(1.7 * i * (i % 101) + 0.3 * i + phase)),
    shape,
  );
};

const run = (kernel: string, inputs: Record<string, Tensor>, attrs: Record<string, unknown>) =>
  engine().runKernel(kernel, inputs, attrs as unknown as NamedAttrMap) as Tensor;

const image = (x: Tensor, b: number) =>
  slice(x, [b, ...x.shape.slice(1).map(() => 0)], [1, ...x.shape.slice(1)]);

async function expectClose(got: Tensor, want: ArrayLike<number>, tolerance: number): Promise<void> {
  const values = Array.from(await got.data());
  const scale = Array.from(want).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  expect(values.length).toBe(want.length);
  const error = values.reduce((worst, value, i) => Math.max(worst, Math.abs(value - want[i]!)), 0);
  expect(error / scale).toBeLessThan(tolerance);
  got.dispose();
}

// 7 images of 40x40 with 16 channels under 3x3: an image in a block at stride 1, four at stride 2.
for (const [name, stride, size] of [
  ["at stride 1", 1, 40],
  ["at stride 2", 2, 20],
] as const) {
  const attrs = { strides: [stride, stride], pad: "same", dataFormat: "NHWC" };

  test(`the filter gradient of a batch ${name} is the sum of those of its images`, async () => {
    const before = memory().numTensors;
    const x = wave([7, 40, 40, 16]);
    const dy = wave([7, size, size, 8], 1);
    const of = (p: Tensor, q: Tensor) =>
      run("Conv2DBackpropFilter", { x: p, dy: q }, { ...attrs, filterShape: [3, 3, 16, 8] });
    const sum = tidy(() =>
      Array.from({ length: 7 }, (_, b) => of(image(x, b), image(dy, b))).reduce((p, q) => add(p, q)),
    );
    // Two orders of adding up 11,200 products in float32: √11,200 roundings of sums as large as the result.
    await expectClose(of(x, dy), await sum.data(), Math.sqrt(11_200) * 2 ** -24);
    for (const t of [x, dy, sum]) t.dispose();
    expect(memory().numTensors).toBe(before);
  });

  test(`the input gradient of a batch ${name} is that of each of its images`, async () => {
    const before = memory().numTensors;
    const filter = wave([3, 3, 64, 32]);
    const dy = wave([7, size, size, 32], 1);
    const of = (q: Tensor, batch: number) =>
      run("Conv2DBackpropInput", { dy: q, filter }, { ...attrs, inputShape: [batch, 40, 40, 64] });
    const whole = of(dy, 7);
    for (let b = 0; b < 7; b++) {
      const [one, part] = tidy(() => [of(image(dy, b), 1), image(whole, b)]);
      await expectClose(part!, await one!.data(), 1e-6);
      one!.dispose();
    }
    for (const t of [filter, dy, whole]) t.dispose();
    expect(memory().numTensors).toBe(before);
  });
}

for (const [transposeA, transposeB] of [
  [true, false],
  [false, true],
  [true, true],
] as const) {
  for (const [m, n] of [
    [13, 301],
    [301, 13],
  ] as const) {
    test(`a product of ${m} rows and ${n} columns is the same by either order of operands (${transposeA}, ${transposeB})`, async () => {
      const k = 57;
      const a = wave(transposeA ? [k, m] : [m, k]);
      const b = wave(transposeB ? [n, k] : [k, n], 1);
      const [p, q] = [await a.data(), await b.data()];
      const want = Float64Array.from({ length: m * n }, (_, i) => {
        const [row, column] = [Math.floor(i / n), i % n];
        let sum = 0;
        for (let j = 0; j < k; j++) {
          sum +=
            p[transposeA ? j * m + row : row * k + j]! * q[transposeB ? column * k + j : j * n + column]!;
        }
        return sum;
      });
      await expectClose(matMul(a, b, transposeA, transposeB), want, 2e-6);
      a.dispose();
      b.dispose();
    });
  }
}
