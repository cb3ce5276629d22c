import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  conv2d,
  engine,
  env,
  fused,
  matMul,
  memory,
  type NamedAttrMap,
  setBackend,
  type Tensor,
  tensor,
} from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  env().set("PROD", true);
  await enableWasmTraining({ threads: 2 });
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

async function both(compute: () => Tensor): Promise<number> {
  await enableWasmTraining({ threads: 2 });
  const x = compute();
  const got = await x.data();
  await enableWasmTraining({ companion: false });
  const y = compute();
  const want = await y.data();
  expect(x.shape).toEqual(y.shape);
  x.dispose();
  y.dispose();
  let error = 0,
    scale = 1e-30;
  for (let i = 0; i < want.length; i++) {
    error = Math.max(error, Number.isFinite(got[i]!) ? Math.abs(got[i]! - want[i]!) : Infinity);
    scale = Math.max(scale, Math.abs(want[i]!));
  }
  return error / scale;
}

test("products of any shape", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(40),
      fc.nat(40),
      fc.oneof(fc.nat(40), fc.integer({ min: 500, max: 1100 })),
      fc.boolean(),
      fc.boolean(),
      fc.constantFrom(
        [[], []],
        [[3], [1]],
        [[1], [2]],
        [
          [2, 1],
          [1, 3],
        ],
        [[2], [2]],
      ),
      async (m, n, k, ta, tb, [p, q]) => {
        const before = memory().numTensors;
        const a = wave([...p!, ...(ta ? [k, m] : [m, k])]),
          b = wave([...q!, ...(tb ? [n, k] : [k, n])], 1);
        expect(await both(() => matMul(a, b, ta, tb))).toBeLessThan(2e-6);
        a.dispose();
        b.dispose();
        expect(memory().numTensors).toBe(before);
      },
    ),
    { numRuns: 200 },
  );
});

test("convolutions of any shape", async () => {
  const size = fc.integer({ min: 1, max: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        batch: fc.integer({ min: 1, max: 3 }),
        h: size,
        w: size,
        c: fc.integer({ min: 1, max: 17 }),
        o: fc.integer({ min: 1, max: 17 }),
        kh: fc.integer({ min: 1, max: 4 }),
        kw: fc.integer({ min: 1, max: 4 }),
        sy: fc.integer({ min: 1, max: 3 }),
        sx: fc.integer({ min: 1, max: 3 }),
        pt: fc.nat(2),
        pb: fc.nat(2),
        pl: fc.nat(2),
        pr: fc.nat(2),
      }),
      async ({ batch, h, w, c, o, kh, kw, sy, sx, pt, pb, pl, pr }) => {
        if (h + pt + pb < kh || w + pl + pr < kw) return;
        const x = wave([batch, h, w, c]),
          f = wave([kh, kw, c, o], 1);
        const pad = [
          [0, 0],
          [pt, pb],
          [pl, pr],
          [0, 0],
        ] as never;
        expect(await both(() => conv2d(x as never, f as never, [sy, sx], pad))).toBeLessThan(2e-6);
        const y = conv2d(x as never, f as never, [sy, sx], pad) as Tensor;
        const dy = wave(y.shape, 2);
        const attrs = { strides: [sy, sx], pad, dataFormat: "NHWC" };
        expect(
          await both(() => run("Conv2DBackpropFilter", { x, dy }, { ...attrs, filterShape: f.shape })),
        ).toBeLessThan(2e-6);
        expect(
          await both(() => run("Conv2DBackpropInput", { dy, filter: f }, { ...attrs, inputShape: x.shape })),
        ).toBeLessThan(2e-6);
        for (const t of [x, f, y, dy]) t.dispose();
      },
    ),
    { numRuns: 300 },
  );
});
