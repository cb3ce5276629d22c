import { expect, test } from "vitest";
import { decodeFloat16, encodeFloat16 } from "../src/index.js";
import { exactValue, roundingCases } from "./sixteen-bit-oracle.js";

const format = { exponentBits: 5, fractionBits: 10 };
const everyPattern = Uint16Array.from({ length: 65_536 }, (_, pattern) => pattern);

test("every one of the 65,536 F16 patterns decodes to its exact value", () => {
  const decoded = decodeFloat16(everyPattern);
  const wrong = [...everyPattern].filter(
    (pattern) => !Object.is(decoded[pattern], exactValue(pattern, format)),
  );
  expect(wrong).toEqual([]);
});

test("every one of the 65,536 F16 patterns survives decoding and encoding, signalling NaNs included", () => {
  expect(encodeFloat16(decodeFloat16(everyPattern))).toEqual(everyPattern);
});

test("values on, just below and just above every F16 rounding boundary round to nearest even", () => {
  const cases = roundingCases(format);
  expect(cases.length).toBe(2 * (4 * 31_744 + 1));
  const encoded = encodeFloat16(Float32Array.from(cases, ({ value }) => value));
  expect(cases.filter(({ pattern }, i) => encoded[i] !== pattern)).toEqual([]);
});

test("float32 values far outside F16 become zero or infinite with their sign", () => {
  const far = new Float32Array([1e38, -1e38, 2 ** -149, -(2 ** -149), 2 ** -126]);
  expect([...encodeFloat16(far)]).toEqual([0x7c00, 0xfc00, 0, 0x8000, 0]);
});

test("a float32 NaN stays a NaN in F16 with its sign, also when only low payload bits are set", () => {
  const words = new Uint32Array([0x7fc00000, 0xffc00000, 0x7f800001, 0xff801fff, 0x7f802000, 0x7fffffff]);
  const encoded = [...encodeFloat16(new Float32Array(words.buffer))];
  expect(encoded).toEqual([0x7e00, 0xfe00, 0x7e00, 0xfe00, 0x7c01, 0x7fff]);
});

test("a part of an array is converted without its surroundings, and the input is left alone", () => {
  const values = new Float32Array([9, 1, -2, 9]).subarray(1, 3);
  expect([...encodeFloat16(values)]).toEqual([0x3c00, 0xc000]);
  expect([...values]).toEqual([1, -2]);
  expect([...decodeFloat16(new Uint16Array([0, 0x3c00, 0]).subarray(1, 2))]).toEqual([1]);
});

test("another typed array is a TypeError", () => {
  expect(() => decodeFloat16(new Int16Array(2) as unknown as Uint16Array)).toThrow(
    new TypeError("decodeFloat16: bits: expected a Uint16Array, got Int16Array of 2"),
  );
  expect(() => encodeFloat16([1, 2] as unknown as Float32Array)).toThrow(
    new TypeError("encodeFloat16: values: expected a Float32Array, got [1, 2]"),
  );
});
