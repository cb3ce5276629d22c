import {
  add,
  cast,
  dispose,
  grads,
  mul,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tensor,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { attend, attendWithWeights, maskFromDropped } from "../src/index.js";
import { attentionCase } from "./attention-cases.js";
import { referenceAttention } from "./reference-attention.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test("outputs, weights and gradients of 100 random shapes with masks are those of double precision", async () => {
    let empty = 0;
    for (let i = 0; i < 100; i++) {
      await expectNoLeak(async () => {
        const { q, k, v, dOut, options, known, ...rest } = attentionCase(i);
        empty += rest.empty;
        const { output, weights } = attendWithWeights(q, k, v, options);
        expect(apart(await output.data(), known.output), `output of case ${i}`).toBeLessThan(1e-5);
        expect(apart(await weights.data(), known.weights), `weights of case ${i}`).toBeLessThan(1e-5);
        const loss = (...[q, k, v]: Tensor[]) => sum(mul(attend(q!, k!, v!, options), dOut)) as Tensor;
        const found = grads(loss)([q, k, v]);
        for (const [j, name] of (["dq", "dk", "dv"] as const).entries()) {
          expect(apart(await found[j]!.data(), known[name]), `${name} of case ${i}`).toBeLessThan(1e-5);
        }
        const { mask, keyMask, bias } = options;
        dispose([q, k, v, dOut, output, weights, ...found]);
        dispose([mask, keyMask, bias].filter((each) => each !== undefined));
      });
    }
    expect(empty).toBeGreaterThan(50); // the masks hide everything from some
  });

  test("the gradient of a bias is that of the scores, summed where it is broadcast", async () => {
    const sizes = { batch: 2, heads: 3, groups: 3, t: 4, s: 5, d: 3, e: 2 };
    const draw = new Draw("bias");
    const [q, k] = [draw.normalTensor<Tensor4D>([2, 3, 4, 3]), draw.normalTensor<Tensor4D>([2, 3, 5, 3])];
    const [v, dOut] = [draw.normalTensor<Tensor4D>([2, 3, 5, 2]), draw.normalTensor<Tensor4D>([2, 3, 4, 2])];
    const bias = draw.normalTensor([1, 3, 4, 5]);
    const given = await bias.data();
    const [qs, ks, vs, dOuts] = await Promise.all([q, k, v, dOut].map((x) => x.data()));
    const { dBias } = referenceAttention(sizes, {
      ...{ q: qs!, k: ks!, v: vs!, dOut: dOuts!, scale: 1, sees: () => true },
      bias: (_, h, i, j) => given[(h * 4 + i) * 5 + j]!,
    });
    const known = Array.from({ length: 60 }, (_, at) => dBias[at]! + dBias[60 + at]!);
    const loss = (b: Tensor) => sum(mul(attend(q, k, v, { bias: b, scale: 1 }), dOut)) as Tensor;
    const [found] = grads(loss)([bias]);
    expect(apart(await found!.data(), known)).toBeLessThan(1e-5);
    dispose([q, k, v, dOut, bias, found!]);
  });

  test("a row that sees nothing gives zeros, and no gradient is NaN, also beside numbers that are no numbers", async () => {
    const draw = new Draw("empty row");
    const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor3D>([2, 3, 4])) as [
      Tensor3D,
      Tensor3D,
      Tensor3D,
    ];
    const mask = tensor([0, 0, 0, 1, 0, 1, 1, 1, 1], [3, 3], "bool");
    const output = await numbers(attend(q, k, v, { mask }));
    for (const b of [0, 1]) expect(output.slice(b * 12, b * 12 + 4)).toEqual([0, 0, 0, 0]);
    const found = grads((...[q, k, v]: Tensor[]) => sum(attend(q!, k!, v!, { mask })) as Tensor)([q, k, v]);
    for (const gradient of found) {
      expect((await gradient.data()).every(Number.isFinite)).toBe(true);
    }
    expect(Array.from(await found[0]!.data()).slice(0, 4)).toEqual([0, 0, 0, 0]);
    const nobody = tensor([0, 0, 0, 0, 0, 0], [2, 3], "bool") as Tensor2D;
    expect(new Set(await numbers(attend(q, k, v, { keyMask: nobody })))).toEqual(new Set([0]));
    dispose([q, k, v, mask, nobody, ...found]);
  });

  test("the second derivative is that of the loss: a Hessian times a vector against differences of gradients", async () => {
    const draw = new Draw("second");
    const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor4D>([1, 2, 3, 2])) as Tensor4D[];
    const direction = draw.normalTensor<Tensor4D>([1, 2, 3, 2]);
    const gradient = (at: Tensor) =>
      grads((x: Tensor) => sum(mul(attend(x as Tensor4D, k!, v!, { causal: true }), v!)) as Tensor)([at])[0]!;
    const [second] = grads((x: Tensor) => sum(mul(gradient(x), direction)) as Tensor)([q!]);
    const step = 2 ** -7;
    const near = (by: number) => tidy(() => gradient(add(q!, mul(direction, by)))).data();
    const [above, below] = await Promise.all([near(step), near(-step)]);
    const slopes = Array.from(above, (value, i) => (value - below[i]!) / (2 * step));
    // Rounding 2^-24 / 2^-7 and the cube of the step: well below 1e-3 of numbers around 1.
    expect(apart(await second!.data(), slopes)).toBeLessThan(1e-3);
    expect(Math.max(...slopes.map(Math.abs))).toBeGreaterThan(0.05);
  });
});

describe("arguments", () => {
  beforeAll(() => useBackend("cpu"));
  const of = (...shape: number[]): Tensor4D => zeros(shape as [number]) as Tensor as Tensor4D;
  const q = () => of(2, 4, 5, 3);
  const k = () => of(2, 2, 6, 3);
  const v = () => of(2, 2, 6, 7);
  const bool = (...shape: number[]) => zeros(shape, "bool");

  test.each<[string, () => unknown, string]>([
    [
      "two axes",
      () => attend(of(2, 3), of(2, 3), of(2, 3)),
      "attend: q: expected [batch, heads, t, d] or [batch, t, d], got [2, 3]",
    ],
    [
      "another d",
      () => attend(q(), of(2, 2, 6, 4), v()),
      "attend: k: expected [2, a divisor of 4, s, 3], got [2, 2, 6, 4]",
    ],
    [
      "heads that do not divide",
      () => attend(q(), of(2, 3, 6, 3), of(2, 3, 6, 3)),
      "attend: k: expected [2, a divisor of 4, s, 3], got [2, 3, 6, 3]",
    ],
    [
      "fewer values than keys",
      () => attend(q(), k(), of(2, 2, 5, 7)),
      "attend: v: expected [2, 2, 6, e], got [2, 2, 5, 7]",
    ],
    [
      "a mask of numbers",
      () => attend(q(), k(), v(), { mask: of(5, 6) }),
      "attend: mask: expected bool (true: attend; numbers to be added are a bias), got float32",
    ],
    [
      "a bias of truth values",
      () => attend(q(), k(), v(), { bias: bool(5, 6) }),
      "attend: bias: expected float32 (truth values are a mask), got bool",
    ],
    [
      "a mask of three axes, which could be [batch, t, s] or [heads, t, s]",
      () => attend(q(), k(), v(), { mask: bool(2, 5, 6) }),
      "attend: mask: expected [5, 6] or [2, 4, 5, 6] (or 1 in the place of a size), got [2, 5, 6]",
    ],
    [
      "a mask of keys as a mask of scores",
      () => attend(q(), k(), v(), { mask: bool(2, 6) }),
      "attend: mask: expected [5, 6] or [2, 4, 5, 6] (or 1 in the place of a size), got [2, 6]",
    ],
    [
      "a key mask of another length",
      () => attend(q(), k(), v(), { keyMask: bool(2, 5) as Tensor2D }),
      "attend: keyMask: expected [2, 6], got [2, 5]",
    ],
    [
      "another library's name",
      () => attend(q(), k(), v(), { attnMask: bool(5, 6) } as never),
      'attend: options: expected only mask, keyMask, bias, causal, window, queryStart, scale, dropout, got "attnMask"',
    ],
    [
      "causal without a place",
      () => attend(q(), k(), v(), { causal: true }),
      "attend: queryStart: expected the position of the first query where 5 queries meet 6 keys, got undefined",
    ],
    [
      "half a window",
      () => attend(q(), k(), v(), { window: [1] as never }),
      "attend: window: expected [before, after], got an array of length 1",
    ],
    [
      "a negative window",
      () => attend(q(), k(), v(), { window: [1, -1], queryStart: 0 }),
      "attend: window: expected an integer, at least 0, got -1",
    ],
    [
      "no scale",
      () => attend(q(), k(), v(), { scale: Number.NaN }),
      "attend: scale: expected a finite number, got NaN",
    ],
    ["whole numbers", () => attend(cast(q(), "int32"), k(), v()), 'attend: q: expected float32, got "int32"'],
    [
      "no keys",
      () => attend(q(), of(2, 2, 0, 3), of(2, 2, 0, 7)),
      "attend: k: expected at least one key, got [2, 2, 0, 3]",
    ],
    [
      "lists",
      () => attend([[1]] as never, k(), v()),
      "attend: q: expected a tensor, got an array of length 1",
    ],
    [
      "a list as a mask",
      () => attend(q(), k(), v(), { mask: [[true]] as never }),
      "attend: mask: expected a tensor of bool, got an array of length 1",
    ],
    [
      "null as a mask of keys",
      () => attend(q(), k(), v(), { keyMask: null as never }),
      "attend: keyMask: expected a tensor of bool, got null",
    ],
    [
      "values of nothing",
      () => attend(q(), k(), of(2, 2, 6, 0)),
      "attend: v: expected no axis of size 0, got [2, 2, 6, 0]",
    ],
    [
      "no samples",
      () => attend(of(0, 4, 5, 3), of(0, 2, 6, 3), of(0, 2, 6, 7)),
      "attend: q: expected no axis of size 0, got [0, 4, 5, 3]",
    ],
    [
      "a rate in per cent",
      () => attend(q(), k(), v(), { dropout: { rate: 10, seed: 0, purpose: "" } }),
      "attend: dropout.rate: expected a number in [0, 1), got 10",
    ],
    [
      "numbers to invert",
      () => maskFromDropped(of(2)),
      "maskFromDropped: dropped: expected bool (true: leave out), got float32",
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });

  test("a mask in which true means left out is turned round by a function that says so", async () => {
    const dropped = tensor([1, 0, 0], [3], "bool");
    const mask = maskFromDropped(dropped);
    expect(mask.dtype).toBe("bool");
    expect(await numbers(mask)).toEqual([0, 1, 1]);
  });
});
