import { expect, test } from "vitest";
import { decodeBfloat16, encodeBfloat16 } from "../src/index.js";
import { exactValue, roundingCases } from "./sixteen-bit-oracle.js";

const format = { exponentBits: 8, fractionBits: 7 };
const everyPattern = Uint16Array.from({ length: 65_536 }, (_, pattern) => pattern);

test("every one of the 65,536 BF16 patterns decodes to its exact value", () => {
  const decoded = decodeBfloat16(everyPattern);
  const wrong = [...everyPattern].filter(
    (pattern) => !Object.is(decoded[pattern], exactValue(pattern, format)),
  );
  expect(wrong).toEqual([]);
});

test("every one of the 65,536 BF16 patterns survives decoding and encoding, signalling NaNs included", () => {
  expect(encodeBfloat16(decodeBfloat16(everyPattern))).toEqual(everyPattern);
});

test("values on, just below and just above every BF16 rounding boundary round to nearest even", () => {
  const cases = roundingCases(format);
  expect(cases.length).toBe(2 * (4 * 32_640 + 1));
  const encoded = encodeBfloat16(Float32Array.from(cases, ({ value }) => value));
  expect(cases.filter(({ pattern }, i) => encoded[i] !== pattern)).toEqual([]);
});

test("a float32 NaN stays a NaN in BF16 with its sign, also when only low payload bits are set", () => {
  const words = new Uint32Array([0x7fc00000, 0xffc00000, 0x7f800001, 0xff80ffff, 0x7f810000, 0x7fffffff]);
  const encoded = [...encodeBfloat16(new Float32Array(words.buffer))];
  expect(encoded).toEqual([0x7fc0, 0xffc0, 0x7fc0, 0xffc0, 0x7f81, 0x7fff]);
});

test("a part of an array is converted without its surroundings, and the input is left alone", () => {
  const values = new Float32Array([9, 1, -2, 9]).subarray(1, 3);
  expect([...encodeBfloat16(values)]).toEqual([0x3f80, 0xc000]);
  expect([...values]).toEqual([1, -2]);
  expect([...decodeBfloat16(new Uint16Array([0, 0x3f80, 0]).subarray(1, 2))]).toEqual([1]);
});

test("another typed array is a TypeError", () => {
  expect(() => decodeBfloat16(new Float32Array(2) as unknown as Uint16Array)).toThrow(
    new TypeError("decodeBfloat16: bits: expected a Uint16Array, got Float32Array of 2"),
  );
  expect(() => encodeBfloat16(undefined as unknown as Float32Array)).toThrow(
    new TypeError("encodeBfloat16: values: expected a Float32Array, got undefined"),
  );
});
