import { expect, test } from "vitest";
import { cifar10Labels, fashionMnistLabels, readCifar10 } from "../src/index.js";

/** A record whose red is the pixel's place, its green one more, its blue two more, all modulo 251. */
function record(label: number): Uint8Array {
  return Uint8Array.from({ length: 3073 }, (_, at) =>
    at === 0 ? label : (((at - 1) % 1024) + Math.floor((at - 1) / 1024)) % 251,
  );
}

test("records of planes become images of pixels, file after file", () => {
  const both = new Uint8Array(2 * 3073);
  both.set(record(9));
  both.set(record(0), 3073);
  const { images, labels, shape, classes, count } = readCifar10([both, record(3).buffer as ArrayBuffer]);
  expect({ labels, shape, classes, count }).toEqual({
    labels: Int32Array.of(9, 0, 3),
    shape: [32, 32, 3],
    classes: 10,
    count: 3,
  });
  const expected = Uint8Array.from({ length: 3072 }, (_, i) => (Math.floor(i / 3) + (i % 3)) % 251);
  for (const sample of [0, 1, 2]) {
    expect(images.subarray(sample * 3072, (sample + 1) * 3072)).toEqual(expected);
  }
  expect(readCifar10([]).count).toBe(0);
});

test("a file that breaks off and a label that is none are refused at their byte", () => {
  expect(() => readCifar10([record(1), new Uint8Array(4000)])).toThrow(
    new RangeError(
      "readCifar10: batches[1][4000]: expected 3073 bytes from 3073 on, got the end of the file",
    ),
  );
  const both = new Uint8Array(2 * 3073);
  both[3073] = 10;
  expect(() => readCifar10([both])).toThrow(
    new RangeError("readCifar10: batches[0][3073] (sample 1): expected a class below 10, got 10"),
  );
  expect(() => readCifar10(record(1) as never)).toThrow(
    new TypeError("readCifar10: batches: expected an array of files, got Uint8Array of length 3073"),
  );
  expect(() => readCifar10([[1, 2]] as never)).toThrow(
    new TypeError("readCifar10: batches[0]: expected a Uint8Array or ArrayBuffer, got an array of length 2"),
  );
});

test("each of the ten labels has a name of its own", () => {
  for (const names of [cifar10Labels, fashionMnistLabels]) expect(new Set(names).size).toBe(10);
  expect([cifar10Labels[3], fashionMnistLabels[9]]).toEqual(["cat", "ankle boot"]);
});
