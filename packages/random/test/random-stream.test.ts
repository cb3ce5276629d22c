import { expect, test } from "vitest";
import { fnv1a64 } from "../src/fnv1a64.js";
import {
  integer,
  normal,
  permutation,
  type RandomStream,
  randomStream,
  type StreamOptions,
  skip,
  uint32,
  uniform,
} from "../src/index.js";
import golden from "./golden/streams.json" with { type: "json" };
import { correlation, NORMAL_LIMIT } from "./statistics.js";

const draw = (stream: RandomStream, count: number) => Array.from({ length: count }, () => uint32(stream));

test("the words of a stream are the documented blocks, as another language computes them", () => {
  for (const { seed, purpose, index, position, uint32: words } of golden.streams) {
    expect(draw(randomStream({ seed, purpose, index, position }), words.length)).toEqual(words);
  }
});

test("the hash of a purpose is FNV-1a of its UTF-8 bytes", () => {
  const hex = (text: string) =>
    fnv1a64(text)
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
  expect(hex("")).toBe("cbf29ce484222325"); // the published values, RFC 9923
  expect(hex("a")).toBe("af63dc4c8601ec8c");
  expect(hex("foobar")).toBe("85944171f73967e8");
  for (const [text, hash] of Object.entries(golden.fnv1a64)) expect(hex(text)).toBe(hash);
});

test("purposes that differ in a lone surrogate alone have different hashes", () => {
  // TextEncoder would make the same three bytes of both.
  expect(fnv1a64("\ud800")).not.toEqual(fnv1a64("\ud801"));
  expect(fnv1a64("\ud83c\udfb2")).not.toEqual(fnv1a64("\udfb2\ud83c"));
});

test("index and position are 0 unless given", () => {
  const stream = randomStream({ seed: 3, purpose: "x" });
  expect(stream.toJSON()).toEqual({ seed: 3, purpose: "x", index: 0, position: 0 });
  expect(draw(stream, 5)).toEqual(draw(randomStream({ seed: 3, purpose: "x", index: 0, position: 0 }), 5));
});

test("no two streams begin with the same block", () => {
  // The first block is a bijection of what a stream is made of, so a repeated pair of words means that a part of
  // seed, index or hash is lost. Among 60,000 pairs of 64 bits chance repeats one with probability 1e-10.
  const numbers = [...Array(80).keys()];
  for (let bit = 7; bit < 53; bit++) numbers.push(2 ** bit, 2 ** bit + 1);
  numbers.push(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1);
  const purposes = [
    "",
    "a",
    "b",
    "ab",
    "ba",
    "init",
    "Init",
    "init ",
    "dropout",
    "pgd-0",
    "pgd-1",
    "é",
    "e\u0301",
  ];
  const streams: StreamOptions[] = [];
  for (const purpose of purposes) {
    for (const number of numbers) {
      streams.push(
        { seed: number, purpose, index: 0 },
        { seed: 1, purpose, index: number + (number < 2 ? 500 : 0) },
      );
    }
  }
  for (const seed of numbers)
    for (const index of numbers.slice(2)) streams.push({ seed, purpose: "c", index });
  for (let i = 0; i < 20_000; i++) streams.push({ seed: 0, purpose: `layer ${i}`, index: 0 });
  const keys = new Set(streams.map(({ seed, purpose, index }) => `${seed}/${index}/${purpose}`));
  const starts = new Set(streams.map((options) => draw(randomStream(options), 2).join()));
  expect(streams.length).toBeGreaterThan(50_000);
  expect(starts.size).toBe(keys.size);
});

test("a stream does not see the others", () => {
  const alone = draw(randomStream({ seed: 5, purpose: "x", index: 1 }), 9);
  const [a, b] = [0, 1].map((index) => randomStream({ seed: 5, purpose: "x", index })) as [
    RandomStream,
    RandomStream,
  ];
  const interleaved = Array.from({ length: 9 }, () => {
    normal(a);
    return uint32(b);
  });
  expect(interleaved).toEqual(alone);
});

test("a stream saved as JSON at any word goes on with the same numbers", () => {
  for (let position = 0; position <= 9; position++) {
    const stream = randomStream({ seed: 11, purpose: "data order", index: 4 });
    draw(stream, position);
    expect(stream.position).toBe(position);
    const text = JSON.stringify(stream);
    expect(text).toBe(`{"seed":11,"purpose":"data order","index":4,"position":${position}}`);
    const restored = randomStream(JSON.parse(text));
    const next = (s: RandomStream) => [
      uint32(s),
      uniform(s),
      normal(s),
      integer(s, 0, 1e12),
      ...permutation(s, 9),
    ];
    expect(next(restored)).toEqual(next(stream));
    expect(restored.toJSON()).toEqual(stream.toJSON());
  }
});

test("skipping words is drawing them", () => {
  for (const before of [0, 1, 3, 4]) {
    for (const words of [0, 1, 2, 3, 4, 5, 8, 1001]) {
      const [skipped, drawn] = [0, 0].map(() => randomStream({ seed: 1, purpose: "x" })) as [
        RandomStream,
        RandomStream,
      ];
      draw(skipped, before);
      skip(skipped, words);
      draw(drawn, before + words);
      expect(skipped.position).toBe(before + words);
      expect(draw(skipped, 5)).toEqual(draw(drawn, 5));
    }
  }
});

test("a stream has 2^34 words and no more", () => {
  const stream = randomStream({ seed: 0, purpose: "x" });
  skip(stream, 2 ** 34 - 2);
  expect(() => skip(stream, 3)).toThrow(
    new RangeError("skip: stream: expected 3 of its 2^34 words to be left, got 2"),
  );
  draw(stream, 1);
  expect(() => uniform(stream)).toThrow(
    new RangeError("uniform: stream: expected 2 of its 2^34 words to be left, got 1"),
  );
  draw(stream, 1);
  expect(stream.position).toBe(2 ** 34);
  expect(() => uint32(stream)).toThrow(
    new RangeError("uint32: stream: expected 1 of its 2^34 words to be left, got 0"),
  );
  expect(() => uint32(randomStream(JSON.parse(JSON.stringify(stream))))).toThrow(RangeError);
  const last = randomStream({ seed: 0, purpose: "x", position: 2 ** 34 - 1 });
  // Two words for a range above 2^32: the second one is missing.
  expect(() => integer(last, 0, 2 ** 40)).toThrow(
    new RangeError("stream: expected one of its 2^34 words to be left, got 0"),
  );
});

test("neighbouring streams are not correlated", () => {
  // A stream per sample is used by its first numbers: those, over seeds and indices next to each other, and the
  // streams as wholes.
  const n = 40_000;
  const firsts = (options: (i: number) => StreamOptions) =>
    Float64Array.from({ length: n }, (_, i) => uniform(randomStream(options(i))));
  const byIndex = firsts((i) => ({ seed: 1, purpose: "x", index: i }));
  const bySeed = firsts((i) => ({ seed: i, purpose: "x", index: 1 }));
  for (const values of [byIndex, bySeed]) {
    for (const lag of [1, 2, 256]) {
      expect(Math.abs(correlation(values.subarray(lag), values.subarray(0, n - lag)))).toBeLessThan(
        NORMAL_LIMIT,
      );
    }
  }
  const whole = (options: StreamOptions) => {
    const stream = randomStream(options);
    return Float64Array.from({ length: n }, () => uniform(stream));
  };
  const base = whole({ seed: 1, purpose: "x", index: 1 });
  for (const options of [
    { seed: 1, purpose: "x", index: 2 },
    { seed: 2, purpose: "x", index: 1 },
    { seed: 1, purpose: "y", index: 1 },
    { seed: 1 + 2 ** 32, purpose: "x", index: 1 },
    { seed: 1, purpose: "x", index: 1 + 2 ** 52 },
  ]) {
    expect(Math.abs(correlation(base, whole(options)))).toBeLessThan(NORMAL_LIMIT);
  }
});

test("a stream refuses a seed, purpose, index or position that is none", () => {
  const make = (options: unknown) => () => randomStream(options as StreamOptions);
  expect(make(undefined)).toThrow(
    new TypeError("randomStream: options: expected {seed, purpose, index, position}, got undefined"),
  );
  expect(make({ purpose: "x" })).toThrow(
    new TypeError("randomStream: seed: expected a non-negative safe integer, got undefined"),
  );
  for (const seed of [-1, 0.5, 2 ** 53, Number.NaN, Infinity]) {
    expect(make({ seed, purpose: "x" })).toThrow(
      new RangeError(`randomStream: seed: expected a non-negative safe integer, got ${seed}`),
    );
  }
  expect(make({ seed: 1n, purpose: "x" })).toThrow(
    new TypeError("randomStream: seed: expected a non-negative safe integer, got 1n"),
  );
  expect(make({ seed: 1, purpose: 2 })).toThrow(
    new TypeError("randomStream: purpose: expected a string, got 2"),
  );
  expect(make({ seed: 1, purpose: "x", index: -1 })).toThrow(
    new RangeError("randomStream: index: expected a non-negative safe integer, got -1"),
  );
  expect(make({ seed: 1, purpose: "x", position: 2 ** 34 + 1 })).toThrow(
    new RangeError("randomStream: position: expected an integer in [0, 2^34], got 17179869185"),
  );
});

test("every draw says what it expected in place of a stream", () => {
  const state = { seed: 1, purpose: "x", index: 0, position: 0 } as unknown as RandomStream;
  expect(() => uint32(state)).toThrow(
    new TypeError("uint32: stream: expected what randomStream returns, got an object (Object)"),
  );
  expect(() => permutation(undefined as unknown as RandomStream, 4)).toThrow(
    new TypeError("permutation: stream: expected what randomStream returns, got undefined"),
  );
  expect(() => skip(randomStream({ seed: 1, purpose: "x" }), -1)).toThrow(
    new RangeError("skip: words: expected a non-negative safe integer, got -1"),
  );
});
