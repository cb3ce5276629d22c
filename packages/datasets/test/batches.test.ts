import { uniformFloat32 } from "@gradlab/random";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Augmentation,
  batches,
  batchesOf,
  batchIndices,
  type Dataset,
  inOrder,
  selectSamples,
  splitDataset,
  stepsPerEpoch,
  takeBatch,
} from "../src/index.js";

/** Image i is four times the byte i, its class i modulo 3. */
function numbered(count: number, classOf = (i: number) => i % 3): Dataset {
  return {
    images: Uint8Array.from({ length: 4 * count }, (_, at) => at >> 2),
    labels: Int32Array.from({ length: count }, (_, i) => classOf(i)),
    shape: [2, 2, 1],
    classes: 3,
    count,
  };
}

const upTo = (n: number) => Uint32Array.from({ length: n }, (_, i) => i);

test("an epoch goes through every sample once, whatever the size of the batches", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 80 }),
      fc.nat(5),
      fc.nat(3),
      (count, size, seed, epoch) => {
        const steps = stepsPerEpoch({ count, size });
        const parts = Array.from({ length: steps }, (_, i) =>
          batchIndices({ count, size, seed, step: epoch * steps + i }),
        );
        const all = Uint32Array.from(parts.flatMap((part) => [...part]));
        expect(all.toSorted()).toEqual(upTo(count));
        // The order is the epoch's: batches of another size only cut it elsewhere.
        expect(batchIndices({ count, size: count, seed, step: epoch })).toEqual(all);
      },
    ),
    { numRuns: 60 },
  );
});

test("epochs and seeds have different orders, and without shuffling all have the order of the data", () => {
  const order = (seed: number, step: number) => batchIndices({ count: 50, size: 50, seed, step }).join();
  expect(new Set([order(0, 0), order(0, 1), order(1, 0), order(1, 1)]).size).toBe(4);
  expect(batchIndices({ count: 5, size: 2, step: 5, shuffle: false })).toEqual(Uint32Array.of(4));
  expect(batchIndices({ count: 5, size: 2, step: 5, shuffle: false, dropLast: true })).toEqual(
    Uint32Array.of(2, 3),
  );
  // Checkpoints of earlier releases resume in the same order.
  expect([...batchIndices({ count: 100, size: 5, step: 3, seed: 1 })]).toEqual([22, 60, 18, 46, 91]);
});

test("batches of a step are those that a resumed run gets there, augmentation included", () => {
  const augment: Augmentation = ({ data, shape }, stream) => ({
    data: data.map((x) => x + uniformFloat32(stream)),
    shape,
  });
  const dataset = numbered(11);
  for (const dropLast of [false, true]) {
    const options = { size: 4, seed: 3, augment, dropLast };
    const whole = [...batches(dataset, { ...options, epochs: 3 })];
    expect(whole.map(({ step }) => step)).toEqual([...upTo(dropLast ? 6 : 9)]);
    expect(whole.map(({ epoch }) => epoch)).toEqual(whole.map((_, i) => Math.floor(i / (dropLast ? 2 : 3))));
    for (const { step, indices } of whole) {
      expect(indices).toEqual(batchIndices({ count: 11, size: 4, seed: 3, step, dropLast }));
    }
    for (const step of [1, 3, 5]) {
      expect([...batches(dataset, { ...options, epochs: 3, step })]).toEqual(whole.slice(step));
    }
  }
  const endless = batches(dataset, { size: 4, step: 1000, epochs: Number.POSITIVE_INFINITY });
  expect(endless.next().value).toMatchObject({ step: 1000, epoch: 333 });
});

test("the batch of a step is the same in any order of asking, and in every training of the same seed", () => {
  const augment: Augmentation = ({ data, shape }, stream) => ({
    data: data.map((x) => x + uniformFloat32(stream)),
    shape,
  });
  const dataset = numbered(11);
  const options = { size: 4, seed: 3, augment };
  const whole = [...batches(dataset, { ...options, epochs: 3 })];
  const batchOf = batchesOf(dataset, options);
  for (const step of [8, 0, 3, 4, 8]) expect(batchOf(step)).toEqual(whole[step]);
  expect(batchOf(4)).not.toBe(batchOf(4)); // what comes is the caller's
  // Its own seed and its own order, and 0 and true where nothing is said.
  expect(batchesOf(dataset, { size: 4 })(1).indices).toEqual(batchIndices({ count: 11, size: 4, step: 1 }));
  expect(batchesOf(dataset, { ...options, seed: 4 })(1).indices).not.toEqual(batchOf(1).indices);
  expect(batchesOf(dataset, { size: 4, shuffle: false })(4).indices).toEqual(Uint32Array.of(4, 5, 6, 7));
  expect(batchesOf(dataset, { size: 4, dropLast: true })(2)).toMatchObject({ epoch: 1, step: 2 });
  const images = (seed: number) => batchesOf(dataset, { size: 11, shuffle: false, augment, seed })(0).images;
  expect(images(0)).not.toEqual(images(1));
});

test("in order, every sample comes once, and null behind the last", () => {
  const dataset = numbered(7);
  const batchOf = inOrder(dataset, { size: 3 });
  expect(batchOf(0)).toEqual(takeBatch(dataset, [0, 1, 2]));
  expect(batchOf(2)).toEqual(takeBatch(dataset, [6]));
  expect([batchOf(3), batchOf(99)]).toEqual([null, null]);
  expect(inOrder(numbered(6), { size: 3 })(2)).toBeNull();
  const sizes = [0, 1, 2].map((index) => inOrder(numbered(150))(index)?.labels.length);
  expect(sizes).toEqual([100, 50, undefined]);
});

test("batches that cannot be are refused by the name of the function that was called", () => {
  const dataset = numbered(4);
  expect(() => batchesOf(dataset, { size: 0 })).toThrow(
    new RangeError("batchesOf: size: expected an integer at least 1, got 0"),
  );
  expect(() => batchesOf(dataset, { size: 2, augment: 1 as never })).toThrow(
    new TypeError("batchesOf: augment: expected a function, got 1"),
  );
  expect(() => batchesOf(dataset, { size: 2 })(-1)).toThrow(
    new RangeError("batchesOf: step: expected an integer at least 0, got -1"),
  );
  const broken: Augmentation = ({ data }) => ({ data, shape: [3, 2, 1] });
  expect(() => batchesOf(dataset, { size: 2, augment: broken })(0)).toThrow(
    new RangeError("batchesOf: augment(…).data: expected 6 numbers, got Float32Array of length 4"),
  );
  expect(() => [...batches(dataset, { size: 2, augment: broken })]).toThrow(/^batches: augment\(…\)\.data: /);
  expect(() => inOrder(dataset, { size: 1.5 })).toThrow(
    new RangeError("inOrder: size: expected an integer at least 1, got 1.5"),
  );
  expect(() => inOrder(dataset)(0.5)).toThrow(
    new RangeError("inOrder: index: expected an integer at least 0, got 0.5"),
  );
  expect(() => inOrder({ ...dataset, count: 5 })).toThrow(/^inOrder: dataset\.images: /);
});

test("a batch holds byte / 255 in single precision, correctly rounded, with the labels beside", () => {
  const dataset = numbered(256);
  const { images, labels, shape } = takeBatch(dataset, upTo(256));
  expect(shape).toEqual([256, 2, 2, 1]);
  expect(labels).toEqual(dataset.labels);
  expect(images).toEqual(Float32Array.from({ length: 1024 }, (_, at) => Math.fround((at >> 2) / 255)));
  expect(takeBatch(dataset, [7, 7, 2])).toMatchObject({
    labels: Int32Array.of(1, 1, 2),
    shape: [3, 2, 2, 1],
  });
});

test("a sample is augmented alike in a batch of any size, and differently in every epoch", () => {
  const augment: Augmentation = (_, stream) => ({
    data: Float32Array.of(uniformFloat32(stream)),
    shape: [1, 1, 1],
  });
  const dataset = numbered(9);
  const look = (indices: number[], options: object = {}) => [
    ...takeBatch(dataset, indices, { augment, ...options }).images,
  ];
  const all = look([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(new Set(all).size).toBe(9);
  expect(look([5, 0])).toEqual([all[5], all[0]]);
  expect(look([5], { epoch: 1 })).not.toEqual([all[5]]);
  expect(look([5], { seed: 1 })).not.toEqual([all[5]]);
});

test("an augmentation that gives images of two shapes, or none, is refused", () => {
  const dataset = numbered(3);
  const growing: Augmentation = ({ data }) =>
    data[0] === 0 ? { data: new Float32Array(1), shape: [1, 1, 1] } : { data, shape: [2, 2, 1] };
  expect(() => takeBatch(dataset, [0, 1], { augment: growing })).toThrow(
    new RangeError("takeBatch: augment(…): expected images of one shape, got [2,2,1] after [1,1,1]"),
  );
  expect(() => takeBatch(dataset, [0], { augment: ({ data }) => ({ data, shape: [3, 2, 1] }) })).toThrow(
    new RangeError("takeBatch: augment(…).data: expected 6 numbers, got Float32Array of length 4"),
  );
  expect(() => takeBatch(dataset, [0, 3])).toThrow(
    new RangeError("takeBatch: indices[1]: expected a sample index in [0, 3), got 3"),
  );
  expect(() => takeBatch(dataset, [0], { epoch: 2 ** 21 })).toThrow(
    new RangeError("takeBatch: epoch: expected an integer in [0, 2097151], got 2097152"),
  );
  expect(() => takeBatch({ ...dataset, count: 4 }, [0])).toThrow(
    new RangeError("takeBatch: dataset.images: expected 16 bytes, got Uint8Array of length 12"),
  );
});

test("steps, sizes and counts that make no batch are refused at once", () => {
  expect(() => batchIndices({ count: 4, size: 5, step: 0, dropLast: true })).toThrow(
    new RangeError("batchIndices: size: expected an integer in [1, 4], got 5"),
  );
  expect(() => stepsPerEpoch({ count: 0, size: 5 })).toThrow(
    new RangeError("stepsPerEpoch: count: expected an integer in [1, 4294967295], got 0"),
  );
  expect(() => batchIndices({ count: 4, size: 2, step: -1 })).toThrow(
    new RangeError("batchIndices: step: expected an integer at least 0, got -1"),
  );
  // At the call, not when the first batch is pulled.
  expect(() => batches(numbered(4), { size: 0 })).toThrow(
    new RangeError("batches: size: expected an integer at least 1, got 0"),
  );
  expect(() => batches(numbered(4), { size: 2, epochs: 0.5 })).toThrow(
    new RangeError("batches: epochs: expected an integer at least 0, got 0.5"),
  );
});

const samplesOf = ({ images }: Dataset) => Array.from(images).filter((_, at) => at % 4 === 0);

test("the parts of a split have every sample once, of the sizes asked for, with their labels", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(9), { minLength: 1, maxLength: 5 }),
      fc.nat(9),
      fc.boolean(),
      (counts, seed, stratified) => {
        const dataset = numbered(counts.reduce((sum, n) => sum + n, 0));
        const parts = splitDataset(dataset, { counts, seed, stratified });
        expect(parts.map(({ count }) => count)).toEqual(counts);
        expect(Uint32Array.from(parts.flatMap(samplesOf)).toSorted()).toEqual(upTo(dataset.count));
        for (const part of parts) expect([...part.labels]).toEqual(samplesOf(part).map((i) => i % 3));
      },
    ),
    { numRuns: 60 },
  );
});

test("fractions that add up to 1 leave no sample out, although their sums are not exact", () => {
  for (const count of [1, 7, 10, 99]) {
    const parts = splitDataset(numbered(count), { fractions: [0.1, 0.2, 0.7] });
    expect(Uint32Array.from(parts.flatMap(samplesOf)).toSorted()).toEqual(upTo(count));
  }
  const tenths = Array.from({ length: 10 }, () => 0.1);
  expect(splitDataset(numbered(20), { fractions: tenths }).map(({ count }) => count)).toEqual(
    tenths.map(() => 2),
  );
  expect(splitDataset(numbered(10), { fractions: [0.8] }).map(({ count }) => count)).toEqual([8]);
});

test("a split is at random, by seed; a stratified one has every class in proportion", () => {
  const dataset = numbered(120, (i) => (i < 20 ? 0 : i < 60 ? 1 : 2)); // 20, 40, 60
  const classCounts = ({ labels }: Dataset) => [0, 1, 2].map((c) => labels.filter((l) => l === c).length);
  for (let seed = 0; seed < 20; seed++) {
    const [a, b] = splitDataset(dataset, { fractions: [0.3, 0.7], seed, stratified: true }) as [
      Dataset,
      Dataset,
    ];
    for (const [c, n] of [20, 40, 60].entries()) {
      // One class's cut is off by less than 1/2 from rounding, and by the roundings of the others beside it.
      expect(Math.abs(classCounts(a)[c]! - 0.3 * n)).toBeLessThanOrEqual(1);
      expect(Math.abs(classCounts(b)[c]! - 0.7 * n)).toBeLessThanOrEqual(1);
    }
  }
  const first = (seed: number, stratified: boolean) =>
    samplesOf(splitDataset(dataset, { counts: [30], seed, stratified })[0]!)
      .toSorted()
      .join();
  for (const stratified of [false, true]) {
    expect(first(0, stratified)).toBe(first(0, stratified));
    expect(first(0, stratified)).not.toBe(first(1, stratified));
  }
});

test("a stratified split deals every class out evenly: one of three is never first or last", () => {
  // Places (rank + 1/2) / size: 1/2 for the single one, 1/6, 3/6 and 5/6 for the others.
  const dataset = numbered(4, (i) => (i === 0 ? 0 : 1));
  const middle = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const parts = splitDataset(dataset, { counts: [1, 1, 1, 1], seed, stratified: true });
    const labels = parts.map((part) => part.labels[0]);
    expect([labels[0], labels[3]]).toEqual([1, 1]);
    middle.add(labels.slice(1, 3).join());
  }
  // A tie goes by the random order.
  expect([...middle].sort()).toEqual(["0,1", "1,0"]);
});

test("stratified, a class of one sample stands in the middle of the order, and halves of odd classes meet there", () => {
  // A single sample has rank 0 of 1: its place is 1/2, neither the first nor the last of the order.
  const dataset = numbered(21, (i) => (i === 13 ? 0 : 1));
  const hasIt = ({ labels }: Dataset) => labels.includes(0);
  for (let seed = 0; seed < 20; seed++) {
    const parts = splitDataset(dataset, { counts: [9, 3, 9], seed, stratified: true });
    expect(parts.map(hasIt)).toEqual([false, true, false]);
    // Three of each class: at 1/6, 3/6 and 5/6, so that thirds have one of each.
    const even = splitDataset(numbered(9), { counts: [3, 3, 3], seed, stratified: true });
    for (const { labels } of even) expect([...labels].sort()).toEqual([0, 1, 2]);
  }
});

test("splits and selections of what is not there are refused", () => {
  const dataset = numbered(10);
  expect(() => splitDataset(dataset, {})).toThrow(
    new TypeError("splitDataset: fractions, counts: expected one of them, got neither"),
  );
  expect(() => splitDataset(dataset, { counts: [1], fractions: [0.1] })).toThrow(
    new TypeError("splitDataset: fractions, counts: expected one of them, got both"),
  );
  expect(() => splitDataset(dataset, { counts: [5, 6] })).toThrow(
    new RangeError("splitDataset: counts: expected at most 10 samples in all, got 11"),
  );
  expect(() => splitDataset(dataset, { fractions: [0.5, 0.75] })).toThrow(
    new RangeError("splitDataset: fractions: expected a sum of at most 1, got 1.25"),
  );
  expect(() => splitDataset(dataset, { fractions: [-0.5] })).toThrow(
    new RangeError("splitDataset: fractions[0]: expected a number in [0, 1], got -0.5"),
  );
  expect(() => selectSamples(dataset, [10])).toThrow(
    new RangeError("selectSamples: indices[0]: expected a sample index in [0, 10), got 10"),
  );
});
