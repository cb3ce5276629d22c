import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import { listMat, looksLikeMat, readMat } from "../src/index.js";

const folder = new URL("golden/", import.meta.url);
const file = (name: string) => new Uint8Array(readFileSync(new URL(name, folder)));

interface Golden {
  readonly files: Readonly<
    Record<string, Readonly<Record<string, { readonly shape: number[]; readonly data?: string[] }>>>
  >;
}
const golden: Golden = JSON.parse(readFileSync(new URL("mat-files.json", folder), "utf8"));

/** Python's words for numbers. */
const numberOf = (text: string) =>
  text === "nan" ? Number.NaN : text === "inf" ? Number.POSITIVE_INFINITY : Number(text);

test.each(Object.entries(golden.files))(
  "%s is read as scipy reads it, number by number",
  async (name, variables) => {
    const bytes = file(name);
    const listed = await listMat(bytes);
    expect(listed.map((variable) => variable.name)).toEqual(Object.keys(variables));
    for (const [variable, { shape, data }] of Object.entries(variables)) {
      const found = listed.find((one) => one.name === variable)!;
      expect(found.isMatrix).toBe(data !== undefined);
      if (data === undefined) continue;
      const read = await readMat(bytes, { variable });
      expect(read).toEqual({ ...found, data: Float64Array.from(data, numberOf) });
      expect(read.shape).toEqual(shape);
    }
  },
);

test("classes are said by name, and what is no matrix of real numbers by what it is", async () => {
  const kinds = async (name: string) => (await listMat(file(name))).map((one) => `${one.name}: ${one.kind}`);
  expect(await kinds("numbers.mat")).toEqual([
    "double: double", "single: single", "int8: int8", "uint8: uint8", "int16: int16", "uint16: uint16", "int32: int32",
    "uint32: uint32", "int64: int64", "uint64: uint64", "logical: logical", "none: double", "cube: double",
    "a_name_of_more_than_four_letters: double",
  ]); // biome-ignore format: a table
  expect(await kinds("others.mat")).toEqual([
    "z: complex numbers", "c: a cell array", "s: a struct", "t: text", "p: a sparse matrix", "m: double",
  ]); // biome-ignore format: a row
});

test("the only matrix needs no name; its numbers belong to the caller, wherever the bytes lie", async () => {
  const bytes = file("matrix-compressed.mat");
  const memory = new Uint8Array(bytes.length + 13);
  memory.set(bytes, 13);
  const { name, shape, data } = await readMat(memory.subarray(13));
  expect([name, shape]).toEqual(["data", [6, 3]]);
  // The target is 1 + 2 x1 - x2, rounded to three digits.
  for (let i = 0; i < 6; i++)
    expect(Math.abs(1 + 2 * data[i]! - data[6 + i]! - data[12 + i]!)).toBeLessThan(6e-4);
  data.fill(0);
  expect(memory.subarray(13)).toEqual(bytes);
  // One matrix among other things.
  expect(await readMat(file("others.mat"))).toMatchObject({ name: "m", data: Float64Array.of(1, 2) });
});

const chosen: [name: string, variable: string | undefined, message: string][] = [
  ["apart-compressed.mat", undefined, "readMat: variable: expected the name of one of several matrices, got X (6 x 2), d (6 x 1)"],
  ["apart-compressed.mat", "y", 'readMat: variable: expected one of X (6 x 2), d (6 x 1), got "y"'],
  ["others.mat", "z", "readMat: z: expected a matrix of real numbers, got complex numbers"],
  ["others.mat", "c", "readMat: c: expected a matrix of real numbers, got a cell array"],
  ["others.mat", "s", "readMat: s: expected a matrix of real numbers, got a struct"],
  ["others.mat", "t", "readMat: t: expected a matrix of real numbers, got text"],
  ["others.mat", "p", "readMat: p: expected a matrix of real numbers, got a sparse matrix"],
  ["level-4.mat", undefined, "readMat: bytes: expected MATLAB's level 5, got level 4 or another file (save it with -v7)"],
]; // biome-ignore format: a table

test.each(chosen)("of %s, %s is refused in words", async (name, variable, message) => {
  await expect(readMat(file(name), { ...(variable !== undefined && { variable }) })).rejects.toThrow(message);
});

/** A file of one version, with what stands behind its header. */
function matFile(
  content: Uint8Array,
  { mark = "IM", version = 0x0100, text = "MATLAB 5.0 MAT-file" } = {},
): Uint8Array {
  const bytes = new Uint8Array(128 + content.length);
  bytes.fill(0x20, 0, 116);
  bytes.set(new TextEncoder().encode(text));
  const view = new DataView(bytes.buffer);
  view.setUint16(124, version, mark === "IM");
  bytes.set(new TextEncoder().encode(mark), 126);
  bytes.set(content, 128);
  return bytes;
}

const words = (...numbers: number[]) => new Uint8Array(Uint32Array.from(numbers).buffer);

/** A double matrix `A` whose element may claim anything. */
const doubles = ({ shape = [1, 2], bytes = 16, code = 6, type = 9, data = new Uint8Array(16) } = {}) => {
  const dims = words(5, 4 * shape.length, ...shape, ...(shape.length % 2 === 0 ? [] : [0]));
  return concat(words(6, 8, code, 0), dims, words(0x10001, 0x41), words(type, bytes), data);
};

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const inElement = (type: number, content: Uint8Array, length = content.length) =>
  matFile(concat(words(type, length), content));

const packed = (content: Uint8Array, length = content.length) =>
  inElement(15, new Uint8Array(deflateSync(concat(words(14, length), content))));

test("the files made here are read, before they lie", async () => {
  for (const bytes of [inElement(14, doubles()), packed(doubles())]) {
    expect(await readMat(bytes)).toEqual({ name: "A", kind: "double", isMatrix: true, shape: [1, 2], data: new Float64Array(2) });
  } // biome-ignore format: a line
  // An opaque object has a name and no dimensions.
  const opaque = inElement(14, concat(words(6, 8, 17, 0), words(0x10001, 0x6f), words(1, 4, 0, 0)));
  expect(await listMat(opaque)).toEqual([
    { name: "o", kind: "an opaque object", isMatrix: false, shape: [] },
  ]);
  // Nameless: MATLAB's own.
  expect(
    await listMat(inElement(14, concat(words(6, 8, 9, 0), words(5, 8, 1, 0), words(1, 0), words(2, 0)))),
  ).toEqual([]);
  expect(await listMat(matFile(new Uint8Array(0)))).toEqual([]);
  await expect(readMat(matFile(new Uint8Array(0)))).rejects.toThrow(
    "expected a matrix of real numbers, got none",
  );
});

const huge = 0x7fffffff;
const broken: [what: string, bytes: Uint8Array, message: string][] = [
  ["no bytes", new Uint8Array(0), "bytes[0]: expected a header of 128 bytes, got the end of the file"],
  ["text", new TextEncoder().encode("1,2\n".repeat(60)), "bytes[126]: expected IM or MI, the byte order of a MATLAB file, got another file"],
  ["version 7.3", matFile(new Uint8Array(400), { version: 0x0200, text: "MATLAB 7.3 MAT-file" }), "expected MATLAB's level 5, got version 7.3, which is HDF5 (save it with -v7)"],
  ["HDF5", Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, ...new Uint8Array(200)), "version 7.3, which is HDF5"],
  ["another version", matFile(new Uint8Array(0), { version: 0x0300 }), "bytes[124]: expected version 0x0100 (level 5), got 0x0300"],
  ["another byte order in the version", matFile(new Uint8Array(0), { mark: "MI", version: 1 }), "expected version 0x0100 (level 5), got 0x0001"],
  ["half a tag", matFile(new Uint8Array(5)), "bytes[133]: expected the 8 bytes of a tag, got the end of the file"],
  ["an unknown element", inElement(3, new Uint8Array(8)), "bytes[128]: expected a variable (14) or a compressed one (15), got type 3"],
  ["an element of 4 gigabytes", inElement(14, doubles(), 0xfffffff8), "bytes[128]: expected 4294967288 bytes, got the end of the file after 64"],
  ["no flags", inElement(14, words(5, 8, 1, 1, 0, 0)), "bytes[136 + 0]: expected the flags of an array, 8 bytes of type 6, got 8 of type 5"],
  ["flags alone", inElement(14, words(6, 8, 6, 0)), "bytes[136 + 16]: expected flags, dimensions and a name, got the end of the variable"],
  ["one axis", inElement(14, concat(words(6, 8, 6, 0), words(5, 4, 1, 0))), "expected 2 to 32 dimensions of type 5, got 1 of type 5"],
  ["a thousand axes", inElement(14, concat(words(6, 8, 6, 0), words(5, 4000, 1, 0))), "expected 2 to 32 dimensions of type 5, got 1000"],
  ["a negative size", inElement(14, doubles({ shape: [1, 0xffffffff] })), "bytes[136 + 28]: expected a size of at least 0, got -1"],
  ["a name of 4 gigabytes", inElement(14, concat(words(6, 8, 6, 0), words(5, 8, 1, 1), words(1, 0xffffffff))), "expected a name of at most 4096 bytes of type 1, got 4294967295 bytes of type 1"],
  ["a small name of 9 bytes", inElement(14, concat(words(6, 8, 6, 0), words(5, 8, 1, 1), words(0x90001, 0x41))), "expected at most 4 bytes in a small element, got 9"],
  ["too many numbers", inElement(14, doubles({ shape: [1, 3] })), "expected 3 numbers ([1,3]) of 8 bytes, got 16 bytes"],
  ["exabytes of numbers", inElement(14, doubles({ shape: [huge, huge] })), "A: expected at most maxBytes = 1073741824 bytes, got"],
  ["gigabytes of numbers", inElement(14, doubles({ shape: [1, 2 ** 27], bytes: 2 ** 30 })), "expected 1073741824 bytes of numbers, got the end of the variable"],
  ["numbers of an unknown type", inElement(14, doubles({ type: 8 })), "expected numbers (types 1, 2, 3, 4, 5, 6, 7, 9, 12, 13), got type 8"],
  ["no numbers", inElement(14, doubles().subarray(0, 40)), "expected the tag of the numbers, got the end of the variable"],
  ["a small element of 16 bytes", inElement(14, concat(doubles().subarray(0, 40), words((16 << 16) | 9, 0))), "expected at most 4 bytes in a small element, got 16"],
  ["dimensions in a small element of 72 bytes", packed(concat(words(6, 8, 6, 0), words((72 << 16) | 5, 0, 0, 0, 0, 0))), "bytes[136] (decompressed: 24): expected at most 4 bytes in a small element, got 72"],
  ["a stream that is none", inElement(15, new Uint8Array(40).fill(7)), "bytes[136]: expected a whole zlib stream"],
  ["half a stream", inElement(15, new Uint8Array(deflateSync(concat(words(14, 64), doubles()))).subarray(0, 20)), "expected a whole zlib stream and nothing behind it"],
  ["something else in the stream", inElement(15, new Uint8Array(deflateSync(words(1, 8, 0, 0)))), "bytes[136] (decompressed: 0): expected a variable (14), got type 1"],
  ["less than it says in the stream", packed(doubles(), 4000), "expected 4008 bytes, got the end of the stream"],
  ["more than it says in the stream", packed(doubles(), 40), "expected 48 bytes, got more"],
  ["4 gigabytes in a stream", packed(doubles(), 0xfffffff8), "expected at most 1073807360 bytes, got 4294967296"],
]; // biome-ignore format: a table

test.each(broken)("%s is refused with its place", async (_, bytes, message) => {
  await expect(readMat(bytes)).rejects.toThrow(message);
  await expect(readMat(bytes)).rejects.toThrow(RangeError);
});

test("what is neither bytes nor a name is refused", async () => {
  await expect(readMat("A" as never)).rejects.toThrow(/readMat: bytes: expected a Uint8Array or ArrayBuffer/);
  await expect(readMat(new Uint8Array(0), { variable: 3 as never })).rejects.toThrow("readMat: variable: expected a name");
  await expect(readMat(new Uint8Array(0), { maxBytes: 0 })).rejects.toThrow("readMat: maxBytes: expected an integer");
}); // biome-ignore format: short

test("files of MATLAB are known by their first bytes, text is not taken for one", () => {
  const names = readdirSync(folder).filter((name) => name.endsWith(".mat"));
  expect(names.length).toBeGreaterThan(6);
  for (const name of names) expect(looksLikeMat(file(name))).toBe(true);
  for (const [, bytes] of broken.slice(2, 6)) expect(looksLikeMat(bytes as never)).toBe(true);
  for (const text of ["", "a,b\n1,2\n", "1,2,3\n".repeat(50), "\uFEFF1,2\n"]) {
    expect(looksLikeMat(new TextEncoder().encode(text))).toBe(false);
  }
});

afterEach(() => vi.unstubAllGlobals());

/** Counts what comes out of decompression from here on. */
function countDecompressed(): { bytes: number } {
  const counted = { bytes: 0 };
  const Original = DecompressionStream;
  vi.stubGlobal(
    "DecompressionStream",
    class {
      readonly readable: ReadableStream;
      readonly writable: WritableStream;
      constructor(format: CompressionFormat) {
        const { readable, writable } = new Original(format);
        this.writable = writable;
        this.readable = readable.pipeThrough(
          new TransformStream({
            transform(chunk, controller) {
              counted.bytes += chunk.length;
              controller.enqueue(chunk);
            },
          }),
        );
      }
    },
  );
  return counted;
}

test("a bomb is not lit: no more is decompressed than the header, or than it says, or than is allowed", async () => {
  const size = 2 ** 26;
  const numbers = new Uint8Array(size);
  const head = (bytes: number) =>
    new Uint8Array([
      ...words(14, 48 + bytes),
      ...doubles({ shape: [1, size / 8], bytes, data: new Uint8Array(0) }),
    ]);
  const bomb = (bytes: number) =>
    inElement(15, new Uint8Array(deflateSync(Buffer.concat([head(bytes), numbers]), { level: 9 })));
  const honest = bomb(size);
  expect(honest.length).toBeLessThan(size / 900);
  const counted = countDecompressed();
  expect(await listMat(honest)).toMatchObject([{ name: "A", shape: [1, size / 8] }]);
  // What is handed over before the header is known: a slice of 16 KB of the stream at the most.
  expect(counted.bytes).toBeLessThan(2 ** 25);
  await expect(readMat(honest, { maxBytes: 2 ** 20 })).rejects.toThrow(
    "expected at most maxBytes = 1048576 bytes",
  );
  counted.bytes = 0;
  await expect(readMat(bomb(80))).rejects.toThrow("expected 136 bytes, got more");
  expect(counted.bytes).toBeLessThan(2 ** 26);
  counted.bytes = 0;
  expect((await readMat(honest)).data).toHaveLength(size / 8);
  expect(counted.bytes).toBeGreaterThan(size);
}, 20_000);

const fixtures = [...Object.keys(golden.files), "level-4.mat"].map(file);

/** Either a RangeError in words, or numbers within the bounds of the file. */
async function expectCleanRead(bytes: Uint8Array): Promise<boolean> {
  let read = true;
  const attempt = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      expect(error.message).toMatch(/^(listMat|readMat): /);
      expect(error.message.length).toBeLessThan(900);
      read = false;
    }
  };
  const names: string[] = [];
  await attempt(async () => void names.push(...(await listMat(bytes)).map(({ name }) => name)));
  for (const variable of names.slice(0, 3)) {
    await attempt(async () => {
      const { shape, data } = await readMat(bytes, { variable });
      expect(data.length).toBe(shape.reduce((product, size) => product * size, 1));
      // zlib packs at most a thousand times, and a byte becomes eight.
      expect(data.byteLength).toBeLessThan(8000 * bytes.length);
    });
  }
  return read;
}

test("files with a few changed bytes are read or refused, and never anything else", async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 });
  let read = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...fixtures), changes, async (fixture, edits) => {
      const bytes = fixture.slice();
      // Half of the changes in the first variable, where headers are.
      for (const [at, byte] of edits) bytes[at % 2 === 0 ? at % bytes.length : 120 + (at % 100)] = byte;
      read += Number(await expectCleanRead(bytes));
    }),
    { numRuns: 600 },
  );
  expect(read).toBeGreaterThan(20); // numbers may change: that the test reaches both outcomes
  expect(read).toBeLessThan(580);
}, 30_000);

test("a compressed variable whose content was changed before it was packed is read or refused likewise", async () => {
  const changes = fc.array(fc.tuple(fc.nat(55), fc.nat(255)), { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(changes, async (edits) => {
      const content = concat(words(14, 64), doubles());
      for (const [at, byte] of edits) content[at] = byte;
      await expectCleanRead(inElement(15, new Uint8Array(deflateSync(content))));
    }),
    { numRuns: 1000 },
  );
}, 20_000);

test("a file that breaks off anywhere but between two variables is refused", async () => {
  for (const name of ["others.mat", "little-endian-by-hand.mat", "big-endian-by-hand.mat"]) {
    const bytes = file(name);
    const all = (await listMat(bytes)).length;
    let whole = 0;
    for (let length = 0; length < bytes.length; length++) {
      const listed = await listMat(bytes.subarray(0, length)).catch((error: unknown) => error);
      if (listed instanceof RangeError) continue;
      expect(listed).toBeInstanceOf(Array);
      expect((listed as unknown[]).length).toBeLessThan(all);
      whole++;
    }
    // Behind the header, and behind every variable but the last.
    expect(whole).toBe(all);
  }
}, 20_000);
