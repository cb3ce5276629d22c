import fc from "fast-check";
import { expect, test } from "vitest";
import { parseShardIndex, readSafetensors, SafetensorsError, writeSafetensors } from "../src/index.js";
import { arbitraryMetadata, arbitraryTensors } from "./arbitrary-tensors.js";
import { composeFile } from "./compose-file.js";

/** Either a SafetensorsError, or a result that holds no more bytes than the file; anything else fails the test. */
function expectCleanRead(file: Uint8Array): boolean {
  try {
    const { tensors } = readSafetensors(file);
    let held = 0;
    for (const { dtype, shape, data } of tensors.values()) {
      expect(data.length).toBe(shape.reduce((product, n) => product * n, 1));
      if (dtype === "BOOL") expect((data as Uint8Array).every((value) => value <= 1)).toBe(true);
      held += data.byteLength;
    }
    expect(held).toBeLessThanOrEqual(file.length);
    return true;
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error;
    expect(error.message.length).toBeLessThan(500);
    return false;
  }
}

const files = fc
  .tuple(arbitraryTensors, arbitraryMetadata)
  .map(([tensors, metadata]) => writeSafetensors(tensors, { metadata }));

test("a file with a few changed bits is read or refused, and never anything else", () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 7 })), { minLength: 1, maxLength: 4 });
  let read = 0;
  fc.assert(
    fc.property(files, flips, (file, changes) => {
      for (const [at, bit] of changes) file[at % file.length]! ^= 1 << bit;
      read += Number(expectCleanRead(file));
    }),
    { numRuns: 3000 },
  );
  expect(read).toBeGreaterThan(100); // bits of the data may change: that the test reaches both outcomes
  expect(read).toBeLessThan(2900);
});

test("a file that is cut or grows is refused, at every length", () => {
  fc.assert(
    fc.property(files, fc.nat(), fc.integer({ min: 1, max: 9 }), (file, at, more) => {
      expect(expectCleanRead(file.subarray(0, at % file.length))).toBe(false);
      const longer = new Uint8Array(file.length + more);
      longer.set(file);
      expect(expectCleanRead(longer)).toBe(false);
    }),
    { numRuns: 1500 },
  );
});

test("headers assembled from the tokens of headers are read or refused, and never anything else", () => {
  const token = fc.constantFrom(
    ...[
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      " ",
      '"',
      '"a"',
      '"b"',
      '"__metadata__"',
      '"__proto__"',
      '"\\u0061"',
      '"\\',
    ],
    ...[
      '"dtype"',
      '"shape"',
      '"data_offsets"',
      '"F32"',
      '"BOOL"',
      '"I64"',
      "0",
      "1",
      "4",
      "-1",
      "1e999",
      ".5",
    ],
    ...["9007199254740993", "[0,4]", "[0,0]", "[]", "[1]", "null", "true", "\n", "\0", "\u{1f600}"],
    '"dtype":"F32"',
    '"shape":[]',
    '"data_offsets":[0,4]',
    '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}',
    '{"dtype":"U8","shape":[4],"data_offsets":[4,8]}',
  );
  fc.assert(
    fc.property(fc.array(token, { maxLength: 20 }), fc.constantFrom(0, 4, 8), (tokens, data) => {
      const text = tokens.join("");
      expectCleanRead(composeFile(`{${text}`, data));
      expectCleanRead(composeFile(`{"a":${text}}`, data));
      for (const json of [`{${text}`, `{"weight_map":${text}}`, `{"x":${text},"weight_map":{}}`]) {
        try {
          parseShardIndex(json);
          JSON.parse(json); // what is accepted is JSON
        } catch (error) {
          expect(error).toBeInstanceOf(SafetensorsError);
        }
      }
    }),
    { numRuns: 4000 },
  );
});

test("what is accepted of a changed header is JSON with the same meaning for JSON.parse", () => {
  const text = '{"__metadata__":{"k":"v"},"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]}}  ';
  const ascii = fc.integer({ min: 1, max: 127 });
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(text.length - 1), ascii, (at, code) => {
      const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
      const file = composeFile(changed, 2);
      if (!expectCleanRead(file)) return;
      accepted++;
      const { __metadata__: strings = {}, ...entries } = JSON.parse(changed);
      const { tensors, raw, metadata } = readSafetensors(file);
      expect(Object.fromEntries(metadata)).toEqual(strings);
      expect([...tensors, ...raw].map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual(
        Object.entries<{ dtype: string; shape: number[] }>(entries).map(([name, { dtype, shape }]) => [
          name,
          dtype,
          shape,
        ]),
      );
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(20);
});
