import "@tensorflow/tfjs-backend-cpu";
import {
  attend,
  attendInChunks,
  checkEquivariance,
  initMultiHeadAttention,
  multiHeadAttention,
} from "@gradlab/attention";
import { repairKernels } from "@gradlab/backend-select";
import { disposeParams, installGradients } from "@gradlab/core";
import { fillNormal, randomStream } from "@gradlab/random";
import {
  dispose,
  env,
  expandDims,
  grads,
  matMul,
  memory,
  mul,
  profile,
  setBackend,
  softmax,
  squeeze,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor4d,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, expect, test } from "vitest";
import { createWebgpu } from "./create-webgpu.js";

env().set("PROD", true); // no advertisement on the console
installGradients();
await createWebgpu();
repairKernels("webgpu");

beforeAll(async () => {
  await setBackend("webgpu");
});

const drawn = (shape: [number, number, number, number], purpose: string) =>
  tensor4d(
    fillNormal(randomStream({ seed: 0, purpose }), new Float32Array(shape.reduce((a, b) => a * b, 1))),
    shape,
  );

/** Output and gradients of a function of q, k, v. */
async function results(f: (q: Tensor4D, k: Tensor4D, v: Tensor4D) => Tensor): Promise<number[][]> {
  const inputs = ["q", "k", "v"].map((name) => drawn([2, 3, 33, 8], name)) as [Tensor4D, Tensor4D, Tensor4D];
  const direction = drawn([2, 3, 33, 8], "direction");
  const output = tidy(() => f(...inputs));
  const found = grads(
    (...[q, k, v]: Tensor[]) => sum(mul(f(q as Tensor4D, k as Tensor4D, v as Tensor4D), direction)) as Tensor,
  )(inputs);
  const all = await Promise.all([output, ...found].map((tensor) => tensor.data()));
  dispose([...inputs, direction, output, ...found]);
  return all.map((values) => Array.from(values));
}

const apart = (a: readonly number[], b: readonly number[]) =>
  a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);

test("errors on webgpu are at most twice those of attention written with plain ops, in chunks too", async () => {
  const plain = (q: Tensor4D, k: Tensor4D, v: Tensor4D) =>
    matMul(softmax(mul(matMul(q, k, false, true), 1 / Math.sqrt(8))) as Tensor4D, v);
  const ways = [
    plain,
    (q: Tensor4D, k: Tensor4D, v: Tensor4D) => attend(q, k, v),
    (q: Tensor4D, k: Tensor4D, v: Tensor4D) => attendInChunks(q, k, v, { chunk: 8 }),
  ];
  const before = memory().numTensors;
  const [byPlain, ...ours] = [await results(plain), await results(ways[1]!), await results(ways[2]!)];
  expect(memory().numTensors).toBe(before);
  await setBackend("cpu"); // sums in double precision
  const known = await results(plain);
  await setBackend("webgpu");
  for (const [i, values] of known.entries()) {
    // At least a rounding of the largest number, where plain ops happen to be exact.
    const least = 2 ** -23 * Math.max(...values.map(Math.abs));
    const limit = 2 * Math.max(apart(byPlain![i]!, values), least);
    for (const found of ours) expect(apart(found[i]!, values)).toBeLessThanOrEqual(limit);
  }
});

test("a row that sees nothing gives zeros and finite gradients, and masks are those of the cpu backend", async () => {
  const masked = (q: Tensor4D, k: Tensor4D, v: Tensor4D) =>
    attend(q, k, v, { window: [2, 0], queryStart: 8 });
  const chunks = (q: Tensor4D, k: Tensor4D, v: Tensor4D) =>
    attendInChunks(q, k, v, { window: [2, 0], queryStart: 8, chunk: 8 });
  const found = [await results(masked), await results(chunks)];
  await setBackend("cpu");
  const known = await results(masked);
  await setBackend("webgpu");
  // The last queries stand more than two places behind the last key.
  expect(known[0]!.slice(32 * 8, 33 * 8)).toEqual(Array(8).fill(0));
  for (const one of found) {
    for (const [i, values] of known.entries()) expect(apart(one[i]!, values)).toBeLessThan(1e-5);
  }
});

test("dropout of weights is that of the cpu backend, in chunks too", async () => {
  const dropout = { rate: 0.4, seed: 0, purpose: "webgpu" };
  const plain = (q: Tensor4D, k: Tensor4D, v: Tensor4D) => attend(q, k, v, { dropout, causal: true });
  const chunks = (q: Tensor4D, k: Tensor4D, v: Tensor4D) =>
    attendInChunks(q, k, v, { dropout, causal: true, chunk: 8 });
  const found = [await results(plain), await results(chunks)];
  await setBackend("cpu");
  const known = await results(plain);
  await setBackend("webgpu");
  for (const one of found) {
    for (const [i, values] of known.entries()) expect(apart(one[i]!, values)).toBeLessThan(1e-5);
  }
});

test("attention commutes with all permutations of 4 tokens", async () => {
  const params = initMultiHeadAttention({ width: 8, heads: 2 });
  const f = (x: Tensor) => squeeze(multiHeadAttention(params, expandDims(x) as Tensor3D, { heads: 2 }), [0]);
  const report = await checkEquivariance(f, { tokens: 4, width: 8 });
  expect(report).toMatchObject({ holds: true, held: 24, unchanged: 1, vacuous: null });
  disposeParams(params);
});

test("the peak of keys in chunks grows with the tokens, that of all scores with their square", async () => {
  const peaks: number[][] = [];
  for (const t of [64, 256]) {
    const inputs = ["q", "k", "v"].map((name) => drawn([1, 1, t, 8], name));
    const row: number[] = [];
    for (const f of [attend, (q: Tensor, k: Tensor, v: Tensor) => attendInChunks(q, k, v, { chunk: 8 })]) {
      const { peakBytes } = await profile(() => {
        dispose(grads((...[q, k, v]: Tensor[]) => sum(f(q!, k!, v!)) as Tensor)(inputs));
        return zeros([1]);
      });
      row.push(peakBytes);
    }
    dispose(inputs);
    peaks.push(row);
  }
  expect(peaks[1]![0]! / peaks[0]![0]!).toBeGreaterThan(10);
  expect(peaks[1]![1]! / peaks[0]![1]!).toBeLessThan(4.5);
  expect(peaks[1]![1]! * 10).toBeLessThan(peaks[1]![0]!);
});
