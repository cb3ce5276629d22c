import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadImageData } from "@gradlab/studies";
import { expect, test } from "vitest";
import { folderInput } from "../src/input-files.js";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

/** A folder with so many grey pictures in each of its folders. */
async function pictures(counts: Readonly<Record<string, number>>): Promise<string> {
  const data = await temporaryFolder();
  for (const [folder, count] of Object.entries(counts)) {
    await mkdir(join(data, folder), { recursive: true });
    for (let i = 0; i < count; i++) await writeGrey(join(data, folder, `${i}.png`), 4, () => i);
  }
  return data;
}

const load = async (data: string, validation = 0) =>
  loadImageData(await folderInput(data, "--data"), { seed: 0, validation, inputSize: [4, 4] });

test.each([
  ["train", "val", "test"],
  ["training", "valid", "testing"],
  ["Train", "validation", "Test"],
])("pictures in %s, %s and %s are the three sets", async (train, val, held) => {
  const data = await pictures({
    [`${train}/cat`]: 3,
    [`${train}/dog`]: 2,
    [`${val}/cat`]: 1,
    [`${val}/dog`]: 1,
    [`${held}/dog`]: 4,
  });
  const { train: images, validation, test: last, labels, warnings } = await load(data);
  expect([images.count, validation?.count, last?.count]).toEqual([5, 2, 4]);
  expect([...last!.labels]).toEqual([1, 1, 1, 1]);
  expect({ labels, warnings }).toEqual({ labels: ["cat", "dog"], warnings: [] });
  // A share beside them is of no use, and says so.
  const asked = await load(data, 0.4);
  expect([asked.train.count, asked.validation?.count]).toEqual([5, 2]);
  expect(asked.warnings).toEqual([expect.stringContaining("has images for validation")]);
});

test("train and val without test are understood; a class of val that nothing trains is named", async () => {
  const data = await pictures({ "train/cat": 2, "train/dog": 2, "val/cat": 1 });
  const loaded = await load(data);
  expect([loaded.train.count, loaded.validation?.count, loaded.test]).toEqual([4, 1, null]);
  await mkdir(join(data, "val", "cow"));
  await writeGrey(join(data, "val", "cow", "0.png"), 4, () => 0);
  await expect(load(data)).rejects.toThrow(
    `${data}/val/cow: expected a class of the training images (cat, dog)`,
  );
});

test("folders without pictures are no classes, and pictures in no class are left out, with warnings", async () => {
  const data = await pictures({ cat: 2, dog: 2, empty: 0, "dog/puppies": 1, notes: 0 });
  await writeFile(join(data, "notes", "readme.txt"), "none");
  await writeGrey(join(data, "loose.png"), 4, () => 0);
  const { labels, train, warnings } = await load(data);
  expect([labels, train.count]).toEqual([["cat", "dog"], 4]);
  expect(warnings).toEqual([
    `${data}: no picture in empty, notes, which are no classes`,
    `${data}: 2 pictures stand in no folder of a class: dog/puppies/0.png, loose.png`,
  ]);
});

test("one broken picture of a hundred is named and left out, two are an error", async () => {
  const data = await pictures({ cat: 50, dog: 50 });
  const [first, second] = [join(data, "cat", "7.png"), join(data, "dog", "9.png")];
  await writeFile(first, "no picture");
  const { train, warnings } = await load(data);
  expect(train.count).toBe(99);
  expect([...train.labels].filter((label) => label === 0)).toHaveLength(49);
  expect(warnings).toEqual([
    expect.stringContaining(`1 of 100 pictures are left out: ${first}: not a picture that can be read`),
  ]);
  await writeFile(second, "");
  await expect(load(data)).rejects.toThrow(/cat\/7\.png: .*dog\/9\.png: .*of 100 pictures 1 may be broken/);
});

test("train-cnn prints these warnings and watches the images of val", async () => {
  const data = await pictures({
    "train/cat": 3,
    "train/dog": 3,
    "val/cat": 2,
    "val/dog": 2,
    "train/none": 0,
  });
  const net = ["--net", "lenet-relu", "--width", "2,3,8,6", "--input", "28", "--epochs", "1", "--json"];
  const { code, stdout, stderr } = await gradlab([
    ...["train-cnn", ...net, "--data", data, "--backend", "cpu"],
  ]);
  expect(code).toBe(0);
  expect(stderr).toContain("no picture in train/none");
  const result = JSON.parse(stdout);
  expect(result.data).toMatchObject({ train: 6, validation: 4, test: 0 });
  expect(result.warnings).toHaveLength(1);
}, 40_000);
