import { disposeParams } from "@gradlab/core";
import { singularValues } from "@gradlab/lms";
import {
  grad,
  mul,
  reshape,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tensor2d,
  tensor3d,
  tidy,
} from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { spectralNorm } from "../src/gradient-flow.js";
import {
  applyRecurrent,
  embeddingDistance,
  gradientFlow,
  initCarry,
  initLanguageModel,
  initRecurrent,
  languageModelFlow,
  nearestNeighbours,
} from "../src/index.js";
import { expectNoLeak, numbers, wave } from "./tensors.js";

test("the largest singular value is that of the decomposition, of matrices of any shape and size of numbers", async () => {
  for (const [rows, columns, scale] of [
    [4, 4, 1],
    [5, 3, 1e-40],
    [3, 6, 1e30],
    [1, 1, 2],
  ] as const) {
    const at = Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(1.7 * i * i + 1) * scale);
    const unit = Array.from({ length: rows }, (_, i) => Array.from(at.subarray(i * columns, (i + 1) * columns), (v) => v / scale)); // biome-ignore format: one line
    const expected = singularValues(unit).values[0]!;
    expect(Math.abs(spectralNorm({ rows, columns, at }) / scale / expected - 1)).toBeLessThan(1e-10);
  }
});

const [T, inputs, hidden] = [6, 3, 4];

test("the norms are those of the Jacobians that gradients of the network itself make, for every cell, and below the bound", async () => {
  for (const cell of ["lstm", "gru", "elman"] as const) {
    const spec = { cell, inputs, hidden };
    const [layer] = initRecurrent(spec, { seed: 4, scheme: "orthogonal" });
    const x = wave([T, inputs]) as Tensor2D;
    const { distances, norms, bounds, forgetting } = await gradientFlow(cell, layer!, x);
    expect(distances).toEqual([1, 2, 3, 4, 5]);
    for (const distance of [1, 3, 5]) {
      const k = T - distance;
      // The state after k steps, then each unit of the last one as a function of h_k, c held.
      const rows: number[][] = [];
      for (let unit = 0; unit < hidden; unit++) {
        const gradient = tidy(() => {
          const series = reshape(x, [1, T, inputs]) as Tensor3D;
          const middle = applyRecurrent(spec, [layer!], slice(series, [0, 0, 0], [1, k, inputs]) as Tensor3D, initCarry(spec, 1)).carry[0]!; // biome-ignore format: one line
          const end = (h: Tensor) => {
            const rest = slice(series, [0, k, 0], [1, distance, inputs]) as Tensor3D;
            const { outputs } = applyRecurrent(spec, [layer!], rest, [{ ...middle, h: h as Tensor2D }], { fused: false }); // biome-ignore format: one line
            const weights = Array.from({ length: distance * hidden }, (_, i) => (i === (distance - 1) * hidden + unit ? 1 : 0)); // biome-ignore format: one line
            return sum(mul(reshape(outputs, [-1]), tensor1d(weights))) as Tensor1D as Tensor;
          };
          return grad(end)(middle.h);
        });
        rows.push(await numbers(gradient));
      }
      // Single precision there.
      expect(
        Math.abs(norms[distance - 1]! / singularValues(rows).values[0]! - 1),
        `${cell} ${distance}`,
      ).toBeLessThan(1e-4);
      expect(norms[distance - 1]!).toBeLessThanOrEqual(bounds[distance - 1]! * (1 + 1e-12));
    }
    expect(forgetting === null).toBe(cell !== "lstm");
  }
});

test("for the published Elman network an eigenvalue of 2.8 explodes nothing: 0.0156 after a step, 7e-56 after 19", async () => {
  const W = [1.76405235, 0.40015721, 0.97873798, 2.2408932, 1.86755799, -0.97727788, 0.95008842, -0.15135721, -0.10321885]; // biome-ignore format: a matrix
  const V = [0.4105985, 0.14404357, 1.45427351, 0.76103773, 0.12167502, 0.44386323, 0.33367433, 1.49407907, -0.20515826]; // biome-ignore format: a matrix
  const layer = {
    input: tensor2d(V, [3, 3]),
    recurrent: tensor2d(W, [3, 3]),
    bias: tensor1d([-0.18718385, 1.53277921, 1.46935877]),
  };
  const ones = tensor2d(new Array(60).fill(1), [20, 3]);
  const { norms, bounds, weightNorms } = await gradientFlow("elman", layer, ones);
  for (const [i, bound] of bounds.entries()) {
    expect(Math.abs(bound / weightNorms[0]! ** (i + 1) - 1)).toBeLessThan(1e-12);
  }
  const two = await gradientFlow("elman", layer, slice(ones, [0, 0], [2, 3]));
  expect(Math.abs(two.norms[0]! - 0.0156)).toBeLessThan(0.00005);
  expect(Math.abs(norms[18]! / 7e-56 - 1)).toBeLessThan(0.08);
});

test("in a model the second layer has a flow of its own, that of what the first one says", async () => {
  const spec = { cell: "lstm", vocabulary: 5, embedding: 3, hidden: 4, layers: 2 } as const;
  const params = initLanguageModel(spec, { seed: 0 });
  const ids = [1, 4, 0, 2, 2];
  let flows: Awaited<ReturnType<typeof languageModelFlow>> = [];
  await expectNoLeak(async () => {
    flows = await languageModelFlow(spec, params, ids);
  });
  const table = await params.embedding.data();
  const rows = ids.map((id) => Array.from(table.slice(3 * id, 3 * id + 3)));
  const first = { cell: "lstm", inputs: 3, hidden: 4 } as const;
  const { outputs } = applyRecurrent(first, [params.layers[0]!], tensor3d([rows]), initCarry(first, 1));
  expect(flows[0]).toEqual(await gradientFlow("lstm", params.layers[0]!, tensor2d(rows)));
  expect(flows[1]).toEqual(
    await gradientFlow("lstm", params.layers[1]!, reshape(outputs, [5, 4]) as Tensor2D),
  );
  expect(flows[0]!.norms).not.toEqual(flows[1]!.norms);
  disposeParams(params);
});

test("along c nothing is lost but what the forget gates take: with gates open the product is theirs", async () => {
  // Weights of 0: h goes nowhere, i = o = 1/2, and the forget gate is σ(3).
  const hidden = 2;
  const zeros = (rows: number) => tensor2d(new Array(rows * 8).fill(0), [rows, 8]);
  const layer = { input: zeros(1), recurrent: zeros(2), bias: tensor1d([0, 0, 3, 3, 1, 1, 0, 0]) };
  const { norms, forgetting } = await gradientFlow("lstm", layer, tensor2d([[0], [0], [0], [0]]));
  const f = 1 / (1 + Math.exp(-3));
  for (const [i, product] of forgetting!.entries()) expect(product).toBeCloseTo(f ** (i + 1), 7);
  expect(norms).toEqual([0, 0, 0]);
  expect(hidden).toBe(2);
});

test("distances of vectors, and who is nearest", () => {
  const embedding = { table: [1, 0, 0, 2, -1, 0, 3, 0.5], size: 2 };
  expect(embeddingDistance(embedding, 0, 1)).toEqual({ euclidean: Math.sqrt(5), cosine: 1 });
  expect(embeddingDistance(embedding, 0, 2)).toEqual({ euclidean: 2, cosine: 2 });
  expect(nearestNeighbours(embedding, 0).map(({ id }) => id)).toEqual([3, 1, 2]);
  expect(nearestNeighbours(embedding, 0, { by: "euclidean", count: 2 }).map(({ id }) => id)).toEqual([2, 3]);
  expect(() => embeddingDistance(embedding, 0, 4)).toThrow(
    "embeddingDistance: b: expected an id in [0, 4), got 4",
  );
});
