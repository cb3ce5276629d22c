import fc from "fast-check";
import { expect, test } from "vitest";
import {
  formatShardIndex,
  type NamedFile,
  parseShardIndex,
  type RawTensor,
  readSafetensors,
  readShardedSafetensors,
  readShards,
  SafetensorsError,
  writeSafetensors,
  writeShards,
} from "../src/index.js";
import { arbitraryTensors, comparable } from "./arbitrary-tensors.js";

const u8 = (length: number): RawTensor => ({
  dtype: "U8",
  shape: [length],
  data: new Uint8Array(length).fill(length),
});
const store = (files: Iterable<NamedFile>) => new Map([...files].map(({ file, bytes }) => [file, bytes]));
const INDEX = "model.safetensors.index.json";

test("tensors come back from shards of any size, and the index has the total of their bytes", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryTensors, fc.integer({ min: 1, max: 300 }), async (tensors, maxShardSize) => {
      const files = store(writeShards(tensors, { maxShardSize }));
      const index = parseShardIndex(files.get(INDEX)!);
      const total = tensors.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
      expect(index.totalSize).toBe(total);
      const all = await readShardedSafetensors(index, (file) => files.get(file)!);
      expect(comparable(all)).toEqual(comparable(tensors));
      for (const [file, bytes] of files) {
        if (file === INDEX) continue;
        const sizes = [...readSafetensors(bytes).tensors.values()].map(({ data }) => data.byteLength);
        const nonEmpty = sizes.filter((size) => size > 0);
        const size = sizes.reduce((sum, next) => sum + next, 0);
        expect(size <= maxShardSize || nonEmpty.length === 1).toBe(true);
        expect(sizes.length > 0 || tensors.length === 0).toBe(true); // no file for nothing
      }
    }),
    { numRuns: 200 },
  );
});

test("tensors fill the files in the order given, and a large one gets a file of its own", () => {
  // The example of the reference documentation: a limit of 10 and sizes 6, 6, 2, 6, 2, 2 make [6], [6+2], [6+2+2].
  const tensors = new Map([6, 6, 2, 6, 2, 2, 11, 1].map((size, i) => [`t${i}`, u8(size)]));
  const files = store(writeShards(tensors, { maxShardSize: 10, metadata: { format: "pt" } }));
  expect([...files.keys()]).toEqual([
    "model-00001-of-00005.safetensors",
    "model-00002-of-00005.safetensors",
    "model-00003-of-00005.safetensors",
    "model-00004-of-00005.safetensors",
    "model-00005-of-00005.safetensors",
    INDEX,
  ]);
  const { weightMap } = parseShardIndex(files.get(INDEX)!);
  expect([...weightMap].map(([name, file]) => [name, Number(file.slice(6, 11))])).toEqual([
    ["t0", 1],
    ["t1", 2],
    ["t2", 2],
    ["t3", 3],
    ["t4", 3],
    ["t5", 3],
    ["t6", 4],
    ["t7", 5],
  ]);
  expect(readSafetensors(files.get("model-00002-of-00005.safetensors")!).metadata.get("format")).toBe("pt");
});

test("a single shard has no number in its name and equals the unsharded file", () => {
  const tensors = { a: u8(3), b: u8(4) };
  const files = store(writeShards(tensors, { name: "weights" }));
  expect([...files.keys()]).toEqual(["weights.safetensors", "weights.safetensors.index.json"]);
  expect(files.get("weights.safetensors")).toEqual(writeSafetensors(tensors));
});

test("the index is written as the reference tools write it", () => {
  const weightMap = new Map([
    ["b", "model-00002-of-00002.safetensors"],
    ['a"', "model-00001-of-00002.safetensors"],
    ["__proto__", "model-00001-of-00002.safetensors"],
  ]);
  const text = formatShardIndex({ weightMap, totalSize: 12 });
  expect(text).toBe(`{
  "metadata": {
    "total_size": 12
  },
  "weight_map": {
    "__proto__": "model-00001-of-00002.safetensors",
    "a\\"": "model-00001-of-00002.safetensors",
    "b": "model-00002-of-00002.safetensors"
  }
}
`);
  expect(parseShardIndex(text)).toEqual({ weightMap, totalSize: 12 });
  const none = { weightMap: new Map<string, string>() };
  expect(parseShardIndex(formatShardIndex(none))).toEqual(none);
});

test("an index with other keys, nested metadata and a total in another spelling is read", () => {
  const { weightMap, totalSize } = parseShardIndex(
    '{"format":["pt",{"v":[1,true,null,-1.5e3]}],"metadata":{"by":{"x":"}]"},"total_size":1.2e1},"weight_map":{"a":"m.safetensors"}}',
  );
  expect([...weightMap]).toEqual([["a", "m.safetensors"]]);
  expect(totalSize).toBe(12);
  expect(parseShardIndex('{"weight_map":{}}')).toEqual({ weightMap: new Map() });
});

const NAME = "a plain file name that ends in .safetensors";
const map = (file: string) => `{"weight_map":{"a":${JSON.stringify(file)}}}`;
const refused: [string, string | Uint8Array, string][] = [
  ["no object", "[]", "the index: expected an object, got ["],
  ["no weight_map", '{"metadata":{}}', "the index: expected the key weight_map, got none"],
  [
    "a weight_map twice",
    '{"weight_map":{},"weight_map":{}}',
    'the index: expected every key once, got "weight_map" twice',
  ],
  [
    "a tensor twice",
    '{"weight_map":{"a":"1.safetensors","\\u0061":"2.safetensors"}}',
    'weight_map: expected every key once, got "a" twice',
  ],
  ["a file that is no string", '{"weight_map":{"a":1}}', 'weight_map "a": expected a string, got 1'],
  [
    "a way out of the folder",
    map("../m.safetensors"),
    `weight_map "a": expected ${NAME}, got "../m.safetensors"`,
  ],
  [
    "an absolute file",
    map("/etc/m.safetensors"),
    `weight_map "a": expected ${NAME}, got "/etc/m.safetensors"`,
  ],
  [
    "a folder of Windows",
    map("..\\m.safetensors"),
    `weight_map "a": expected ${NAME}, got "..\\\\m.safetensors"`,
  ],
  ["an address", map("https:m.safetensors"), `weight_map "a": expected ${NAME}, got "https:m.safetensors"`],
  ["a NUL", map("m\0.safetensors"), `weight_map "a": expected ${NAME}, got "m\\u0000.safetensors"`],
  [
    "a line break at the end",
    map("m.safetensors\n"),
    `weight_map "a": expected ${NAME}, got "m.safetensors\\n"`,
  ],
  ["a pickle", map("pytorch_model.bin"), `weight_map "a": expected ${NAME}, got "pytorch_model.bin"`],
  ["an ending alone", map(".safetensors"), `weight_map "a": expected ${NAME}, got ".safetensors"`],
  [
    "a negative total",
    '{"metadata":{"total_size":-1},"weight_map":{}}',
    "metadata: total_size: expected an integer from 0 to 2^53 - 1, got -1",
  ],
  [
    "an infinite total",
    '{"metadata":{"total_size":1e999},"weight_map":{}}',
    "metadata: total_size: expected an integer from 0 to 2^53 - 1, got Infinity",
  ],
  [
    "a million levels",
    `{"x":${"[".repeat(1e6)}`,
    'the index "x": expected a JSON value of at most 64 levels, got [',
  ],
  ["no value", '{"x":,"weight_map":{}}', 'the index "x": expected a JSON value, got ,'],
  ["no literal", '{"x":nul,"weight_map":{}}', 'the index "x": expected a JSON value, got nul'],
  ["no UTF-8", new Uint8Array([0x7b, 0xff]), "the index: expected UTF-8, got bytes that are not"],
  [
    "more after it",
    '{"weight_map":{}} 1',
    "the index: expected nothing but spaces after the closing brace, got 1",
  ],
];

for (const [what, json, message] of refused) {
  test(`refused in an index: ${what}`, () => {
    expect(() => parseShardIndex(json)).toThrow(new SafetensorsError(`parseShardIndex: ${message}`));
  });
}

test("an index that is neither text nor bytes is a TypeError", () => {
  expect(() => parseShardIndex({} as unknown as string)).toThrow(
    new TypeError("parseShardIndex: json: expected a string or a Uint8Array, got Object"),
  );
});

test("a file is read when it is pulled, and the next one not before", async () => {
  const files = store(writeShards({ a: u8(1), b: u8(2), c: u8(3) }, { maxShardSize: 3 }));
  const asked: string[] = [];
  const shards = readShards(parseShardIndex(files.get(INDEX)!), async (file) => {
    asked.push(file);
    return files.get(file)!;
  });
  expect(asked).toEqual([]);
  const first = await shards.next();
  expect(asked).toEqual(["model-00001-of-00002.safetensors"]);
  expect([...first.value!.tensors.keys()]).toEqual(["a", "b"]);
  await shards.return();
  expect(asked.length).toBe(1);
});

test("a shard without a tensor of the index is refused", async () => {
  const index = {
    weightMap: new Map([
      ["a", "1.safetensors"],
      ["b", "1.safetensors"],
    ]),
  };
  await expect(readShardedSafetensors(index, () => writeSafetensors({ a: u8(1) }))).rejects.toThrow(
    new SafetensorsError(
      'readShards: "1.safetensors": expected tensor "b" of the index, got a file without it',
    ),
  );
});

test("a shard with a tensor that the index puts elsewhere, or does not know, is refused", async () => {
  const both = () => writeSafetensors({ a: u8(1), b: u8(2) });
  const elsewhere = {
    weightMap: new Map([
      ["a", "1.safetensors"],
      ["b", "2.safetensors"],
    ]),
  };
  await expect(readShardedSafetensors(elsewhere, both)).rejects.toThrow(
    new SafetensorsError(
      'readShards: "1.safetensors": tensor "b": expected it in "2.safetensors", got it here',
    ),
  );
  const unknown = { weightMap: new Map([["a", "1.safetensors"]]) };
  await expect(readShardedSafetensors(unknown, both)).rejects.toThrow(
    new SafetensorsError(
      'readShards: "1.safetensors": tensor "b": expected only tensors of the index, got it here',
    ),
  );
});

test("errors in and around a shard name it, and those of the callback pass through", async () => {
  const index = { weightMap: new Map([["a", "1.safetensors"]]) };
  await expect(readShardedSafetensors(index, () => new Uint8Array(3))).rejects.toThrow(
    new SafetensorsError('readShards: "1.safetensors": bytes: expected at least 8, got 3'),
  );
  await expect(readShardedSafetensors(index, () => undefined as unknown as Uint8Array)).rejects.toThrow(
    new TypeError(
      'readShards: "1.safetensors": bytes: expected a Uint8Array or an ArrayBuffer, got undefined',
    ),
  );
  const lost = new Error("no such file");
  await expect(readShardedSafetensors(index, () => Promise.reject(lost))).rejects.toBe(lost);
});

test("wrong arguments of writeShards are refused at the call, before any file is pulled", () => {
  expect(() => writeShards({ a: { ...u8(2), shape: [3] } })).toThrow(
    new RangeError('writeShards: tensor "a": data: expected 3 elements for shape [3], got 2'),
  );
  expect(() => writeShards({}, { maxShardSize: 0 })).toThrow(
    new RangeError("writeShards: maxShardSize: expected bytes > 0, got 0"),
  );
  expect(() => writeShards({}, { maxShardSize: Number.NaN })).toThrow(RangeError);
  expect(() => writeShards({}, { name: "../model" })).toThrow(
    new RangeError(`writeShards: name: expected the start of ${NAME}, got "../model"`),
  );
});
