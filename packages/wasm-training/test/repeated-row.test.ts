import { enableWasmTraining } from "@gradlab/wasm-training";
import { add, env, memory, mul, setBackend, sub, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  await enableWasmTraining({ companion: false });
  await setBackend("wasm");
});

const wave = (shape: number[], phase = 0): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(0.7 * i + phase)),
    shape,
  );
};

const ops = { add, sub, mul };
const numbers = {
  add: (a: number, b: number) => a + b,
  sub: (a: number, b: number) => a - b,
  mul: (a: number, b: number) => a * b,
};

// Rows by the thousand, so that they are repeated; 3,001 is prime, so that they cannot be.
for (const [large, small] of [
  [[4096, 6], [6]],
  [[8, 30, 30, 64], [64]],
  [
    [60, 60, 4, 5],
    [4, 5],
  ],
  [
    [1200, 7],
    [1, 7],
  ],
  [[3001, 6], [6]],
  [
    [2400, 6, 1],
    [6, 1],
  ],
] as const) {
  for (const op of ["add", "sub", "mul"] as const) {
    test(`${op} of [${large}] and [${small}], and the other way round, is exact`, async () => {
      const before = memory().numTensors;
      const [a, b] = [wave([...large]), wave([...small], 1)];
      const [p, q] = [await a.data(), await b.data()];
      for (const [got, at] of [
        [ops[op](a, b), (i: number) => numbers[op](p[i]!, q[i % b.size]!)],
        [ops[op](b, a), (i: number) => numbers[op](q[i % b.size]!, p[i]!)],
      ] as const) {
        expect(got.shape).toEqual(large);
        expect(await got.data()).toEqual(Float32Array.from({ length: a.size }, (_, i) => at(i)));
        got.dispose();
      }
      a.dispose();
      b.dispose();
      expect(memory().numTensors).toBe(before);
    });
  }
}
