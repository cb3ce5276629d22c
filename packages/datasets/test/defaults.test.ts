import { randomStream } from "@gradlab/random";
import { expect, test } from "vitest";
import {
  type Augmentation,
  adjustImage,
  batches,
  batchesOf,
  batchIndices,
  type Dataset,
  datasetFromPixels,
  generatedScene,
  generateShapes,
  type Image,
  imageNetMoments,
  inOrder,
  preprocessImageNet,
  randomAdjustment,
  randomCrop,
  randomCutout,
  randomFlip,
  randomTransform,
  splitDataset,
  stepsPerEpoch,
  takeBatch,
  transformImage,
} from "../src/index.js";

/*
 * What an option is that is not given, as the docstrings say, and that those that are given count: seeds first of all.
 */

const shapes = generateShapes({ count: 120 });
const image: Image = {
  data: Float32Array.from({ length: 6 * 6 }, (_, i) => ((7 * i) % 36) / 36),
  shape: [6, 6, 1],
};
const picture = generatedScene([300, 400]);
/** Ten results of an augmentation, each of its own stream. */
const augmented = (augment: Augmentation) =>
  Array.from({ length: 10 }, (_, index) => augment(image, randomStream({ seed: 0, purpose: "test", index })));
const jitter = randomAdjustment({ brightness: 0.5 });

/** What is called, with which options, the defaults as they are documented, and other values. */
// biome-ignore format: a table
const cases: readonly (readonly [string, (options: never) => unknown, object, readonly object[]])[] = [
  ["adjustImage", (o: object) => adjustImage(image, o), { brightness: 1, contrast: 1 }, [{ brightness: 0.5 }, { contrast: 0.5 }]],
  ["transformImage", (o: object) => transformImage(image, { scale: 0.7, ...o }), { angle: 0, translate: [0, 0], fill: 0 }, [{ angle: 3 }, { scale: 1 }, { translate: [1, 0] }, { translate: [0, 1] }, { fill: 1 }]],
  ["transformImage without a scale", (o: object) => transformImage(image, o), { scale: 1 }, [{ scale: 1.1 }]],
  ["randomCrop", (o: object) => augmented(randomCrop({ padding: 2, ...o })), { size: [6, 6], fill: 0 }, [{ size: [5, 6] }, { fill: 1 }]],
  ["randomFlip", ({ probability }: { probability?: number }) => augmented(probability === undefined ? randomFlip() : randomFlip(probability)), { probability: 0.5 }, [{ probability: 0 }, { probability: 1 }]],
  ["randomTransform", (o: object) => augmented(randomTransform({ degrees: 20, ...o })), { translate: 0, scale: [1, 1], fill: 0 }, [{ degrees: 10 }, { translate: 0.2 }, { scale: [1, 2] }, { fill: 1 }]],
  ["randomTransform of nothing", (o: object) => augmented(randomTransform(o)), { degrees: 0 }, [{ degrees: 1 }]],
  ["randomAdjustment", (o: object) => augmented(randomAdjustment(o)), { brightness: 0, contrast: 0 }, [{ brightness: 0.1 }, { contrast: 0.1 }]],
  ["randomCutout", (o: object) => augmented(randomCutout({ size: 3, ...o })), { fill: 0 }, [{ size: 2 }, { fill: 1 }]],
  ["generateShapes", (o: object) => generateShapes({ count: 20, ...o }), { first: 0, seed: 0, size: 28, classes: 10, channels: 1, rotation: 15, shift: 0.09, scale: [0.24, 0.36], noise: 0.06, clutter: 2, inverted: 0.1 },
    [{ first: 10 }, { seed: 1 }, { size: 27 }, { classes: 9 }, { channels: 3 }, { rotation: 14 }, { shift: 0.1 }, { scale: [0.2, 0.36] }, { scale: [0.24, 0.4] }, { noise: 0.05 }, { clutter: 1 }, { inverted: 0.5 }]],
  ["preprocessImageNet", (o: object) => preprocessImageNet(picture, o), { resize: 256, crop: 224, moments: imageNetMoments }, [{ resize: 255 }, { crop: 223 }, { moments: null }]],
  ["splitDataset", (o: object) => splitDataset(shapes, { counts: [60, 60], ...o }).map(({ labels }) => labels), { seed: 0, stratified: false }, [{ seed: 1 }, { stratified: true }]],
  ["batchIndices", (o: object) => [5, 6, 11].map((step) => batchIndices({ count: 26, size: 5, step, ...o })), { seed: 0, shuffle: true, dropLast: false }, [{ seed: 1 }, { shuffle: false }, { dropLast: true }]],
  ["stepsPerEpoch", (o: object) => stepsPerEpoch({ count: 26, size: 5, ...o }), { dropLast: false }, [{ dropLast: true }]],
  ["batchesOf", (o: object) => [3, 6].map((step) => batchesOf(shapes, { size: 25, augment: jitter, ...o })(step)), { seed: 0, shuffle: true, dropLast: false }, [{ seed: 1 }, { shuffle: false }, { dropLast: true }, { augment: undefined }]],
  ["batches", (o: object) => [...batches(shapes, { size: 50, ...o })], { seed: 0, step: 0, epochs: 1, shuffle: true, dropLast: false }, [{ seed: 1 }, { step: 1 }, { epochs: 2 }, { shuffle: false }, { dropLast: true }]],
  ["inOrder", (o: object) => [0, 1, 2].map((index) => inOrder(shapes, o)(index)), { size: 100 }, [{ size: 99 }, { size: 120 }]],
  ["takeBatch", (o: object) => takeBatch(shapes, [3, 5], { augment: jitter, ...o }), { seed: 0, epoch: 0 }, [{ seed: 1 }, { epoch: 1 }, { augment: undefined }]],
  ["datasetFromPixels", (o: object) => datasetFromPixels([generatedScene([4, 5])], [2], o), { channels: 3, classes: 3 }, [{ channels: 1 }, { classes: 4 }]],
  ["generatedScene", ({ seed }: { seed?: number }) => (seed === undefined ? generatedScene([20, 30]) : generatedScene([20, 30], seed)), { seed: 0 }, [{ seed: 1 }]],
];

test.each(cases)(
  "%s: options that are not given have their documented values, others count",
  (_, call, documented, others) => {
    const bare = call({} as never);
    expect(call(documented as never)).toEqual(bare);
    for (const other of others) expect(call(other as never), JSON.stringify(other)).not.toEqual(bare);
  },
);

test("what an augmentation draws depends on seed, epoch and sample alone, wherever the sample stands", () => {
  const options = { augment: jitter, seed: 3, epoch: 2 };
  const pixels = (dataset: Dataset, indices: readonly number[], at: number) =>
    takeBatch(dataset, indices, options).images.slice(784 * at, 784 * (at + 1));
  expect(pixels(shapes, [7, 9], 1)).toEqual(pixels(shapes, [9], 0));
  expect(pixels(shapes, [9, 9], 1)).toEqual(pixels(shapes, [9], 0));
  // The last epoch's and the next one's samples have streams of their own.
  const first = takeBatch(shapes, [0], { ...options, epoch: 1 }).images;
  expect(takeBatch(shapes, [0], { ...options, epoch: 0 }).images).not.toEqual(first);
});
