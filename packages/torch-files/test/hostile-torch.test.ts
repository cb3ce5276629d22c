import { strToU8, zipSync } from "fflate";
import { expect, test } from "vitest";
import { readTorch, TorchFileError } from "../src/index.js";
import { MAX_OPERATIONS } from "../src/pickle-machine.js";
import {
  bytesOf,
  call,
  dict,
  global,
  int,
  legacyFile,
  type Part,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  uint32,
  zipFile,
} from "./pickle-bytes.js";

const bytes24 = new Uint8Array(24);
const zipOf = (...parts: Part[]) => zipFile(pickle(...parts), { 0: bytes24 });
const zipOfTensor = (value: Part) => zipOf(dict([text("a"), value]));
const six = storage("0", 6);

function refusal(file: Uint8Array): string {
  try {
    readTorch(file);
  } catch (error) {
    expect(error).toBeInstanceOf(TorchFileError);
    return (error as Error).message.replace(/^readTorch: /, "");
  }
  throw new Error("expected a refusal");
}

// Without the white list these would run, or be looked up, in any reader that follows Python's.
for (const [module, name] of [
  ["os", "system"],
  ["posix", "system"],
  ["builtins", "eval"],
  ["__builtin__", "getattr"],
  ["torch", "load"],
  ["torch.nn.modules.container", "Sequential"],
  ["torch._utils", "__globals__"],
  ["constructor", "constructor"],
] as const) {
  test(`the global ${module}.${name} is refused by name, in both forms and both spellings`, () => {
    const message = `pickle: expected tensors and plain values, got the global "${module}.${name}", which is not read (of a whole model, save its state_dict())`;
    const short = (value: string) => [0x8c, value.length, value];
    for (const reduce of [
      call(module, name, text("echo")),
      [short(module), short(name), 0x93, tuple(text("echo")), "R"],
    ]) {
      expect(refusal(zipOf(dict([text("a"), reduce])))).toBe(message);
      expect(refusal(legacyFile(pickle(reduce), []))).toBe(message);
      expect(refusal(bytesOf(legacyFile(pickle(reduce), []).subarray(0, 14), ".", pickle(reduce)))).toContain(
        "is not read",
      );
    }
  });
}

const refusedPickles: [what: string, parts: Part[], message: string | RegExp][] = [
  [
    "an object made of what is no class",
    [text("os"), ")", 0x81],
    /byte \d+: expected a global to make an object of, got a string$/,
  ],
  ["INST, which calls", ["(ios\nsystem\n"], /got 0x69$/],
  ["OBJ, which calls", ["(", global("collections", "OrderedDict"), "o"], /got 0x6f$/],
  ["EXT1, which looks up", [0x82, 1], /got 0x82$/],
  ["a value that is not callable", [text("os"), ")", "R"], /expected a global to call, got a string$/],
  [
    "arguments that are no tuple",
    [global("collections", "OrderedDict"), "N", "R"],
    /expected a tuple of arguments, got None$/,
  ],
  [
    "a storage class that is called",
    [call("torch", "FloatStorage", int(10 ** 9))],
    "pickle: torch.FloatStorage: expected its usual arguments, got (1000000000)",
  ],
  [
    "a tensor without a storage",
    [call("torch._utils", "_rebuild_tensor_v2", "N", int(0), ")", ")")],
    "pickle: torch._utils._rebuild_tensor_v2: expected its usual arguments, got (None, 0, a list of 0, a list of 0)",
  ],
  [
    "a parameter of no tensor",
    [call("torch._utils", "_rebuild_parameter", "}")],
    "pickle: torch._utils._rebuild_parameter: expected its usual arguments, got (a dict)",
  ],
  [
    "an OrderedDict of no pairs",
    [call("collections", "OrderedDict", ["]", int(1), "a"])],
    "pickle: collections.OrderedDict: expected its usual arguments, got (a list of 1)",
  ],
  ["a stack that is empty", [")", "0"], /got 0x30$/],
  ["a pop of nothing", ["s"], /expected a value on the stack, got none$/],
  ["a pop of a mark", ["(", 0x85], /expected a value on the stack, got none$/],
  ["a tuple without a mark", ["t"], /expected a mark on the stack, got none$/],
  ["two values in the end", ["NN"], /expected one value on the stack, got 2$/],
  ["an unknown index of the memo", ["h", 7], /expected a value kept before, got index 7$/],
  ["an odd number of items", ["}(N", "u"], /expected pairs of key and value, got 1 values$/],
  [
    "a key that comes twice",
    [dict([text("a"), "N"], [text("a"), "N"])],
    /expected every key of a dict once, got "a" twice$/,
  ],
  ["items of a number", [int(1), "NNs"], /expected a dict to fill, got 1$/],
  ["an item appended to a dict", ["}N", "a"], /expected a list to append to, got a dict$/],
  [
    "a string longer than the file",
    ["X", ...uint32(2 ** 32 - 1), "a"],
    /expected 4294967295 more bytes, got 2$/,
  ],
  [
    "a string of 2^63 bytes",
    [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80],
    /expected 9223372036854776000 more bytes, got 1$/,
  ],
  ["a string that is not UTF-8", ["X", ...uint32(1), 0xff], /expected a string in UTF-8, got other bytes$/],
  [
    "an integer of 200 bytes",
    [0x8a, 200, new Uint8Array(200)],
    /expected an integer of at most 16 bytes, got 200$/,
  ],
  ["a later protocol", [0x80, 6], /expected a protocol up to 5, got 6$/],
  ["a global without an end", ["cos"], /expected a line, got none that ends$/],
  ["a global of numbers", [int(1), int(2), 0x93], /expected the name of a global, got 1 and 2$/],
  [
    "an id that is no storage",
    [tuple(text("module"), "N"), "Q"],
    'pickle: persistent id: expected a storage, got "module"',
  ],
  ["an id that is a string", [text("0"), "Q"], "pickle: persistent id: expected a storage, got a string"],
  [
    "a storage of another class",
    [storage("0", 6, "OddFloatStorage")],
    /got the global "torch.OddFloatStorage", which is not read/,
  ],
  [
    "a storage whose class is a function",
    [tuple(text("storage"), global("torch", "Size"), text("0"), text("cpu"), int(6)), "Q"],
    "pickle: storage: expected its class, key, location and length, got torch.Size, a string, a string, 6",
  ],
  ["a storage of -1 elements", [storage("0", -1)], /expected its class, key, location and length/],
  ["a storage that is longer than its file", [storage("0", 7)], 'storage "0": expected 28 bytes, got 24'],
  ["a storage that is shorter than its file", [storage("0", 5)], 'storage "0": expected 20 bytes, got 24'],
  [
    "a storage that is not there",
    [storage("../data.pkl", 6)],
    'storage "../data.pkl": expected 24 bytes, got no file',
  ],
  [
    "one storage of two types",
    [tuple(six, storage("0", 6, "IntStorage"))],
    'storage "0": expected 6 elements of F32 as before, got 6 of I32',
  ],
  ["no dict", ["N"], "expected a dict of tensors, got None"],
  ["a tensor alone", [tensor(six, [6], [1])], "expected a dict of tensors, got a tensor"],
  ["an empty dict", ["}"], "expected a dict of tensors, got an empty one (the option key opens another)"],
  [
    "a dict without tensors",
    [dict([text("a"), "N"], [int(3), "N"])],
    'expected a dict of tensors, got one of "a", "3" (the option key opens another)',
  ],
];

for (const [what, parts, message] of refusedPickles) {
  test(`refused: ${what}`, () => {
    const got = refusal(zipOf(...parts));
    if (typeof message === "string") expect(got).toBe(message);
    else expect(got).toMatch(message);
  });
}

const big = 2 ** 40;
const refusedTensors: [
  what: string,
  shape: (number | bigint)[],
  stride: (number | bigint)[],
  offset: number,
  message: string,
][] = [
  [
    "a shape beyond its storage",
    [7],
    [1],
    0,
    "expected elements of a storage of 6, got element 6 (shape [7], stride [1], offset 0)",
  ],
  [
    "a stride beyond its storage",
    [2, 2],
    [5, 1],
    0,
    "expected elements of a storage of 6, got element 6 (shape [2, 2], stride [5, 1], offset 0)",
  ],
  [
    "an offset beyond its storage",
    [],
    [],
    6,
    "expected elements of a storage of 6, got element 6 (shape [], stride [], offset 6)",
  ],
  ["a negative offset", [1], [1], -1, "offset: expected an integer, at least 0, got -1"],
  [
    "a negative size",
    [-1, -1],
    [1, 1],
    0,
    "shape: expected at most 64 integers, none negative, got [-1, -1]",
  ],
  ["a negative stride", [2], [-1], 5, "stride: expected at most 64 integers, none negative, got [-1]"],
  ["strides for other axes", [2], [1, 1], 0, "stride: expected 1 integers, got [1, 1]"],
  [
    "a shape of 2^80 elements",
    [big, big],
    [0, 0],
    0,
    `shape: expected fewer than 2^53 elements, got [${big}, ${big}]`,
  ],
  [
    "an empty shape beside 2^80",
    [0, big, big],
    [0, 0, 0],
    0,
    `shape: expected fewer than 2^53 elements, got [0, ${big}, ${big}]`,
  ],
  [
    "65 axes",
    Array(65).fill(1),
    Array(65).fill(1),
    0,
    "shape: expected at most 64 integers, none negative, got [1, 1, 1, 1, 1, 1, 1, 1, …]",
  ],
  [
    "a size of 2^60",
    [2n ** 60n],
    [0],
    0,
    `shape: expected at most 64 integers, none negative, got [${2n ** 60n}]`,
  ],
];

for (const [what, shape, stride, offset, message] of refusedTensors) {
  test(`refused: a tensor with ${what}`, () => {
    expect(refusal(zipOfTensor(tensor(six, shape, stride, offset)))).toBe(`tensor "a": ${message}`);
  });
}

test("a boolean other than 0 and 1 is refused", () => {
  const file = zipFile(pickle(dict([text("a"), tensor(storage("0", 2, "BoolStorage"), [2], [1])])), {
    0: new Uint8Array([1, 2]),
  });
  expect(refusal(file)).toBe('tensor "a": element 1: expected a BOOL of 0 or 1, got 2');
});

test("a tensor expanded from one element to a million million is refused before anything is made of it", () => {
  const message = /^tensors: expected at most \d+ bytes together, got 4000000000000$/;
  expect(refusal(zipOfTensor(tensor(six, [10 ** 6, 10 ** 6], [0, 0])))).toMatch(message);
});

test("a thousand names of one tensor of a thousand kB are refused as one would be", () => {
  const length = 250_000;
  const names = Array.from({ length: 1000 }, (_, i) => [text(`${i}`), ["h", 0]] as const);
  const value = [tensor(storage("0", length), [length], [1]), "q", 0];
  const file = zipFile(pickle(dict([text("a"), value], ...names)), { 0: new Uint8Array(4 * length) });
  expect(refusal(file)).toMatch(/^tensors: expected at most \d+ bytes together, got 1001000000$/);
});

test("dicts and lists within themselves, and a hundred thousand deep, are harmless", () => {
  expect(refusal(zipOf(["}q", 0, text("state_dict"), "h", 0, "s"]))).toBe(
    'expected a dict of tensors, got one of "state_dict" (the option key opens another)',
  );
  expect(refusal(zipOf(["]q", 0, "h", 0, "a"]))).toBe("expected a dict of tensors, got a list of 1");
  const deep = [new Uint8Array(100_000).fill(0x5d), new Uint8Array(99_999).fill(0x61)]; // ]]]…aaa
  expect(refusal(zipOf(...deep))).toBe("expected a dict of tensors, got a list of 1");
  const value = tensor(six, [6], [1]);
  expect(readTorch(zipOf(dict([text("a"), value], [text("deep"), deep]))).ignored.has("deep")).toBe(true);
});

test("lists that double each other two hundred times stay as small as their pickle", () => {
  const doubled = Array.from({ length: 200 }, (_, i) => ["(h", i, "h", i, "lq", i + 1]);
  const bomb = ["(]q", 0, doubled, "l"]; // each holds the one before twice: 2^200 items, if they were written out
  const value = tensor(six, [6], [1]);
  expect(readTorch(zipOf(dict([text("a"), value], [text("bomb"), bomb]))).ignored.has("bomb")).toBe(true);
  expect(refusal(zipOf(bomb))).toBe("expected a dict of tensors, got a list of 201");
});

test("a pickle without an end is refused after a bounded number of operations", () => {
  const file = zipOf(new Uint8Array(MAX_OPERATIONS + 1).fill(0x5d));
  expect(refusal(file)).toMatch(/expected an end within 2097152 operations, got none$/);
});

test("a zip bomb is refused before it is unpacked", () => {
  const data = pickle(dict([text("a"), tensor(storage("0", 2 ** 20), [2 ** 20], [1])]));
  const zeros = new Uint8Array(2 ** 22);
  const file = zipFile(data, { 0: zeros }, { level: 9 });
  expect(file.length).toBeLessThan(6000);
  expect(refusal(file)).toMatch(/^tensors: expected at most 11\d{5} bytes together, got 4194304$/);
  // Data that no tensor uses is not unpacked at all; a pickle is.
  const small = pickle(dict([text("a"), tensor(storage("1", 6), [6], [1])]));
  expect(readTorch(zipFile(small, { 0: zeros, 1: bytes24 }, { level: 9 })).tensors.size).toBe(1);
  const padded = new Uint8Array(2 ** 22);
  padded.set(small);
  expect(refusal(zipFile(padded, { 1: bytes24 }, { level: 9 }))).toMatch(
    /^zip: expected at most 11\d{5} bytes unpacked, got 4194304$/,
  );
  expect(readTorch(file, { maxByteLength: 2 ** 22 }).tensors.get("a")!.data.length).toBe(2 ** 20);
});

test("a zip archive that is no checkpoint is refused", () => {
  const data = pickle("}");
  expect(refusal(zipSync({ "a/x": data }))).toBe('zip: expected one <folder>/data.pkl, got "a/x"');
  expect(refusal(zipSync({ "a/data.pkl": data, "b/data.pkl": data }))).toBe(
    'zip: expected one <folder>/data.pkl, got "a/data.pkl", "b/data.pkl"',
  );
  expect(refusal(zipFile(data, {}, { files: { "a/constants.pkl": data } }))).toBe(
    "zip: expected a file of torch.save, got TorchScript (save the state_dict() of the model instead)",
  );
  expect(refusal(zipFile(data, {}, { files: { "a/byteorder": strToU8("big") } }))).toBe(
    'byteorder: expected "little", got "big"',
  );
});

test("a file that comes twice in an archive is refused", () => {
  const file = zipFile(pickle("}"), { 0: bytes24, 1: bytes24 });
  for (let at = 0; at < file.length; at++) {
    if (String.fromCharCode(...file.subarray(at, at + 8)) === "a/data/1") file[at + 7] = 0x30;
  }
  expect(refusal(file)).toBe('zip: expected every file once, got "a/data/0" twice');
});

test("a directory that claims other sizes than the archive has is refused", () => {
  const value = dict([text("a"), tensor(storage("0", 6), [6], [1])]);
  for (const size of [23, 25, 2 ** 32 - 1]) {
    const file = zipFile(pickle(value), { 0: bytes24 });
    let name = -1; // of the entry in the directory, which comes last
    for (let at = 0; at < file.length - 8; at++) {
      if (String.fromCharCode(...file.subarray(at, at + 8)) === "a/data/0") name = at;
    }
    const view = new DataView(file.buffer, file.byteOffset + name - 26, 8);
    expect(view.getUint32(0, true)).toBe(24);
    view.setUint32(0, size, true);
    expect(refusal(file)).toMatch(
      /^zip: expected files within \d+ bytes, got "a\/data\/0" of \d+ bytes for 24$/,
    );
    view.setUint32(4, size, true);
    expect(refusal(file)).toMatch(/^zip: expected files within|^storage "0": expected 24 bytes, got 2[35]$/);
  }
});

const legacyData = pickle(dict([text("a"), tensor(six, [6], [1])]));
const refusedLegacy: [what: string, file: Uint8Array, message: string | RegExp][] = [
  [
    "another protocol",
    legacyFile(legacyData, [["0", 6, bytes24]], { protocol: 1002 }),
    "header: expected the magic number and protocol 1001, got 119547037146038801333356 and 1002",
  ],
  [
    "a big-endian machine",
    legacyFile(legacyData, [["0", 6, bytes24]], { littleEndian: false }),
    "header: little_endian: expected True, got false",
  ],
  [
    "another magic number",
    legacyFile(legacyData, [], { magic: 0x1950a86a20f9469cfc6dn }),
    /^bytes: expected a zip archive or the legacy form of torch.save, got a pickle that torch.save has not written$/,
  ],
  [
    "a storage that says another length",
    legacyFile(legacyData, [["0", 7, bytes24]]),
    'storage "0": expected 6 elements, got 7',
  ],
  [
    "a storage of 2^64 - 1 elements",
    legacyFile(legacyData, [["0", 2n ** 64n - 1n, bytes24]]),
    'storage "0": expected 6 elements, got 18446744073709551615',
  ],
  [
    "a storage that is cut off",
    legacyFile(legacyData, [["0", 6, bytes24.subarray(1)]]),
    'storage "0": expected 24 bytes, got 23',
  ],
  [
    "a storage that is missing",
    legacyFile(legacyData, []),
    "storages: expected 1 and nothing behind them, got 0 and 0 bytes",
  ],
  [
    "bytes behind the storages",
    legacyFile(legacyData, [["0", 6, new Uint8Array(25)]]),
    "storages: expected 1 and nothing behind them, got 1 and 1 bytes",
  ],
  [
    "a storage that comes twice",
    legacyFile(legacyData, [
      ["0", 6, bytes24],
      ["0", 6, bytes24],
    ]),
    'keys of the storages: expected those of the tensors, each once, got "0"',
  ],
  [
    "a storage that nobody uses",
    legacyFile(legacyData, [["1", 6, bytes24]]),
    'keys of the storages: expected those of the tensors, each once, got "1"',
  ],
  [
    "a part beyond its storage",
    legacyFile(
      pickle(
        dict([
          text("a"),
          tensor(storage("0", 6, "FloatStorage", tuple(text("7"), int(4), int(3))), [3], [1]),
        ]),
      ),
      [["0", 6, bytes24]],
    ),
    'storage "0": view: expected a part of 6 elements, got another',
  ],
  [
    "a storage in its header",
    bytesOf(legacyFile(legacyData, []).subarray(0, 15), pickle(six)),
    "header: expected plain values, got the id a list of 5",
  ],
  [
    "nothing",
    new Uint8Array(),
    "bytes: expected a zip archive or the legacy form of torch.save, got no byte",
  ],
  ["a text", strToU8("<!DOCTYPE html>"), /got a page of HTML/],
];

for (const [what, file, message] of refusedLegacy) {
  test(`refused in the legacy form: ${what}`, () => {
    const got = refusal(file);
    if (typeof message === "string") expect(got).toBe(message);
    else expect(got).toMatch(message);
  });
}
