import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTorch, TorchFileError } from "../src/index.js";
import { bytesOf, pickle, zipFile } from "./pickle-bytes.js";

const folder = new URL("golden/", import.meta.url);
const fixtures = readdirSync(folder)
  .filter((name) => name.endsWith(".pth"))
  .map((name) => new Uint8Array(readFileSync(new URL(name, folder))));

/** Either a TorchFileError, or tensors within the stated bound; anything else fails the test. */
function expectCleanRead(file: Uint8Array): boolean {
  try {
    const { tensors } = readTorch(file);
    let held = 0;
    for (const { dtype, shape, data } of tensors.values()) {
      expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
      if (dtype === "BOOL") expect((data as Uint8Array).every((value) => value <= 1)).toBe(true);
      held += data.byteLength;
    }
    expect(held).toBeLessThanOrEqual(16 * file.length + 2 ** 20);
    return true;
  } catch (error) {
    if (!(error instanceof TorchFileError)) throw error;
    expect(error.message).toMatch(/^readTorch: /);
    expect(error.message.length).toBeLessThan(900);
    return false;
  }
}

test("PyTorch's files with a few changed bytes are read or refused, and never anything else", () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
  let read = 0;
  fc.assert(
    fc.property(fc.constantFrom(...fixtures), changes, (fixture, edits) => {
      const file = fixture.slice();
      for (const [at, byte] of edits) file[at % file.length] = byte;
      read += Number(expectCleanRead(file));
    }),
    { numRuns: 4000 },
  );
  expect(read).toBeGreaterThan(400); // bytes of elements may change: that the test reaches both outcomes
  expect(read).toBeLessThan(3600);
});

test("parts of files cut out, repeated or moved are read or refused, and never anything else", () => {
  fc.assert(
    fc.property(fc.constantFrom(...fixtures), fc.tuple(fc.nat(), fc.nat(), fc.nat()), (fixture, places) => {
      const [from, to, at] = places.map((place) => place % (fixture.length + 1)) as [number, number, number];
      const part = fixture.subarray(Math.min(from, to), Math.max(from, to));
      const without = bytesOf(fixture.subarray(0, Math.min(from, to)), fixture.subarray(Math.max(from, to)));
      for (const file of [
        fixture.subarray(0, at),
        fixture.subarray(at),
        without,
        bytesOf(fixture.subarray(0, at), part, fixture.subarray(at)),
      ]) {
        expectCleanRead(file);
      }
    }),
    { numRuns: 300 },
  );
});

test("a file of the legacy form that is cut off anywhere is refused", () => {
  for (const fixture of fixtures.filter((file) => file[0] === 0x80)) {
    for (let length = 0; length < fixture.length; length += 7) {
      expect(expectCleanRead(fixture.subarray(0, length))).toBe(false);
    }
  }
});

test("pickles assembled from the operations of pickles are read or refused, and never anything else", () => {
  const operation = fc.oneof(
    fc.constantFrom(
      ...[
        "(",
        ")",
        "]",
        "}",
        "N",
        "t",
        "l",
        "a",
        "e",
        "s",
        "u",
        "d",
        "R",
        "b",
        "Q",
        ".",
        "q\0",
        "h\0",
        "X\x01\0\0\0a",
      ],
      ...[
        "ctorch\nFloatStorage\n",
        "ctorch._utils\n_rebuild_tensor_v2\n",
        "ccollections\nOrderedDict\n",
        "K\x01",
      ],
      ...["X\x07\0\0\0storage", "X\x01\0\0\x000", "M\x06\0", "(K\x01K\x02t"],
    ),
    fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code & 0x7f)),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
      expectCleanRead(zipFile(pickle(...operations), { 0: new Uint8Array(24) }));
    }),
    { numRuns: 4000 },
  );
});
