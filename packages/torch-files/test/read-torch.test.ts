import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { listTorchTensors, readTorch, type TorchFile } from "../src/index.js";
import {
  call,
  dict,
  int,
  legacyFile,
  type Part,
  pickle,
  storage,
  tensor,
  text,
  tuple,
  zipFile,
} from "./pickle-bytes.js";

const folder = new URL("golden/", import.meta.url);
const golden: {
  files: { file: string; format: string; expected: string }[];
  expected: Record<string, { name: string; dtype: string; shape: number[]; bytes: string }[]>;
} = JSON.parse(readFileSync(new URL("torch-files.json", folder), "utf8"));

const hexadecimal = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  Buffer.from(buffer, byteOffset, byteLength).toString("hex");
const rows = ({ tensors }: TorchFile) =>
  [...tensors].map(([name, { dtype, shape, data }]) => ({ name, dtype, shape, bytes: hexadecimal(data) }));
const fixture = (file: string) => readFileSync(new URL(file, folder));

// Catches a wrong stride, offset, dtype, byte order or name, and any rounding: the files are PyTorch's own.
for (const { file, format, expected } of golden.files) {
  test(`${file}, written by PyTorch, is read bit for bit`, () => {
    const read = readTorch(fixture(file));
    expect(read.format).toBe(format);
    expect(rows(read)).toEqual(golden.expected[expected]);
    // At any place in memory: neither file keeps the alignment of its elements.
    for (const shift of [1, 2, 4]) {
      const moved = new Uint8Array(read.tensors.size + fixture(file).length + shift);
      moved.set(fixture(file), shift);
      const again = readTorch(moved.subarray(shift, shift + fixture(file).length));
      expect(rows(again)).toEqual(rows(read));
    }
  });
}

test("entries that are no tensors are left out by name", () => {
  expect(readTorch(fixture("tensors-zip.pth"))).toMatchObject({
    ignored: new Map([["no tensor", "a list of 4"]]),
    key: [],
  });
});

test("a checkpoint opens at its state_dict, or at the key that is asked for", () => {
  for (const form of ["zip", "legacy"]) {
    const file = fixture(`checkpoint-${form}.pth`);
    const opened = readTorch(file);
    expect(opened.key).toEqual(["state_dict"]);
    expect(opened.tensors.keys().next().value).toBe("module.features.0.weight");
    const outside = readTorch(file, { key: [] });
    expect([...outside.tensors.keys()]).toEqual(["best"]);
    expect([...outside.ignored.keys()]).toEqual(["epoch", "state_dict", "optimizer", "scheduler"]);
    expect(readTorch(file, { key: "state_dict" })).toEqual(opened);
    expect(() => readTorch(file, { key: ["state_dict", "x"] })).toThrow(
      /^readTorch: key: expected one of "module.features.0.weight", .*, got "x"$/,
    );
    expect(() => readTorch(file, { key: "epoch" })).toThrow(
      'readTorch: expected a dict of tensors under "epoch", got 3',
    );
    expect(() => readTorch(file, { key: "optimizer" })).toThrow(
      'expected a dict of tensors, got one of "state", "param_groups" (the option key opens another)',
    );
  }
});

const one = new Uint8Array(new Float32Array([1, 2, 3, 4, 5, 6]).buffer);
const values = (file: TorchFile, name: string) => [...(file.tensors.get(name)!.data as Float32Array)];

test("contiguous tensors of one storage share its memory; the rest are copies", () => {
  const place = storage("0", 6);
  const data = pickle(
    dict(
      [text("a"), tensor(place, [2, 3], [3, 1])],
      [text("b"), tensor(place, [3], [1], 3)],
      [text("c"), tensor(place, [3, 2], [1, 3])],
    ),
  );
  for (const file of [zipFile(data, { 0: one }), legacyFile(data, [["0", 6, one]])]) {
    const read = readTorch(file);
    expect([values(read, "a"), values(read, "b"), values(read, "c")]).toEqual([
      [1, 2, 3, 4, 5, 6],
      [4, 5, 6],
      [1, 4, 2, 5, 3, 6],
    ]);
    const [a, b, c] = ["a", "b", "c"].map((name) => read.tensors.get(name)!.data);
    expect(b!.buffer).toBe(a!.buffer);
    expect(c!.buffer).not.toBe(a!.buffer);
  }
});

test("an archive that was packed again with compression is read", () => {
  const data = pickle(dict([text("a"), tensor(storage("0", 6), [6], [1])]));
  const file = zipFile(
    data,
    { 0: one },
    { level: 9, files: { "a/byteorder": new TextEncoder().encode("little") } },
  );
  expect(values(readTorch(file), "a")).toEqual([1, 2, 3, 4, 5, 6]);
});

test("what older writers wrote is read: pairs of an OrderedDict, byte strings, parts of storages, old tensors", () => {
  const short = (name: string) => ["U", name.length, name];
  const part = tuple(text("7"), int(2), int(3));
  const data = pickle(
    call("collections", "OrderedDict", [
      "](",
      ["](", short("a"), tensor(storage("0", 6, "FloatStorage", "N"), [6], [1]), "e"],
      ["](", short("b"), tensor(storage("0", 6, "FloatStorage", part), [2], [1], 1), "e"],
      [
        "](",
        short("c"),
        call(
          "torch._utils",
          "_rebuild_tensor",
          storage("0", 6, "FloatStorage", "N"),
          int(5),
          tuple(),
          tuple(),
        ),
        "e",
      ],
      "e",
    ]),
  );
  const read = readTorch(legacyFile(data, [["0", 6, one]]));
  expect([values(read, "a"), values(read, "b"), values(read, "c")]).toEqual([
    [1, 2, 3, 4, 5, 6],
    [4, 5],
    [6],
  ]);
});

// PyTorch since 2.0 saves `torch.imag(x.conj())` as the numbers before their sign is turned, and says so beside them.
test("a tensor whose numbers stand for their negatives is left out, one with nothing to say about them is read", () => {
  const place = storage("0", 6);
  const rebuilt = (metadata: Part) =>
    call(
      "torch._utils",
      "_rebuild_tensor_v2",
      place,
      int(0),
      tuple(int(6)),
      tuple(int(1)),
      [0x89],
      dict(),
      metadata,
    );
  const file = (metadata: Part) => zipFile(pickle(dict([text("a"), rebuilt(metadata)])), { 0: one });
  expect(() => readTorch(file(dict([text("neg"), [0x88]])))).toThrow(
    'expected a dict of tensors, got one of "a"',
  );
  for (const plain of ["N", dict(), dict([text("neg"), [0x89]])]) {
    expect(values(readTorch(file(plain)), "a")).toEqual([1, 2, 3, 4, 5, 6]);
  }
});

// From protocol 4 on, a frame stands before the magic number.
test("the legacy form is told in any protocol of pickles", () => {
  const framed = (part: Uint8Array) => {
    const frame = new Uint8Array(11);
    frame.set([0x80, 4, 0x95]);
    new DataView(frame.buffer).setBigUint64(3, BigInt(part.length - 2), true);
    return new Uint8Array([...frame, ...part.subarray(2)]);
  };
  const file = legacyFile(pickle(dict([text("a"), tensor(storage("0", 6, "FloatStorage", "N"), [6], [1])])), [
    ["0", 6, one],
  ]);
  const magic = file.subarray(0, 15); // protocol, the integer of 10 bytes, the end
  const read = readTorch(new Uint8Array([...framed(magic), ...file.subarray(15)]));
  expect([read.format, values(read, "a")]).toEqual(["legacy", [1, 2, 3, 4, 5, 6]]);
});

test("bytes come as a Uint8Array, a Buffer, an ArrayBuffer or a shared one", () => {
  const file = fixture("network-zip.pth");
  const plain = new Uint8Array(file);
  const shared = new SharedArrayBuffer(plain.length);
  new Uint8Array(shared).set(plain);
  for (const bytes of [plain, plain.buffer, shared, new Uint8Array(shared)]) {
    expect(rows(readTorch(bytes))).toEqual(golden.expected.network);
  }
  for (const [wrong, got] of [
    [null, "Null"],
    ["PK", "String"],
    [[80, 75], "Array"],
    [new Uint16Array(4), "Uint16Array"],
  ] as const) {
    expect(() => readTorch(wrong as never)).toThrow(
      new TypeError(`readTorch: bytes: expected a Uint8Array or an ArrayBuffer, got ${got}`),
    );
  }
  for (const wrong of [0, -1, Number.NaN]) {
    expect(() => readTorch(plain, { maxByteLength: wrong })).toThrow(
      new RangeError(`readTorch: maxByteLength: expected a number greater than 0, got ${wrong}`),
    );
  }
});

test.each(["zip", "legacy"])(
  "what trainings keep beside their tensors is left out with what it is, in the %s form",
  (form) => {
    const { tensors, ignored } = readTorch(fixture(`odd-${form}.pth`), { key: [] });
    expect([...tensors].map(([name, { data }]) => [name, [...data]])).toEqual([
      ["weight", [0, 1, 2, 3, 4, 5]],
      ["bias", [7, 8]],
      ["named", [9]],
    ]);
    expect(Object.fromEntries(ignored)).toEqual({
      accuracy: "a NumPy scalar",
      count: "a NumPy scalar",
      array: "a NumPy array",
      bytes: "bytes",
      bytearray: "bytearray",
      complex: "a complex",
      date: "a date",
      moment: "a date",
      took: "a time span",
      path: "a path",
      arguments: "a namespace",
      decimal: "a decimal number",
      id: "a UUID",
      names: "a dict",
      last: "a list of 2",
      set: "a set",
      frozen: "a frozenset",
      slice: "a slice",
      waves: "a tensor of complex64",
      coded: "a quantized tensor",
      sparse: "a sparse tensor",
      dtype: "torch.complex64",
      device: "a device",
      state_dict_ema: "a dict",
      nested: "a dict",
    });
  },
);

test("the averaged weights are opened where they are asked for, and keys are also joined by dots", () => {
  const file = fixture("odd-zip.pth");
  const averaged = readTorch(file, { ema: true });
  expect([averaged.key, values(averaged, "weight")]).toEqual([
    ["state_dict_ema"],
    [100, 101, 102, 103, 104, 105],
  ]);
  const deep = readTorch(file, { key: "nested.networks.generator.main" });
  expect(deep.key).toEqual(["nested", "networks", "generator.main"]);
  expect(values(deep, "weight")[0]).toBe(100);
  expect(() => readTorch(file, { key: "nested.gone" })).toThrow(
    'readTorch: key: expected one of "networks", "history", got "gone"',
  );
  expect(() => readTorch(file, { key: "nested", ema: true })).toThrow(
    /^readTorch: ema: expected one of state_dict_ema, .*, got "networks", "history"$/,
  );
});

test("every tensor of a file is listed with the way to it, once", () => {
  const listed = listTorchTensors(fixture("odd-legacy.pth"));
  expect(listed.map(({ path, dtype, shape }) => `${path.join("/")} ${dtype} ${shape.join("x")}`)).toEqual([
    "weight F32 2x3",
    "waves complex64 1",
    "state_dict_ema/weight F32 2x3",
    "nested/history/0 F32 2x3",
    "bias F32 2",
    "named F32 1",
  ]);
});

test.each([
  ["<!DOCTYPE html>\n<title>Sign in</title>", /a page of HTML/],
  ["version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", /a Git LFS pointer \(git lfs pull/],
  ["\x1f\x8b\b\0", /gzip \(unpack it/],
  ["\x89HDF\r\n\x1a\n", /HDF5/],
  ["\x80\x03}q\0.", /a pickle that torch\.save has not written/],
  ["", /no byte/],
  ["\x01\x02", /01 02/],
])("%j is called what it is", (begin, name) => {
  const bytes = Uint8Array.from(begin, (letter) => letter.charCodeAt(0));
  expect(() => readTorch(bytes)).toThrow(name);
  expect(() => listTorchTensors(bytes)).toThrow(name);
});
