import { disposeParams, flattenParams, lossAndGradients } from "@gradlab/core";
import { generateShapes, randomTransform, splitDataset } from "@gradlab/datasets";
import {
  dispose,
  mul,
  reshape,
  type Scalar,
  sum,
  type Tensor2D,
  type Tensor4D,
  tensor2d,
  tensor4d,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  applyVisionTransformer,
  initLinear,
  initVisionTransformer,
  linear,
  type VisionTransformerConfig,
} from "../src/index.js";
import { apart, backends, Draw, expectNoLeak, isSlow, numbers, useBackend } from "./tensors.js";
import { fashionMnist, type ImageTrainingOptions, trainImages } from "./train-vision.js";

const small: VisionTransformerConfig = {
  size: [4, 6],
  channels: 3,
  patch: 2,
  classes: 3,
  width: 8,
  layers: 1,
  heads: 2,
};

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("patches are squares of the image: moved about with their positions, they give the same logits", async () => {
    await expectNoLeak(async () => {
      const params = initVisionTransformer(small, { seed: 1 });
      const images = new Draw("images").normalTensor<Tensor4D>([2, 4, 6, 3]);
      const known = await numbers(applyVisionTransformer(params, images, small));
      expect(known).toHaveLength(6);
      // The patches in another order: row r, column c of patches goes to the place `to`.
      const order = [4, 0, 5, 2, 1, 3];
      const pixels = await images.data();
      const moved = new Float32Array(pixels.length);
      for (let b = 0; b < 2; b++) {
        for (const [patch, to] of order.entries()) {
          for (let i = 0; i < 2; i++) {
            for (let j = 0; j < 6; j++) {
              const at = (p: number) => ((b * 4 + 2 * Math.floor(p / 3) + i) * 6 + 2 * (p % 3)) * 3 + j;
              moved[at(to)] = pixels[at(patch)]!;
            }
          }
        }
      }
      const table = await params.positions.data();
      const rows = new Float32Array(table.length);
      for (const [patch, to] of order.entries()) rows.set(table.subarray(patch * 8, patch * 8 + 8), to * 8);
      const shuffled = tensor4d(moved, [2, 4, 6, 3]);
      const other = { ...params, positions: tensor2d(rows, [6, 8]) };
      expect(apart(await numbers(applyVisionTransformer(other, shuffled, small)), known)).toBeLessThan(1e-5);
      // Without moving the positions they are others.
      expect(apart(await numbers(applyVisionTransformer(params, shuffled, small)), known)).toBeGreaterThan(
        1e-4,
      );
      disposeParams(params as never);
      dispose([images, shuffled, other.positions]);
    });
  });

  test("every parameter has a gradient", async () => {
    await expectNoLeak(async () => {
      const params = initVisionTransformer(small);
      const images = new Draw("images").normalTensor<Tensor4D>([2, 4, 6, 3]);
      const direction = new Draw("direction").normalTensor([2, 3]);
      const { loss, gradients } = lossAndGradients(params, (given) => {
        return sum(mul(applyVisionTransformer(given, images, small), direction)) as Scalar;
      });
      for (const [path, gradient] of flattenParams(gradients as never)) {
        const most = Math.max(...Array.from(await gradient.data(), Math.abs));
        if (path.endsWith("key.bias")) expect(most, path).toBeLessThan(1e-5);
        else expect(most, path).toBeGreaterThan(1e-5);
      }
      disposeParams(params as never);
      disposeParams(gradients as never);
      dispose([images, direction, loss]);
    });
  });
});

test("images and configurations that do not fit are refused", () => {
  expect(() => initVisionTransformer({ ...small, patch: 4 })).toThrow(
    "initVisionTransformer: config.size: expected multiples of the patch 4, got 6",
  );
  expect(() => initVisionTransformer({ ...small, classes: 0 })).toThrow(
    "initVisionTransformer: config.classes: expected an integer, at least 1, got 0",
  );
  expect(() => initVisionTransformer({ ...small, size: 4 as never })).toThrow(
    "initVisionTransformer: config.size: expected [height, width], got 4",
  );
  expect(() => initVisionTransformer({ ...small, depth: 3 } as never)).toThrow(
    'initVisionTransformer: config: expected only size, channels, patch, classes, width, layers, heads, hidden, got "depth"',
  );
  expect(() =>
    applyVisionTransformer(initVisionTransformer(small), zeros([0, 4, 6, 3]) as Tensor4D, small),
  ).toThrow("applyVisionTransformer: images: expected at least one, got 0");
  expect(() =>
    applyVisionTransformer(initVisionTransformer(small), zeros([1, 6, 4, 3]) as Tensor4D, small),
  ).toThrow("applyVisionTransformer: images: expected [?, 4, 6, 3], got [1, 6, 4, 3]");
});

/** The accuracy of a vision transformer on images of 28 x 28 pixels, and that of a linear model of as many steps. */
async function accuracies(width: number, options: ImageTrainingOptions) {
  const { classes } = options.train;
  const config = {
    size: [28, 28],
    channels: 1,
    patch: 7,
    classes,
    width,
    layers: 2,
    heads: 4,
    hidden: 2 * width,
  } as const;
  const byLine = await trainImages(
    {
      start: initLinear(784, classes),
      logits: (params, images) => linear(params, reshape(images, [images.shape[0], 784]) as Tensor2D),
    },
    { ...options, learningRate: 3e-3 },
  );
  const byPatches = await trainImages(
    {
      start: initVisionTransformer(config),
      logits: (params, images) => applyVisionTransformer(params, images, config),
    },
    options,
  );
  return { byLine, byPatches };
}

describe("trained on wasm", () => {
  beforeAll(() => useBackend("wasm"));

  test("on generated shapes it is 10 points better than a linear model", async () => {
    const shapes = generateShapes({ count: 2500, size: 28, channels: 1 });
    const [train, test] = splitDataset(shapes, { counts: [2000, 500] });
    const { byLine, byPatches } = await accuracies(48, {
      ...{ train: train!, test: test! },
      ...{ steps: 400, learningRate: 4e-3, weightDecay: 0.02 },
    });
    // As much as such a model gets on these shapes, so that the difference is not one of bad training.
    expect(byLine).toBeGreaterThan(0.62);
    expect(byPatches).toBeGreaterThan(byLine + 0.1);
  }, 180_000);

  const folder = process.env.GRADLAB_DATA;
  test.runIf(isSlow && folder !== undefined)(
    "on 700 images of Fashion-MNIST it is right for 74 of 100",
    async () => {
      const [train, test] = [fashionMnist(folder!, "train"), fashionMnist(folder!, "t10k")];
      const augment = randomTransform({ degrees: 5, translate: 0.05, scale: [0.95, 1.05] });
      const { byPatches } = await accuracies(48, {
        ...{ train, test, augment },
        ...{ steps: 500, learningRate: 2e-3, weightDecay: 0.05 },
      });
      expect(byPatches).toBeGreaterThanOrEqual(0.74);
    },
    600_000,
  );
});
