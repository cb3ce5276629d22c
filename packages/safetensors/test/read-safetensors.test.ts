import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeTensor,
  readSafetensors,
  readSafetensorsHeader,
  readTensor,
  safetensorsHeaderLength,
  writeSafetensors,
} from "../src/index.js";
import { arbitraryMetadata, arbitraryTensors, bytesOf, comparable } from "./arbitrary-tensors.js";
import { composeFile } from "./compose-file.js";

const twoTensors = () =>
  writeSafetensors({
    weight: { dtype: "F32", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) },
    mask: { dtype: "BOOL", shape: [3], data: new Uint8Array([1, 0, 1]) },
  });

/** The same bytes `shift` bytes further in memory. */
function shifted(file: Uint8Array, shift: number): Uint8Array {
  const moved = new Uint8Array(file.length + shift).subarray(shift);
  moved.set(file);
  return moved;
}

test("any tensors and metadata come back from a file bit for bit", () => {
  fc.assert(
    fc.property(arbitraryTensors, arbitraryMetadata, (tensors, metadata) => {
      const result = readSafetensors(writeSafetensors(tensors, { metadata }));
      expect(comparable(result.tensors)).toEqual(comparable(tensors));
      expect(new Map(result.metadata)).toEqual(new Map(metadata));
    }),
    { numRuns: 400 },
  );
});

test("the header alone, one tensor at a time and its own bytes give what the full read gives", () => {
  fc.assert(
    fc.property(
      arbitraryTensors,
      arbitraryMetadata,
      fc.integer({ min: 0, max: 7 }),
      (tensors, metadata, shift) => {
        const file = shifted(writeSafetensors(tensors, { metadata }), shift);
        const full = readSafetensors(file);
        const head = file.slice(0, safetensorsHeaderLength(file.slice(0, 8)));
        const header = readSafetensorsHeader(head, { fileByteLength: file.length });
        expect(header.fileByteLength).toBe(file.length);
        expect(header.metadata).toEqual(full.metadata);
        expect([...header.tensors.keys()]).toEqual([...full.tensors.keys()]);
        const one = [...header.tensors.keys()].map((name) => [name, readTensor(file, header, name)] as const);
        expect(comparable(one)).toEqual(comparable(full.tensors));
        const own = [...header.tensors].map(([name, entry]) => {
          const range = file.slice(entry.byteOffset, entry.byteOffset + entry.byteLength);
          return [name, decodeTensor(range, entry)] as const;
        });
        expect(comparable(own)).toEqual(comparable(full.tensors));
      },
    ),
    { numRuns: 200 },
  );
});

test("the data of an aligned tensor is a view of the file's memory", () => {
  const file = twoTensors();
  const { data } = readSafetensors(file).tensors.get("weight")!;
  expect(data.buffer).toBe(file.buffer);
  file[data.byteOffset + 3] = 0xc0; // 1 becomes -4
  expect(data[0]).toBe(-4);
});

test("the data of a misaligned tensor is a copy of that tensor alone", () => {
  const file = shifted(twoTensors(), 1);
  const { tensors } = readSafetensors(file);
  const weight = tensors.get("weight")!.data;
  expect([...(weight as Float32Array)]).toEqual([1, 2, 3, 4]);
  expect(weight.buffer).not.toBe(file.buffer);
  expect(weight.buffer.byteLength).toBe(16);
  expect(tensors.get("mask")!.data.buffer).toBe(file.buffer); // single bytes are always aligned
});

test("a misaligned Node Buffer is copied, although its slice would not copy", () => {
  const buffer = Buffer.concat([Buffer.alloc(1), twoTensors()]).subarray(1);
  const { data } = readSafetensors(buffer).tensors.get("weight")!;
  expect(Object.getPrototypeOf(data)).toBe(Float32Array.prototype);
  expect([...(data as Float32Array)]).toEqual([1, 2, 3, 4]);
});

test("an ArrayBuffer and shared memory are read like an array of their bytes", () => {
  const file = twoTensors();
  const shared = new Uint8Array(new SharedArrayBuffer(file.length));
  shared.set(file);
  const expected = comparable(readSafetensors(file).tensors);
  expect(comparable(readSafetensors(file.buffer).tensors)).toEqual(expected);
  expect(comparable(readSafetensors(shared).tensors)).toEqual(expected);
  expect(comparable(readSafetensors(shared.buffer).tensors)).toEqual(expected);
});

test("the number of bytes that the header needs follows from the first 8", () => {
  const file = twoTensors();
  const needed = safetensorsHeaderLength(file.subarray(0, 8));
  expect(needed).toBe(8 + Number(new DataView(file.buffer).getBigUint64(0, true)));
  expect(readSafetensorsHeader(file.subarray(0, needed)).tensors.get("weight")).toEqual({
    name: "weight",
    dtype: "F32",
    shape: [2, 2],
    byteOffset: needed,
    byteLength: 16,
  });
  expect(() => readSafetensorsHeader(file.subarray(0, needed - 1))).toThrow(
    `readSafetensorsHeader: bytes: expected at least ${needed} for the length and the header, got ${needed - 1}`,
  );
});

test("a header with spaces, escapes, keys in another order and no padding is read", () => {
  const header =
    '{ "a\\u0062\\n" : {"data_offsets":[ 4,\t12 ],"shape":\r\n[2],"dtype":"F32"},"":{"dtype":"I32","shape":[],"data_offsets":[0,4]} } ';
  const { tensors } = readSafetensors(
    composeFile(header, new Uint8Array([7, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64])),
  );
  expect([...tensors.keys()]).toEqual(["ab\n", ""]);
  expect([...(tensors.get("ab\n")!.data as Float32Array)]).toEqual([1, 2]);
  expect(tensors.get("")).toEqual({ dtype: "I32", shape: [], data: new Int32Array([7]) });
});

test("empty tensors may stand at the start, between others and at the end", () => {
  const empty = (at: number) => `{"dtype":"F64","shape":[0,9007199254740991],"data_offsets":[${at},${at}]}`;
  const header = `{"z":${empty(3)},"b":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"a":${empty(0)}}`;
  const { tensors } = readSafetensors(composeFile(header, 3));
  expect(tensors.get("z")).toEqual({ dtype: "F64", shape: [0, 2 ** 53 - 1], data: new Float64Array(0) });
  expect(tensors.get("b")!.data).toEqual(new Uint8Array(3));
});

test("a file without tensors is read", () => {
  expect(readSafetensors(composeFile("{}"))).toEqual({
    tensors: new Map(),
    raw: new Map(),
    metadata: new Map(),
  });
});

test.each([
  ["U16", 4],
  ["U32", 8],
  ["U64", 16],
  ["C64", 16],
  ["F8_E4M3", 2],
  ["F8_E5M2", 2],
  ["F4", 1],
  ["F128_OF_TOMORROW", 7],
])("a tensor of %s comes as its bytes, and the tensors beside it as ever", (dtype, length) => {
  const header = `{"odd":{"dtype":"${dtype}","shape":[2],"data_offsets":[0,${length}]},"w":{"dtype":"F32","shape":[1],"data_offsets":[${length},${length + 4}]}}`;
  const bytes = Uint8Array.from({ length }, (_, i) => i + 1);
  const file = composeFile(header, new Uint8Array([...bytes, 0, 0, 0x80, 0x3f]));
  const { tensors, raw } = readSafetensors(file);
  expect([...raw]).toEqual([["odd", { dtype, shape: [2], bytes }]]);
  expect([...tensors]).toEqual([["w", { dtype: "F32", shape: [1], data: new Float32Array([1]) }]]);
  const head = readSafetensorsHeader(file);
  expect(readTensor(file, head, "w").data).toEqual(new Float32Array([1]));
  expect(() => readTensor(file, head, "odd")).toThrow(
    `readTensor: tensor "odd": dtype: expected one of I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL, got "${dtype}"`,
  );
});

test("names of Object.prototype are ordinary names, and no prototype is changed", () => {
  const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  const members = names.map(
    (name, i) => `"${name}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
  );
  const strings = names.map((name) => `"${name}":"text"`);
  const header = `{"__metadata__":{${strings.join(",")}},${members.join(",")}}`;
  const { tensors, metadata } = readSafetensors(composeFile(header, new Uint8Array([1, 2, 3, 4])));
  expect([...tensors].map(([name, { data }]) => [name, Number(data[0])])).toEqual(
    names.map((name, i) => [name, i + 1]),
  );
  expect([...metadata]).toEqual(names.map((name) => [name, "text"]));
  expect(({} as Record<string, unknown>).dtype).toBeUndefined();
});

test("a tensor that the header does not have is refused", () => {
  const file = twoTensors();
  expect(() => readTensor(file, readSafetensorsHeader(file), "bias")).toThrow(
    new RangeError('readTensor: name: expected one of ["weight", "mask"], got "bias"'),
  );
});

test("a file that is not the header's is refused", () => {
  const file = twoTensors();
  const header = readSafetensorsHeader(file);
  expect(() => readTensor(file.subarray(1), header, "mask")).toThrow(
    new RangeError(`readTensor: bytes: expected ${file.length}, got ${file.length - 1}`),
  );
  expect(() => decodeTensor(file.subarray(0, 4), header.tensors.get("mask")!)).toThrow(
    new RangeError('decodeTensor: bytes: expected 3 for tensor "mask", got 4'),
  );
  expect(() => readSafetensorsHeader(file, { fileByteLength: file.length - 1 })).toThrow(
    `readSafetensorsHeader: bytes: expected ${file.length}, the length that the header implies, got ${file.length - 1}`,
  );
});

test("what is not bytes is a TypeError", () => {
  expect(() => readSafetensors("{}" as unknown as Uint8Array)).toThrow(
    new TypeError('readSafetensors: bytes: expected a Uint8Array or an ArrayBuffer, got "{}"'),
  );
  expect(() => readSafetensorsHeader(new Uint16Array(8) as unknown as Uint8Array)).toThrow(
    new TypeError(
      "readSafetensorsHeader: bytes: expected a Uint8Array or an ArrayBuffer, got Uint16Array of 8",
    ),
  );
  expect(() => safetensorsHeaderLength(null as unknown as Uint8Array)).toThrow(TypeError);
});

test("a BOOL that is neither 0 nor 1 is refused", () => {
  const header = '{"m":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}}';
  expect(() => readSafetensors(composeFile(header, new Uint8Array([1, 2])))).toThrow(
    'readSafetensors: tensor "m": element 1: expected a BOOL of 0 or 1, got 2',
  );
  expect(bytesOf(readSafetensors(composeFile(header, new Uint8Array([1, 0]))).tensors.get("m")!)).toEqual(
    new Uint8Array([1, 0]),
  );
});
