import { asBytes } from "./as-bytes.js";
import type { Dataset } from "./dataset.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";

const SIDE = 32;
const PLANE = SIDE * SIDE;
const RECORD = 1 + 3 * PLANE;

/**
 * Reads the binary version of CIFAR-10: records of 3073 bytes, a label and then 1024 bytes each of red, green and
 * blue, row by row. The planes are interleaved, so that images are `[32, 32, 3]` like all others here.
 *
 * @param batches The content of the files `data_batch_1.bin` …, in the order in which the samples are wanted.
 * @throws {RangeError} when a file breaks off inside a record or a label is not below 10; the message names the byte.
 * @throws {TypeError} when a file is neither a `Uint8Array` nor an `ArrayBuffer`.
 * @see Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html
 */
export function readCifar10(batches: readonly (Uint8Array | ArrayBufferLike)[]): Dataset {
  if (!Array.isArray(batches)) throw typeMismatch("readCifar10: batches", "an array of files", batches);
  const files = batches.map((bytes, i) => asBytes(`readCifar10: batches[${i}]`, bytes));
  for (const [i, file] of files.entries()) {
    if (file.length % RECORD !== 0) {
      throw new RangeError(
        `readCifar10: batches[${i}][${file.length}]: expected ${RECORD} bytes from ${file.length - (file.length % RECORD)} on, got the end of the file`,
      );
    }
    for (let start = 0; start < file.length; start += RECORD) {
      if (file[start]! > 9) {
        throw rangeMismatch(
          `readCifar10: batches[${i}][${start}] (sample ${start / RECORD})`,
          "a class below 10",
          file[start],
        );
      }
    }
  }
  const count = files.reduce((sum, { length }) => sum + length / RECORD, 0);
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Int32Array(count);
  let sample = 0;
  for (const file of files) {
    for (let start = 0; start < file.length; start += RECORD, sample++) {
      labels[sample] = file[start]!;
      let to = sample * 3 * PLANE;
      for (let from = start + 1; from <= start + PLANE; from++) {
        images[to++] = file[from]!;
        images[to++] = file[from + PLANE]!;
        images[to++] = file[from + 2 * PLANE]!;
      }
    }
  }
  return { images, labels, shape: [SIDE, SIDE, 3], classes: 10, count };
}
