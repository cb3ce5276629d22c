import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Named,
  type RawTensor,
  readSafetensors,
  readSafetensorsHeader,
  writeSafetensors,
} from "../src/index.js";
import { layOut } from "../src/write-safetensors.js";
import { arbitraryMetadata, arbitraryTensors, comparable } from "./arbitrary-tensors.js";
import { composeFile } from "./compose-file.js";

const headerText = (file: Uint8Array) => {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return new TextDecoder().decode(file.subarray(8, 8 + length));
};
const byte = (value = 0): RawTensor => ({ dtype: "U8", shape: [1], data: new Uint8Array([value]) });

test("a small file is, byte for byte, the one that the format describes", () => {
  const file = writeSafetensors({ ab: { dtype: "I16", shape: [1, 2], data: new Int16Array([258, -2]) } });
  const header = '{"ab":{"dtype":"I16","shape":[1,2],"data_offsets":[0,4]}}       ';
  expect(header.length % 8).toBe(0);
  expect(file).toEqual(composeFile(header, new Uint8Array([2, 1, 0xfe, 0xff])));
});

test("no tensors make a header of two braces and six spaces", () => {
  expect(writeSafetensors({})).toEqual(composeFile("{}      "));
});

test("the bytes depend on the tensors and the metadata, not on their order or container", () => {
  fc.assert(
    fc.property(arbitraryTensors, arbitraryMetadata, (tensors, metadata) => {
      const file = writeSafetensors(tensors, { metadata });
      const backwards = new Map([...tensors].reverse());
      expect(writeSafetensors(backwards, { metadata: new Map([...metadata].reverse()) })).toEqual(file);
      const record = Object.fromEntries(tensors);
      expect(writeSafetensors(record, { metadata: Object.fromEntries(metadata) })).toEqual(file);
    }),
    { numRuns: 200 },
  );
});

test("every tensor of a written file is aligned, so that reading it copies nothing", () => {
  fc.assert(
    fc.property(arbitraryTensors, arbitraryMetadata, (tensors, metadata) => {
      const file = writeSafetensors(tensors, { metadata });
      for (const { data } of readSafetensors(file).tensors.values()) expect(data.buffer).toBe(file.buffer);
    }),
    { numRuns: 200 },
  );
});

test("tensors are laid out by dtype and then by name in the order of code points", () => {
  const tensors: Record<string, RawTensor> = {
    bool: { dtype: "BOOL", shape: [], data: new Uint8Array([1]) },
    u8: { dtype: "U8", shape: [], data: new Uint8Array(1) },
    i8: { dtype: "I8", shape: [], data: new Int8Array(1) },
    i16: { dtype: "I16", shape: [], data: new Int16Array(1) },
    f16: { dtype: "F16", shape: [], data: new Uint16Array(1) },
    bf16: { dtype: "BF16", shape: [], data: new Uint16Array(1) },
    i32: { dtype: "I32", shape: [], data: new Int32Array(1) },
    "\u{1f600}": { dtype: "F32", shape: [], data: new Float32Array(1) },
    "\uff21": { dtype: "F32", shape: [], data: new Float32Array(1) },
    b: { dtype: "F32", shape: [], data: new Float32Array(1) },
    a: { dtype: "F32", shape: [], data: new Float32Array(1) },
    B: { dtype: "F32", shape: [], data: new Float32Array(1) },
    "10": { dtype: "F32", shape: [], data: new Float32Array(1) },
    "9": { dtype: "F32", shape: [], data: new Float32Array(1) },
    f64: { dtype: "F64", shape: [], data: new Float64Array(1) },
    i64: { dtype: "I64", shape: [], data: new BigInt64Array(1) },
  };
  const order = [...readSafetensorsHeader(writeSafetensors(tensors)).tensors.keys()];
  const f32 = ["10", "9", "B", "a", "b", "\uff21", "\u{1f600}"];
  expect(order).toEqual(["i64", "f64", ...f32, "i32", "bf16", "f16", "i16", "i8", "u8", "bool"]);
});

test("metadata comes first, sorted by key, and is left out when it is empty", () => {
  const metadata = new Map([
    ["b", "2"],
    ["a", '"\n'],
  ]);
  expect(headerText(writeSafetensors({}, { metadata }))).toMatch(
    /^\{"__metadata__":\{"a":"\\"\\n","b":"2"\}\} *$/,
  );
  expect(headerText(writeSafetensors({}, { metadata: {} }))).toBe("{}      ");
});

test("data that is a part of a larger buffer is written alone", () => {
  const data = new Float32Array([1, 2, 3, 4]).subarray(1, 3);
  const file = writeSafetensors({ x: { dtype: "F32", shape: [2], data } });
  expect([...(readSafetensors(file).tensors.get("x")!.data as Float32Array)]).toEqual([2, 3]);
  data[0] = 9; // and copied
  expect([...(readSafetensors(file).tensors.get("x")!.data as Float32Array)]).toEqual([2, 3]);
});

test("what is read can be written again to the same bytes", () => {
  fc.assert(
    fc.property(arbitraryTensors, arbitraryMetadata, (tensors, metadata) => {
      const file = writeSafetensors(tensors, { metadata });
      const again = readSafetensors(file);
      expect(writeSafetensors(again.tensors, { metadata: again.metadata })).toEqual(file);
      expect(comparable(again.tensors).length).toBe(tensors.length);
    }),
    { numRuns: 100 },
  );
});

const f32 = (shape: unknown, length: number) => ({ dtype: "F32", shape, data: new Float32Array(length) });
const SHAPE = "shape: expected non-negative integers with a product below 2^53";

/** What is refused, the tensors, the kind of error, and the message behind `writeSafetensors: `. */
const refused: [string, unknown, typeof RangeError | typeof TypeError, string][] = [
  [
    "data longer than its shape",
    { a: f32([2, 3], 7) },
    RangeError,
    'tensor "a": data: expected 6 elements for shape [2, 3], got 7',
  ],
  [
    "data shorter than its shape",
    { a: f32([], 0) },
    RangeError,
    'tensor "a": data: expected 1 elements for shape [], got 0',
  ],
  ["a negative size", { a: f32([-1, -1], 1) }, RangeError, `tensor "a": ${SHAPE}, got [-1, -1]`],
  ["a fractional size", { a: f32([0.5, 2], 1) }, RangeError, `tensor "a": ${SHAPE}, got [0.5, 2]`],
  ["an infinite size", { a: f32([Infinity, 0], 0) }, RangeError, `tensor "a": ${SHAPE}, got [Infinity, 0]`],
  [
    "a shape too large",
    { a: f32([2 ** 30, 2 ** 30, 0], 0) },
    RangeError,
    `tensor "a": ${SHAPE}, got [1073741824, 1073741824, 0]`,
  ],
  ["a shape that is a number", { a: f32(3, 3) }, RangeError, `tensor "a": ${SHAPE}, got 3`],
  ["a shape of strings", { a: f32(["3"], 3) }, RangeError, `tensor "a": ${SHAPE}, got ["3"]`],
  [
    "an unknown dtype",
    { a: { ...f32([1], 1), dtype: "float32" } },
    RangeError,
    'tensor "a": dtype: expected one of I64, F64, F32, I32, BF16, F16, I16, I8, U8, BOOL, got "float32"',
  ],
  [
    "floats as F16",
    { a: { ...f32([1], 1), dtype: "F16" } },
    TypeError,
    'tensor "a": data: expected a Uint16Array for F16, got Float32Array of 1',
  ],
  [
    "numbers as I64",
    { a: { dtype: "I64", shape: [1], data: new Int32Array(1) } },
    TypeError,
    'tensor "a": data: expected a BigInt64Array for I64, got Int32Array of 1',
  ],
  [
    "a plain array",
    { a: { ...f32([2], 1), data: [1, 2] } },
    TypeError,
    'tensor "a": data: expected a Float32Array for F32, got [1, 2]',
  ],
  [
    "clamped bytes",
    { a: { dtype: "U8", shape: [1], data: new Uint8ClampedArray(1) } },
    TypeError,
    'tensor "a": data: expected a Uint8Array for U8, got Uint8ClampedArray of 1',
  ],
  ["no tensor", { a: null }, TypeError, 'tensor "a": expected {dtype, shape, data}, got null'],
  [
    "a BOOL of 2",
    { a: { dtype: "BOOL", shape: [2], data: new Uint8Array([1, 2]) } },
    RangeError,
    'tensor "a": element 1: expected 0 or 1, got 2',
  ],
  [
    "the name __metadata__",
    { __metadata__: byte() },
    RangeError,
    "tensors: expected names other than __metadata__, got it",
  ],
  [
    "a name that comes twice",
    [
      ["a", byte()],
      ["a", byte()],
    ],
    RangeError,
    'tensors: expected every name once, got "a" twice',
  ],
  [
    "a name with a lone surrogate",
    { "\ud800": byte() },
    RangeError,
    'tensors: expected names without lone surrogates, got "\\ud800"',
  ],
  [
    "a name that is a number",
    [[1, byte()]],
    TypeError,
    "tensors: expected pairs of a name and a value, got [1, Object]",
  ],
  ["an array of tensors", [byte()], TypeError, "tensors: expected pairs of a name and a value, got Object"],
  ["nothing", undefined, TypeError, "tensors: expected a Map, pairs or a record, got undefined"],
];

for (const [what, tensors, kind, message] of refused) {
  test(`not written: ${what}`, () => {
    let error: unknown;
    try {
      writeSafetensors(tensors as Named<RawTensor>);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as Error).constructor).toBe(kind);
    expect((error as Error).message).toBe(`writeSafetensors: ${message}`);
  });
}

test("metadata that is not strings is refused", () => {
  const write = (metadata: unknown) => () => writeSafetensors({}, { metadata: metadata as Named<string> });
  expect(write({ step: 3 })).toThrow(
    new TypeError('writeSafetensors: metadata "step": expected a string, got 3'),
  );
  expect(write({ k: "\udc00" })).toThrow(
    new RangeError('writeSafetensors: metadata "k": expected no lone surrogate, got "\\udc00"'),
  );
  expect(
    write([
      ["k", "1"],
      ["k", "2"],
    ]),
  ).toThrow(new RangeError('writeSafetensors: metadata: expected every name once, got "k" twice'));
  expect(write("pt")).toThrow(
    new TypeError('writeSafetensors: metadata: expected a Map, pairs or a record, got "pt"'),
  );
});

test("a header over 100 MB is refused before the file is allocated", () => {
  expect(() => writeSafetensors({}, { metadata: { k: "x".repeat(100_000_000) } })).toThrow(
    new RangeError("writeSafetensors: tensors: expected a header of at most 100000000 bytes, got 100000032"),
  );
});

test("a big-endian machine writes the same file", () => {
  // Such a machine holds 258 as 01 02; here that memory is what reads as 513.
  const tensors: [string, RawTensor][] = [
    ["x", { dtype: "I16", shape: [2], data: new Int16Array(new Uint8Array([1, 2, 0xff, 0xfe]).buffer) }],
    ["y", { dtype: "U8", shape: [3], data: new Uint8Array([1, 2, 3]) }],
    [
      "z",
      {
        dtype: "F64",
        shape: [],
        data: new Float64Array(new Uint8Array([64, 9, 33, 251, 84, 68, 45, 24]).buffer),
      },
    ],
  ];
  const little = writeSafetensors({
    x: { dtype: "I16", shape: [2], data: new Int16Array([258, -2]) },
    y: { dtype: "U8", shape: [3], data: new Uint8Array([1, 2, 3]) },
    z: { dtype: "F64", shape: [], data: new Float64Array([Math.PI]) },
  });
  expect(layOut("writeSafetensors", tensors, [], false)).toEqual(little);
});
