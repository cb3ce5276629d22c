import * as fc from "fast-check";
import { expect, test } from "vitest";
import { swapBytes } from "../src/byte-order.js";
import { compareCodePoints } from "../src/compare-code-points.js";
import { writeSafetensors } from "../src/index.js";
import { JsonScanner } from "../src/json-scanner.js";

test("names are ordered as their UTF-8 bytes, also where they begin alike", () => {
  const name = fc.string({
    unit: fc.constantFrom("a", "b", "\uff00", "\u{10000}", "\u{10001}"),
    maxLength: 5,
  });
  fc.assert(
    fc.property(name, name, (a, b) => {
      const bytes = Buffer.compare(Buffer.from(a), Buffer.from(b));
      expect(Math.sign(compareCodePoints(a, b))).toBe(bytes);
    }),
    { numRuns: 500 },
  );
});

test("whole elements are swapped, what is left behind them stays", () => {
  const bytes = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  swapBytes(bytes, 4);
  expect([...bytes]).toEqual([4, 3, 2, 1, 8, 7, 6, 5, 9, 10]);
});

test("what is neither a Map nor pairs nor a record is named", () => {
  const got = (tensors: unknown) => () => writeSafetensors(tensors as never);
  const expected = "writeSafetensors: tensors: expected a Map, pairs or a record";
  expect(got(null)).toThrow(new TypeError(`${expected}, got null`));
  expect(got(undefined)).toThrow(new TypeError(`${expected}, got undefined`));
  expect(got(() => {})).toThrow(new TypeError(`${expected}, got a function`));
});

test("JSON of 64 levels is read, of 65 it is not", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  expect(new JsonScanner("test", "the header", nested(64)).value("x")).toEqual(JSON.parse(nested(64)));
  expect(() => new JsonScanner("test", "the header", nested(65)).value("x")).toThrow("at most 64 levels");
});

test("a header of exactly 100 MB is written", () => {
  const around = '{"__metadata__":{"k":""}}'.length;
  const file = writeSafetensors({}, { metadata: { k: "x".repeat(100_000_000 - around) } });
  expect(file.length).toBe(8 + 100_000_000);
});
