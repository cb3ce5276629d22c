import { expect, test } from "vitest";
import { generateShapes, resizeDataset, resizeImage } from "../src/index.js";

test("every image of a data set is resized on its own, labels stay", () => {
  for (const channels of [1, 3] as const) {
    const dataset = generateShapes({ count: 12, size: 20, channels });
    const resized = resizeDataset(dataset, [33, 17]);
    expect(resized).toMatchObject({ shape: [33, 17, channels], count: 12, classes: 10 });
    expect(resized.labels).toEqual(dataset.labels);
    const [from, to] = [20 * 20 * channels, 33 * 17 * channels];
    const eighth = { height: 20, width: 20, data: dataset.images.slice(8 * from, 9 * from) };
    expect(resized.images.slice(8 * to, 9 * to)).toEqual(resizeImage(eighth, [33, 17]).data);
  }
});

test("a size that fits changes nothing; one that is none is refused", () => {
  const dataset = generateShapes({ count: 2, size: 16 });
  expect(resizeDataset(dataset, [16, 16])).toBe(dataset);
  expect(() => resizeDataset(dataset, [0, 16])).toThrow("resizeDataset: size[0]: expected");
  expect(() => resizeDataset({ ...dataset, shape: [16, 8, 2] }, [4, 4])).toThrow(
    "resizeDataset: dataset.shape[2]: expected 1, 3 or 4 channels, got 2",
  );
});
