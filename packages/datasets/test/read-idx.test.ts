import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type IdxArray, readIdx, readIdxImages, writeIdx } from "../src/index.js";

const bytes = (text: string) =>
  Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (pair) => Number.parseInt(pair, 16));

const arrays = {
  uint8: Uint8Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

const anyArray: fc.Arbitrary<IdxArray> = fc
  .record({
    dtype: fc.constantFrom(...(Object.keys(arrays) as (keyof typeof arrays)[])),
    shape: fc.array(fc.nat(4), { maxLength: 4 }),
    seed: fc.uint8Array({ minLength: 8, maxLength: 64 }),
  })
  .map(({ dtype, shape, seed }) => {
    const elements = shape.reduce((product, length) => product * length, 1);
    const Kind = arrays[dtype];
    // Any bits, so that NaNs, infinities and negative zeros come up.
    const raw = Uint8Array.from(
      { length: elements * Kind.BYTES_PER_ELEMENT },
      (_, i) => seed[i % seed.length]! + i,
    );
    return { dtype, shape, data: new Kind(raw.buffer) } as IdxArray;
  });

/** NaNs of different bits are one NaN; everything else, the sign of zero included, counts. */
const sameNumbers = (a: IdxArray, b: IdxArray) => {
  expect(a.dtype).toBe(b.dtype);
  expect(a.shape).toEqual(b.shape);
  expect(a.data).toEqual(b.data);
};

test("any type and rank is read back as it was written, compressed or not, at any place in memory", async () => {
  await fc.assert(
    fc.asyncProperty(anyArray, fc.nat(9), async (array, offset) => {
      const file = writeIdx(array);
      const memory = new Uint8Array(file.length + offset);
      memory.set(file, offset);
      sameNumbers(await readIdx(memory.subarray(offset)), array);
      sameNumbers(await readIdx(new Uint8Array(gzipSync(file))), array);
    }),
    { numRuns: 60 },
  );
});

test("numbers are big-endian in the file: a file by hand of every type wider than a byte", async () => {
  // A reader and a writer that both forget the byte order agree with each other.
  for (const [file, array] of [
    ["00 00 09 01 00 00 00 02  ff 7f", { dtype: "int8", shape: [2], data: Int8Array.of(-1, 127) }],
    ["00 00 0b 01 00 00 00 02  00 01 ff fe", { dtype: "int16", shape: [2], data: Int16Array.of(1, -2) }],
    [
      "00 00 0c 02 00 00 00 01 00 00 00 02  00 00 01 00 ff ff ff ff",
      { dtype: "int32", shape: [1, 2], data: Int32Array.of(256, -1) },
    ],
    ["00 00 0d 01 00 00 00 01  3f c0 00 00", { dtype: "float32", shape: [1], data: Float32Array.of(1.5) }],
    ["00 00 0e 00  c0 00 00 00 00 00 00 00", { dtype: "float64", shape: [], data: Float64Array.of(-2) }],
  ] as [string, IdxArray][]) {
    expect(await readIdx(bytes(file))).toEqual(array);
    expect(writeIdx(array)).toEqual(bytes(file));
  }
});

// A Buffer's `slice` is a view where that of a Uint8Array copies, and its memory is larger than it.
test("a Buffer, as Node reads files, is read like any other bytes, and not kept", async () => {
  for (const array of [
    { dtype: "uint8", shape: [3], data: Uint8Array.of(5, 6, 250) },
    { dtype: "int8", shape: [3], data: Int8Array.of(5, -6, 7) },
  ] as IdxArray[]) {
    const file = Buffer.concat([Buffer.of(1, 2, 3), writeIdx(array)]).subarray(3);
    const found = await readIdx(file);
    expect(found).toEqual(array);
    expect(Object.getPrototypeOf(found.data)).toBe(Object.getPrototypeOf(array.data));
    expect(found.data.buffer).not.toBe(file.buffer);
  }
});

test("what is read belongs to the caller: changing it leaves the file as it is", async () => {
  const file = bytes("00 00 08 01 00 00 00 02  05 06");
  const { data } = await readIdx(file);
  data[0] = 9;
  expect(file[8]).toBe(5);
  expect(await readIdx(file.buffer)).toMatchObject({ data: Uint8Array.of(5, 6) });
});

test.each([
  ["", "readIdx: bytes[0]: expected a header of at least 4 bytes, got the end of the file"],
  ["00 00 08", "readIdx: bytes[3]: expected a header of at least 4 bytes, got the end of the file"],
  ["89 50 4e 47", "readIdx: bytes[0]: expected 0x00 (IDX), got 0x89"],
  ["00 01 08 01", "readIdx: bytes[1]: expected 0x00 (IDX), got 0x01"],
  [
    "00 00 0a 01 00 00 00 01 00",
    "readIdx: bytes[2]: expected a type of data, one of 0x08, 0x09, 0x0b, 0x0c, 0x0d, 0x0e, got 0x0a",
  ],
  [
    "00 00 08 02 00 00 00 01 00",
    "readIdx: bytes[9]: expected 2 dimensions of 4 bytes each, got the end of the file",
  ],
  [
    "00 00 0b 01 00 00 00 02 00 01 00",
    "readIdx: bytes[11]: expected 12 bytes (shape [2]), got the end of the file",
  ],
  [
    "00 00 08 01 00 00 00 01 07 00",
    "readIdx: bytes[9]: expected the end of the file (shape [1]), got more bytes",
  ],
  [
    "00 00 08 02 ff ff ff ff ff ff ff ff 00",
    "readIdx: bytes[8]: expected a file of fewer than 2^53 bytes, got 4294967295",
  ],
])("a broken file is refused at its byte: %s", async (file, message) => {
  await expect(readIdx(bytes(file))).rejects.toThrow(new RangeError(message));
});

test("dimensions whose product is 0 hold nothing, however large the others are", async () => {
  const file = bytes("00 00 08 03 ff ff ff ff ff ff ff ff 00 00 00 00");
  expect(await readIdx(file)).toMatchObject({
    shape: [2 ** 32 - 1, 2 ** 32 - 1, 0],
    data: new Uint8Array(0),
  });
});

test("a compressed file is decompressed no further than it says itself", async () => {
  // 50 MB of zeros behind a header that promises 3 bytes, with a broken checksum: whoever decompresses all of it meets
  // the checksum, whoever stops does not.
  const content = new Uint8Array(50_000_000);
  content.set(bytes("00 00 08 01 00 00 00 03"));
  const file = new Uint8Array(gzipSync(content));
  file[file.length - 5]! ^= 1;
  await expect(readIdx(file)).rejects.toThrow(
    new RangeError(
      "readIdx: bytes[11] (decompressed): expected the end of the file (shape [3]), got more bytes",
    ),
  );
});

test("a compressed file is decompressed no further than maxBytes, which it may just reach", async () => {
  const file = new Uint8Array(gzipSync(bytes("00 00 08 01 00 00 00 03 01 02 03")));
  expect(await readIdx(file, { maxBytes: 11 })).toMatchObject({ data: Uint8Array.of(1, 2, 3) });
  await expect(readIdx(file, { maxBytes: 10 })).rejects.toThrow(
    new RangeError(
      "readIdx: bytes[4] (decompressed): expected at most maxBytes = 10 bytes, got 11 (shape [3])",
    ),
  );
  await expect(readIdx(file, { maxBytes: 0 })).rejects.toThrow(
    new RangeError("readIdx: maxBytes: expected an integer at least 1, got 0"),
  );
});

test("a compressed file that breaks off, is damaged or lies about its length is refused", async () => {
  const content = new Uint8Array(100_008).map((_, i) => (i * i) >> 5);
  content.set(bytes("00 00 08 01 00 01 86 a0"));
  const file = new Uint8Array(gzipSync(content));
  expect((await readIdx(file)).data.length).toBe(100_000);
  await expect(readIdx(file.subarray(0, file.length - 9))).rejects.toThrow(
    /^readIdx: bytes: expected a whole gzip stream and nothing behind it, got one that breaks off, is damaged or goes on, after \d+ bytes of content$/,
  );
  const damaged = file.slice();
  damaged[file.length - 6]! ^= 1; // a byte of the checksum
  await expect(readIdx(damaged)).rejects.toThrow(/breaks off, is damaged or goes on/);
  const followed = new Uint8Array([...file, ...bytes("01 02 03")]);
  await expect(readIdx(followed)).rejects.toThrow(/breaks off, is damaged or goes on/);
  const short = new Uint8Array(gzipSync(content.subarray(0, 50_000)));
  await expect(readIdx(short)).rejects.toThrow(
    new RangeError(
      "readIdx: bytes[50000] (decompressed): expected 100008 bytes (shape [100000]), got the end of the file",
    ),
  );
});

test("other arguments are refused by name", async () => {
  await expect(readIdx("file.gz" as unknown as Uint8Array)).rejects.toThrow(
    new TypeError('readIdx: bytes: expected a Uint8Array or ArrayBuffer, got "file.gz"'),
  );
  const write = (array: object) => () => writeIdx(array as IdxArray);
  expect(write({ dtype: "int16", shape: [2], data: Uint8Array.of(1, 2) })).toThrow(
    new TypeError("writeIdx: data: expected an Int16Array, got Uint8Array of length 2"),
  );
  expect(write({ dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2) })).toThrow(
    new RangeError("writeIdx: data: expected 3 numbers (shape [3]), got Uint8Array of length 2"),
  );
  expect(write({ dtype: "bool", shape: [1], data: Uint8Array.of(1) })).toThrow(
    new RangeError(
      'writeIdx: dtype: expected one of "uint8", "int8", "int16", "int32", "float32", "float64", got "bool"',
    ),
  );
  expect(write({ dtype: "uint8", shape: [-1], data: Uint8Array.of() })).toThrow(
    new RangeError("writeIdx: shape[0]: expected an integer in [0, 4294967295], got -1"),
  );
});

const images = writeIdx({ dtype: "uint8", shape: [3, 1, 2], data: Uint8Array.of(0, 255, 1, 2, 3, 4) });
const labels = writeIdx({ dtype: "uint8", shape: [3], data: Uint8Array.of(1, 4, 0) });

test("a pair of files is a data set, with as many classes as the labels need or more", async () => {
  expect(await readIdxImages(images, new Uint8Array(gzipSync(labels)))).toEqual({
    images: Uint8Array.of(0, 255, 1, 2, 3, 4),
    labels: Int32Array.of(1, 4, 0),
    shape: [1, 2, 1],
    classes: 5,
    count: 3,
  });
  expect((await readIdxImages(images, labels, { classes: 10 })).classes).toBe(10);
  const color = writeIdx({ dtype: "uint8", shape: [3, 1, 1, 2], data: new Uint8Array(6) });
  expect((await readIdxImages(color, labels)).shape).toEqual([1, 1, 2]);
});

test("a pair that does not match is refused at its byte", async () => {
  const two = writeIdx({ dtype: "uint8", shape: [2], data: Uint8Array.of(1, 4) });
  const wide = writeIdx({ dtype: "int16", shape: [3], data: Int16Array.of(1, 4, 0) });
  const empty = writeIdx({ dtype: "uint8", shape: [3, 0, 2], data: Uint8Array.of() });
  for (const [first, second, message] of [
    [images, two, "readIdxImages: labels[4]: expected 3 labels, one for every image, got 2"],
    [images, wide, 'readIdxImages: labels[2]: expected 0x08 (uint8), got "int16"'],
    [labels, images, "readIdxImages: images[3]: expected rank 3 or 4, got 1"],
    [images, images, "readIdxImages: labels[3]: expected rank 1, got 3"],
    [empty, labels, "readIdxImages: images[8]: expected an integer at least 1, got 0"],
    [
      images,
      labels.subarray(0, 9),
      "readIdxImages: labels[9]: expected 11 bytes (shape [3]), got the end of the file",
    ],
  ] as const) {
    await expect(readIdxImages(first, second)).rejects.toThrow(new RangeError(message));
  }
  await expect(readIdxImages(images, labels, { classes: 4 })).rejects.toThrow(
    new RangeError("readIdxImages: labels[9] (sample 1): expected a class below 4, got 4"),
  );
});

const data = process.env.GRADLAB_DATA;

test.skipIf(!data)(
  "900 images of Fashion-MNIST are read: ten classes, 28 x 28, in their known proportions",
  async () => {
    const file = (name: string) => readFileSync(`${data}/fashion-mnist-900/${name}-ubyte.gz`);
    const train = await readIdxImages(file("train-images-idx3"), file("train-labels-idx1"));
    const probe = await readIdxImages(file("t10k-images-idx3"), file("t10k-labels-idx1"));
    expect(train).toMatchObject({ shape: [28, 28, 1], classes: 10, count: 700 });
    expect(probe).toMatchObject({ shape: [28, 28, 1], classes: 10, count: 200 });
    // The mean of all of Fashion-MNIST's training pixels is 0.2860 with a deviation between images of 0.15: the mean of
    // 700 is within 4 · 0.15 / sqrt(700) of it.
    const mean = train.images.reduce((sum, value) => sum + value, 0) / train.images.length / 255;
    expect(Math.abs(mean - 0.286)).toBeLessThan(0.023);
  },
);
