import {
  dispose,
  matMul,
  mul,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { alibiBias, alibiSlopes, rotary, sinusoidalPositions } from "../src/index.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([6, 7])(
    "sinusoidal positions of width %d are sines and cosines, and k further is a turn",
    async (width) => {
      await expectNoLeak(async () => {
        const tokens = 40;
        const table = await numbers(sinusoidalPositions(tokens, width));
        const rate = (i: number) => 10_000 ** ((-2 * i) / width);
        const known = Array.from({ length: tokens * width }, (_, at) => {
          const [p, c] = [Math.floor(at / width), at % width];
          const angle = p * rate(Math.floor(c / 2));
          return c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
        });
        expect(apart(table, known)).toBeLessThan(2 ** -24);
        // PE(p + k) = R(k) PE(p), a turn of each pair, whatever p.
        for (const k of [1, 5, 17]) {
          for (let p = 0; p + k < tokens; p++) {
            for (let i = 0; 2 * i + 1 < width; i++) {
              const [sin, cos] = [table[p * width + 2 * i]!, table[p * width + 2 * i + 1]!];
              const [c, s] = [Math.cos(k * rate(i)), Math.sin(k * rate(i))];
              const [a, b] = [sin * c + cos * s, cos * c - sin * s];
              // Four roundings of 2^-25.
              expect(Math.abs(a - table[(p + k) * width + 2 * i]!)).toBeLessThan(2 ** -22);
              expect(Math.abs(b - table[(p + k) * width + 2 * i + 1]!)).toBeLessThan(2 ** -22);
            }
          }
        }
        const later = await numbers(sinusoidalPositions(10, width, { start: 30 }));
        expect(later).toEqual(table.slice(30 * width));
      });
    },
  );

  test("rotary positions turn, keep lengths, and leave scores that depend on the distance alone", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("rotary");
      const [q, k] = [draw.normalTensor<Tensor2D>([1, 8]), draw.normalTensor<Tensor2D>([1, 8])];
      const score = async (m: number, n: number) => {
        const [value] = await numbers(
          tidy(() => matMul(rotary(q, { start: m }), rotary(k, { start: n }), false, true)),
        );
        return value!;
      };
      const scores = new Map<number, number>();
      for (const [m, n] of [
        [0, 0],
        [7, 7],
        [3, 1],
        [12, 10],
        [102, 100],
        [1, 3],
        [50, 52],
      ] as const) {
        const known = scores.get(m - n);
        const got = await score(m, n);
        // Eight products of numbers around 1, each factor rounded.
        if (known !== undefined) expect(Math.abs(got - known)).toBeLessThan(2e-6);
        else scores.set(m - n, got);
      }
      const [same, two, back] = [scores.get(0)!, scores.get(2)!, scores.get(-2)!];
      expect(Math.abs(same - two)).toBeGreaterThan(0.01);
      expect(Math.abs(two - back)).toBeGreaterThan(0.01);
      const given = await q.data();
      const turned = await numbers(rotary(q, { start: 5 }));
      const known = Array.from({ length: 8 }, (_, c) => {
        const angle = 5 * 10_000 ** ((-2 * (c % 4)) / 8);
        const [a, b] = [given[c % 4]!, given[(c % 4) + 4]!];
        return c < 4 ? a * Math.cos(angle) - b * Math.sin(angle) : a * Math.sin(angle) + b * Math.cos(angle);
      });
      expect(apart(turned, known)).toBeLessThan(1e-6);
      dispose([q, k]);
    });
  });

  test("queries and keys of N(0, 1) numbers have products of variance d, and 1 when divided by √d", async () => {
    const draw = new Draw("variance");
    const [n, d] = [20_000, 16];
    const products = await numbers(
      tidy(() => {
        const [q, k] = [draw.normalTensor<Tensor2D>([n, d]), draw.normalTensor<Tensor2D>([n, d])];
        return sum(mul(q, k), 1);
      }),
    );
    const variance = products.reduce((sum, product) => sum + product ** 2, 0) / n;
    // A product of two N(0, 1) has a fourth moment of 9: the variance of a squared sum is d · 6 + 2 d²; five deviations.
    const deviation = Math.sqrt((6 * d + 2 * d ** 2) / n);
    expect(Math.abs(variance - d)).toBeLessThan(5 * deviation);
  });
});

describe("ALiBi", () => {
  beforeAll(() => useBackend("cpu"));

  test("slopes are 2^(-8i/heads), and the bias of a key is -slope times its distance", async () => {
    expect(alibiSlopes(8)).toEqual([2, 4, 8, 16, 32, 64, 128, 256].map((power) => 1 / power));
    expect(alibiSlopes(2)).toEqual([1 / 16, 1 / 256]);
    const bias = alibiBias({ heads: 2, queries: 2, keys: 4, queryStart: 1 });
    expect(bias.shape).toEqual([1, 2, 2, 4]);
    const distances = [1, 0, 1, 2, 2, 1, 0, 1];
    expect((await numbers(bias)).map((x) => x + 0)).toEqual([
      ...distances.map((d) => 0 - d / 16),
      ...distances.map((d) => 0 - d / 256),
    ]);
  });

  test("what is out of range is refused", () => {
    expect(() => sinusoidalPositions(0, 4)).toThrow(
      "sinusoidalPositions: tokens: expected an integer, at least 1, got 0",
    );
    expect(() => sinusoidalPositions(2, 4, { base: -1 })).toThrow(
      "sinusoidalPositions: base: expected a finite number, greater than 0, got -1",
    );
    expect(() => rotary(zeros([2, 3]) as Tensor as Tensor4D)).toThrow(
      "rotary: x: expected [..., tokens, width] with an even width, got [2, 3]",
    );
    expect(() => alibiSlopes(0)).toThrow("alibiSlopes: heads: expected an integer, at least 1, got 0");
    expect(() => alibiBias({ heads: 1, queries: 1, keys: 0 })).toThrow(
      "alibiBias: keys: expected an integer, at least 1, got 0",
    );
  });
});
