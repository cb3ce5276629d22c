import "@tensorflow/tfjs-backend-cpu";
import { readFileSync } from "node:fs";
import { installGradients, ShapeError } from "@gradlab/core";
import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  dispose,
  env,
  grads,
  memory,
  mul,
  ones,
  setBackend,
  sum,
  type Tensor,
  type Tensor1D,
  tensor,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { batchNormTraining } from "../src/ops/batch-norm-training.js";

interface Case {
  readonly shape: number[];
  readonly epsilon: number;
  readonly shift: number;
  readonly y: number[];
  readonly mean: number[];
  readonly variance: number[];
  readonly dx: number[];
  readonly dscale: number[];
  readonly doffset: number[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("golden/batch-norm-training.json", import.meta.url), "utf8"),
) as { cases: Case[] };

beforeAll(async () => {
  env().set("PROD", true); // no advertisement on the console
  installGradients();
  await enableWasmTraining();
});

/** The closed form that `scripts/golden/batch_norm_training.py` uses. */
const wave = (shape: number[], scale: number, a: number, b: number, shift = 0): Tensor => {
  const size = shape.reduce((p, q) => p * q, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => shift + scale * Math.sin(i * a + b)),
    shape,
  );
};

async function expectClose(got: Tensor, want: readonly number[], tolerance: number): Promise<void> {
  const values = await got.data();
  expect(values.length).toBe(want.length);
  for (const [i, value] of values.entries()) {
    expect(Math.abs(value - want[i]!), `${i}: ${value}, ${want[i]}`).toBeLessThanOrEqual(tolerance);
  }
}

describe.each(["cpu", "wasm"])("on %s", (backend) => {
  beforeEach(async () => {
    await setBackend(backend);
  });

  for (const c of cases) {
    test(`values, statistics and the three gradients are PyTorch's, shape [${c.shape}], mean near ${c.shift}`, async () => {
      const before = memory().numTensors;
      const channels = c.shape.at(-1)!;
      const x = wave(c.shape, 1.5, 1.3, 0.2, c.shift);
      const scale = wave([channels], 0.8, 0.9, 1) as Tensor1D;
      const offset = wave([channels], 0.5, 0.7, 2) as Tensor1D;
      const weights = wave(c.shape, 1, 0.37, 0.5);
      /*
       * Inputs are stored with 2^-24 of |shift| + 1.5, means are exact to as much again; divided by the
       * deviation (at least 0.4 here) and multiplied in gradients by at most 24 · 3 that is 2^-24 · (shift + 1.5) · 200.
       */
      const tolerance = 2 ** -24 * (Math.abs(c.shift) + 1.5) * 200;
      const { epsilon } = c;
      const out = batchNormTraining(x, scale, offset, { epsilon });
      await expectClose(out.y, c.y, tolerance);
      await expectClose(out.mean, c.mean, tolerance);
      await expectClose(out.variance, c.variance, tolerance);
      const loss = (...[p, q, r]: Tensor[]) =>
        sum(mul(batchNormTraining(p!, q as Tensor1D, r as Tensor1D, { epsilon }).y, weights)) as Tensor;
      const [dx, dscale, doffset] = grads(loss)([x, scale, offset]) as [Tensor, Tensor, Tensor];
      expect(dx.shape).toEqual(c.shape);
      await expectClose(dx, c.dx, tolerance);
      await expectClose(dscale, c.dscale, tolerance);
      await expectClose(doffset, c.doffset, tolerance);
      dispose([x, scale, offset, weights, dx, dscale, doffset, out.y, out.mean, out.variance]);
      expect(memory().numTensors).toBe(before);
    });
  }
});

test("the statistics have gradients of their own, beside that of y", async () => {
  await setBackend("cpu");
  const x = wave([6, 2], 1, 1.3, 0.2);
  const one = ones([2]) as Tensor1D;
  const [dx] = grads((p: Tensor) => sum(batchNormTraining(p, one, one).mean) as Tensor)([x]);
  await expectClose(dx!, Array(12).fill(1 / 6), 2 ** -24);
});

test("a channel that does not vary gives the offset, and no gradient but the offset's", async () => {
  await setBackend("cpu");
  const offset = tensor([3, -1]) as Tensor1D;
  const scale = ones([2]) as Tensor1D;
  const weights = wave([5, 2], 1, 1, 1);
  const x = mul(ones([5, 2]), 0.5);
  const loss = (...[p, q, r]: Tensor[]) =>
    sum(mul(batchNormTraining(p!, q as Tensor1D, r as Tensor1D).y, weights)) as Tensor;
  await expectClose(batchNormTraining(x, scale, offset).y, [3, -1, 3, -1, 3, -1, 3, -1, 3, -1], 0);
  const [, dscale, doffset] = grads(loss)([x, scale, offset]);
  await expectClose(dscale!, [0, 0], 0);
  await expectClose(doffset!, Array.from(await sum(weights, 0).data()), 2 ** -22);
});

test("what is wrong with an argument is said before any work", () => {
  const x = zeros([4, 3]);
  const three = zeros([3]) as Tensor1D;
  const two = zeros([2]) as Tensor1D;
  const before = memory().numTensors;
  expect(() => batchNormTraining(x, two, three)).toThrow(
    new ShapeError("batchNormTraining: scale: expected [3], got [2]"),
  );
  expect(() => batchNormTraining(x, three, two)).toThrow(
    new ShapeError("batchNormTraining: offset: expected [3], got [2]"),
  );
  const single = zeros([1, 3]);
  expect(() => batchNormTraining(single, three, three)).toThrow(
    /two elements or more in each channel, got \[1, 3\]/,
  );
  const bad = [0, -1, Number.NaN, Number.POSITIVE_INFINITY];
  for (const epsilon of bad) {
    expect(() => batchNormTraining(x, three, three, { epsilon })).toThrow(
      new RangeError(`batchNormTraining: epsilon: expected a positive number, got ${epsilon}`),
    );
  }
  expect(() => batchNormTraining(x, three, three, { epsilon: "1" as never })).toThrow(TypeError);
  single.dispose();
  expect(memory().numTensors).toBe(before);
});
