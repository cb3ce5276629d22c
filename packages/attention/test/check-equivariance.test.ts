import { disposeParams } from "@gradlab/core";
import {
  add,
  dispose,
  expandDims,
  matMul,
  mul,
  ones,
  reshape,
  slice,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  tensor2d,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  checkEquivariance,
  cyclicShifts,
  flips,
  initMultiHeadAttention,
  type MultiHeadAttentionOptions,
  multiHeadAttention,
  sinusoidalPositions,
  tokenPermutations,
} from "../src/index.js";
import { backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

const width = 8;

/** Attention over `[tokens, width]`. */
function attention(options: Partial<MultiHeadAttentionOptions> = {}) {
  const params = initMultiHeadAttention({ width, heads: 2, seed: 3 });
  const f = (x: Tensor) =>
    tidy(() => {
      const one = expandDims(x) as Tensor3D;
      return reshape(multiHeadAttention(params, one, { heads: 2, ...options }), x.shape);
    });
  return { f, dispose: () => disposeParams(params) };
}

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("attention commutes with all 120 permutations of 5 tokens, and its mean does not move", async () => {
    await expectNoLeak(async () => {
      const { f, dispose } = attention();
      const report = await checkEquivariance(f, { tokens: 5, width });
      expect(report).toMatchObject({ holds: true, elements: 120, held: 120, unchanged: 1, vacuous: null });
      expect(report.deviation).toBeLessThanOrEqual(1e-6 * report.largest);
      const pooled = await checkEquivariance(f, { tokens: 5, width, expected: "pooled" });
      expect(pooled).toMatchObject({ holds: true, elements: 120, held: 120, vacuous: null });
      dispose();
    });
  });

  test("positions and a causal mask break it, by more than 0.01, and the report names where", async () => {
    const { f, dispose } = attention();
    const causal = attention({ causal: true });
    const alibi = attention({ position: "alibi" });
    const rotary = attention({ position: "rotary" });
    const positions = sinusoidalPositions(5, width);
    const placed = (x: Tensor) => f(add(x, positions));
    for (const broken of [placed, causal.f, alibi.f, rotary.f]) {
      const report = await checkEquivariance(broken, { tokens: 5, width });
      expect(report).toMatchObject({ holds: false, vacuous: null });
      expect(report.deviation).toBeGreaterThan(0.01);
      expect(report.held).toBeLessThanOrEqual(2);
      expect(report.worst).toMatch(/^[0-4]( [0-4]){4}$/);
      // The element that it names alone gives the same deviation.
      const worst = tokenPermutations(5).filter(({ label }) => label === report.worst);
      const alone = await checkEquivariance(broken, { tokens: 5, width, group: worst });
      expect(alone.deviation).toBe(report.deviation);
    }
    positions.dispose();
    for (const each of [dispose, causal.dispose, alibi.dispose, rotary.dispose]) each();
  });

  test("200 drawn permutations of 12 tokens, the same for the same seed", async () => {
    const { f, dispose } = attention();
    const options = { tokens: 12, width, permutations: 200, seed: 4 };
    const report = await checkEquivariance(f, options);
    expect(report).toMatchObject({ holds: true, elements: 200, vacuous: null });
    expect(await checkEquivariance(f, options)).toEqual(report);
    dispose();
  });
});

describe("on cpu", () => {
  beforeAll(() => useBackend("cpu"));

  test("a pass is vacuous where all tokens come out equal, where f(PX) = f(X), and where PX = X", async () => {
    const constant = await checkEquivariance((x) => ones(x.shape), { tokens: 4 });
    expect(constant).toMatchObject({
      holds: true,
      unchanged: 24,
      vacuous: "the outputs of all tokens are equal",
    });
    const x = new Draw("x").normalTensor([4, 2]);
    const same = ones([4, 2]);
    expect(await checkEquivariance((y) => mul(y, 2), { x: same })).toMatchObject({
      holds: true,
      vacuous: "every element leaves the input as it is",
    });
    const group = flips({ axis: 0 }).slice(0, 1);
    expect((await checkEquivariance((y) => mul(y, 2), { x, group })).vacuous).toBe(
      "every element leaves the input as it is",
    );
    dispose([x, same]);
  });

  test("an invariant pass is vacuous where the output does not depend on the input", async () => {
    for (const expected of ["invariant", "pooled"] as const) {
      const constant = await checkEquivariance((x) => ones(x.shape), { tokens: 4, expected });
      expect(constant).toMatchObject({ holds: true, vacuous: "the output does not depend on the input" });
      const twice = await checkEquivariance((x) => mul(x, 2), { tokens: 4, expected });
      expect(twice).toMatchObject({ holds: expected === "pooled", vacuous: null });
    }
  });

  test("f(PX) = f(X) for every element is a vacuous pass too, although the outputs of the tokens differ", async () => {
    // Tokens 0 and 1 come out as their mean, token 2 as it is: a swap of the first two changes nothing.
    const x = new Draw("x").normalTensor([3, 2]);
    const swap = tokenPermutations(3).filter(({ label }) => label === "0 1 2" || label === "1 0 2");
    const mixing = tensor2d([0.5, 0.5, 0, 0.5, 0.5, 0, 0, 0, 1], [3, 3]);
    const report = await checkEquivariance((y) => matMul(mixing, y as Tensor2D), { x, group: swap });
    expect(report).toMatchObject({ holds: true, unchanged: 2, vacuous: "f(PX) = f(X) too" });
    dispose([x, mixing]);
  });

  test("a failure is no vacuous pass, and NaN is a failure", async () => {
    const first = (x: Tensor) => mul(ones(x.shape), slice(x, [0, 0], [1, 1]));
    const report = await checkEquivariance(first, { tokens: 3 });
    expect(report).toMatchObject({ holds: false, held: 2, unchanged: 2, vacuous: null });
    const nan = await checkEquivariance((x) => mul(x, Number.NaN), { tokens: 3 });
    expect(nan).toMatchObject({ holds: false, held: 0, deviation: Number.NaN, worst: "0 1 2" });
  });

  test("other groups: a circular difference commutes with shifts and not with flips, a square of it with both", async () => {
    const x = new Draw("signal").normalTensor([1, 6]);
    const options = { axis: 1 };
    const difference = (y: Tensor) => tidy(() => add(y, mul(cyclicShifts(6, options)[1]!.onInput(y), -1)));
    const second = (y: Tensor) => {
      const shifts = cyclicShifts(6, options);
      return tidy(() => add(add(shifts[1]!.onInput(y), shifts[5]!.onInput(y)), mul(y, -2)));
    };
    const of = (f: (y: Tensor) => Tensor, group: ReturnType<typeof flips>) =>
      checkEquivariance(f, { x, group }).then(({ holds, elements }) => [holds, elements]);
    expect(await of(difference, cyclicShifts(6, options))).toEqual([true, 6]);
    expect(await of(difference, flips(options))).toEqual([false, 2]);
    expect(await of(second, cyclicShifts(6, options))).toEqual([true, 6]);
    expect(await of(second, flips(options))).toEqual([true, 2]);
    const values = await x.data();
    expect(await numbers(cyclicShifts(6, options)[2]!.onInput(x))).toEqual(
      [4, 5, 0, 1, 2, 3].map((i) => values[i]),
    );
    x.dispose();
  });

  test("all permutations are there once, the identity first", () => {
    const labels = tokenPermutations(4).map(({ label }) => label);
    expect(new Set(labels).size).toBe(24);
    expect(labels[0]).toBe("0 1 2 3");
    expect(labels.every((label) => [..."0123"].every((digit) => label.includes(digit)))).toBe(true);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      "nothing said",
      () => checkEquivariance((x) => x, {}),
      "checkEquivariance: tokens: expected a number, or an input x, got undefined",
    ],
    [
      "all of too many",
      () => checkEquivariance((x) => x, { tokens: 8 }),
      'tokenPermutations: permutations: expected a number of them to draw, of more than 7 tokens, got "all"',
    ],
    [
      "another number of tokens",
      () => checkEquivariance((x) => x, { tokens: 3, x: zeros([4, 2]) }),
      "checkEquivariance: tokens: expected 4 as in x, got 3",
    ],
    [
      "no tensor",
      () => checkEquivariance(() => 1 as never, { tokens: 3 }),
      "checkEquivariance: f: expected a function to a tensor, got 1",
    ],
    [
      "no element",
      () => checkEquivariance((x) => x, { x: zeros([2]), group: [] }),
      "checkEquivariance: group: expected at least one element, got an array of length 0",
    ],
    [
      "no options",
      () => (checkEquivariance as (...all: unknown[]) => Promise<unknown>)((x: Tensor) => x),
      "checkEquivariance: options: expected {tokens}, {x} or {group}, got undefined",
    ],
    [
      "an output that is one number",
      () => checkEquivariance((x) => sum(x), { tokens: 3 }),
      "checkEquivariance: f: expected outputs with an axis -2, got []",
    ],
    [
      "the mean over tokens of one number",
      () => checkEquivariance((x) => sum(x), { tokens: 3, expected: "pooled" }),
      "checkEquivariance: f: expected outputs with an axis -2, got []",
    ],
    [
      "an input without tokens",
      () => checkEquivariance((x) => x, { x: zeros([3]) }),
      "checkEquivariance: axis: expected an axis of [3], got -2",
    ],
    [
      "an axis that is not there",
      () => checkEquivariance((x) => x, { tokens: 3, axis: 2 }),
      "checkEquivariance: axis: expected an axis of [tokens, width], got 2",
    ],
    [
      "another word",
      () => checkEquivariance((x) => x, { tokens: 3, expected: "same" as never }),
      'checkEquivariance: expected: expected "equivariant", "invariant" or "pooled", got "same"',
    ],
  ])("%s: refused", async (_, work, message) => {
    await expect(work()).rejects.toThrow(message);
  });

  test("an abort is heard", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expectNoLeak(async () => {
      await expect(checkEquivariance((x) => mul(x, 1), { tokens: 3, signal })).rejects.toThrow("enough");
    });
  });
});
