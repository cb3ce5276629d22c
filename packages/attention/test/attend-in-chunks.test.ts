import {
  dispose,
  grads,
  greater,
  matMul,
  mul,
  profile,
  type Scalar,
  square,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor2d,
  valueAndGrads,
  zeros,
} from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { type AttendOptions, attend, attendInChunks } from "../src/index.js";
import { attentionCase } from "./attention-cases.js";
import { apart, backends, Draw, expectNoLeak, numbers, useBackend } from "./tensors.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([
    [1, undefined],
    [4, undefined],
    [100, undefined],
    [3, 0.4],
  ])(
    "outputs and gradients of 100 random shapes with masks are those of double precision, %d keys at a time, dropout %s",
    async (chunk, rate) => {
      let empty = 0;
      for (let i = 0; i < 100; i++) {
        await expectNoLeak(async () => {
          const { q, k, v, dOut, options, known, sizes, ...rest } = attentionCase(i, rate);
          empty += rest.empty;
          const { bias } = options;
          const f = (...[q, k, v, given]: Tensor[]) => {
            const more = given === undefined ? {} : { bias: given };
            return attendInChunks(q!, k!, v!, { ...options, chunk, ...more });
          };
          const inputs = bias === undefined ? [q, k, v] : [q, k, v, bias];
          const output = f(...inputs);
          expect(apart(await output.data(), known.output), `output of case ${i}`).toBeLessThan(1e-5);
          const found = grads((...given: Tensor[]) => sum(mul(f(...given), dOut)) as Tensor)(inputs);
          for (const [j, name] of (["dq", "dk", "dv"] as const).entries()) {
            expect(apart(await found[j]!.data(), known[name]), `${name} of case ${i}`).toBeLessThan(1e-5);
          }
          if (bias !== undefined) {
            const values = await found[3]!.data();
            expect(apart(values, summed(known.dBias, bias.shape, sizes)), `dBias of case ${i}`).toBeLessThan(
              1e-5,
            );
          }
          const { mask, keyMask } = options;
          dispose([...inputs, dOut, output, ...found]);
          dispose([mask, keyMask].filter((each) => each !== undefined));
        });
      }
      expect(empty).toBeGreaterThan(50);
    },
  );

  test("dropout takes the weights that it takes all at once, whatever the chunk, and none at a rate of 0", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("dropout");
      const [q, direction] = [draw.normalTensor<Tensor4D>([2, 4, 9, 3]), draw.normalTensor([2, 4, 9, 2])];
      const [k, v] = [draw.normalTensor<Tensor4D>([2, 2, 11, 3]), draw.normalTensor<Tensor4D>([2, 2, 11, 2])];
      const masks = { causal: true, window: [6, 0] as const, queryStart: 3 };
      const dropout = { rate: 0.5, seed: 0, purpose: "weights", index: 4 };
      const of = async (f: (q: Tensor, k: Tensor, v: Tensor) => Tensor) => {
        const found = valueAndGrads((...[q, k, v]: Tensor[]) => sum(mul(f(q!, k!, v!), direction)) as Scalar)(
          [q, k, v],
        );
        return Promise.all([f(q, k, v), ...found.grads, found.value].map(numbers));
      };
      const known = await of((q, k, v) => attend(q, k, v, { ...masks, dropout }));
      for (const chunk of [1, 2, 5, 11, 64]) {
        const found = await of((q, k, v) => attendInChunks(q, k, v, { ...masks, dropout, chunk }));
        // Sums of at most 11 terms in another order.
        for (const [i, values] of found.entries()) expect(apart(values, known[i]!)).toBeLessThan(1e-5);
      }
      const none = await of((q, k, v) => attendInChunks(q, k, v, masks));
      const other = await of((q, k, v) =>
        attendInChunks(q, k, v, { ...masks, dropout: { ...dropout, index: 5 } }),
      );
      const rate0 = await of((q, k, v) =>
        attendInChunks(q, k, v, { ...masks, dropout: { ...dropout, rate: 0 } }),
      );
      for (const far of [none, other]) expect(apart(far[0]!, known[0]!)).toBeGreaterThan(0.1);
      expect(rate0).toEqual(none);
      dispose([q, k, v, direction]);
    });
  });

  test("masks may be made where the loss is computed, and gone when its gradient is", async () => {
    await expectNoLeak(async () => {
      const draw = new Draw("masks");
      const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor3D>([2, 5, 4])) as Tensor3D[];
      const of = async (f: (q: Tensor3D, k: Tensor3D, v: Tensor3D, options?: AttendOptions) => Tensor) => {
        const loss = (...[q, k, v]: Tensor[]) => {
          const mask = greater(matMul(q!, k!, false, true), -1); // [batch, t, s]
          const keyMask = tensor2d([1, 1, 1, 0, 0, 1, 1, 1, 1, 1], [2, 5], "bool");
          return sum(square(f(q as Tensor3D, k as Tensor3D, v as Tensor3D, { mask, keyMask }))) as Tensor;
        };
        return Promise.all(grads(loss)([q!, k!, v!]).map(numbers));
      };
      const [plain, chunks] = [
        await of(attend),
        await of((q: Tensor3D, k: Tensor3D, v: Tensor3D, o?: AttendOptions) =>
          attendInChunks(q, k, v, { ...o, chunk: 2 }),
        ),
      ];
      for (const [i, values] of chunks.entries()) {
        expect(Math.max(...plain[i]!.map(Math.abs))).toBeGreaterThan(0.1);
        expect(apart(values, plain[i]!)).toBeLessThan(1e-5);
      }
      dispose([q!, k!, v!]);
    });
  });

  test("a second derivative is that of all scores at once", async () => {
    const draw = new Draw("second");
    const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor4D>([1, 2, 5, 2])) as Tensor4D[];
    const second = (f: (q: Tensor) => Tensor) => {
      const first = (x: Tensor) => grads((y: Tensor) => sum(mul(f(y), v!)) as Tensor)([x])[0]!;
      return numbers(grads((x: Tensor) => sum(mul(first(x), k!)) as Tensor)([q!])[0]!);
    };
    const known = await second((q) => attend(q, k!, v!, { causal: true }));
    const found = await second((q) => attendInChunks(q, k!, v!, { causal: true, chunk: 2 }));
    expect(found).toEqual(known);
    expect(Math.max(...known.map(Math.abs))).toBeGreaterThan(0.05);
    dispose([q!, k!, v!]);
  });

  test("its peak memory grows with the number of tokens, that of all scores at once with its square", async () => {
    const peaks = { plain: [] as number[], chunks: [] as number[], dropped: [] as number[] };
    const dropout = { rate: 0.1, seed: 0, purpose: "peak" };
    for (const t of [128, 256, 512]) {
      const draw = new Draw("peak");
      const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor4D>([1, 1, t, 8])) as Tensor4D[];
      for (const [name, f] of [
        ["plain", attend],
        ["chunks", (q: Tensor, k: Tensor, v: Tensor) => attendInChunks(q, k, v, { chunk: 16 })],
        ["dropped", (q: Tensor, k: Tensor, v: Tensor) => attendInChunks(q, k, v, { chunk: 16, dropout })],
      ] as const) {
        const { peakBytes } = await profile(() => {
          const found = grads((...[q, k, v]: Tensor[]) => sum(f(q!, k!, v!)) as Tensor)([q!, k!, v!]);
          dispose(found);
          return zeros([1]);
        });
        peaks[name].push(peakBytes);
      }
      dispose([q!, k!, v!]);
    }
    const growth = (sizes: number[]) => sizes[2]! / sizes[0]!;
    expect(growth(peaks.plain)).toBeGreaterThan(10); // 16 with nothing beside the scores
    for (const ours of [peaks.chunks, peaks.dropped]) expect(growth(ours)).toBeLessThan(4.5); // 4
    // A mask of a chunk, and the weights that it leaves.
    expect(peaks.dropped[2]!).toBeLessThan(peaks.chunks[2]! + 2.5 * 512 * 16 * 4);
    expect(peaks.chunks[2]! * 10).toBeLessThan(peaks.plain[2]!);
  });
});

/** The gradient of all scores, summed to the shape of a bias. */
function summed(
  dBias: Float64Array,
  shape: readonly number[],
  { heads, t, s }: { heads: number; t: number; s: number },
): Float64Array {
  const axes = shape.length === 2 ? [1, 1, ...shape] : shape;
  const sums = new Float64Array(axes.reduce((a, b) => a * b, 1));
  for (const [at, value] of dBias.entries()) {
    const place = [
      Math.floor(at / (heads * t * s)),
      Math.floor(at / (t * s)) % heads,
      Math.floor(at / s) % t,
      at % s,
    ];
    sums[axes.reduce((index, size, i) => index * size + (size === 1 ? 0 : place[i]!), 0)]! += value;
  }
  return sums;
}

describe("arguments", () => {
  beforeAll(() => useBackend("cpu"));
  const q = () => zeros([2, 2, 5, 3]) as Tensor4D;

  test.each<[string, () => unknown, string]>([
    [
      "no chunk",
      () => attendInChunks(q(), q(), q(), { chunk: 0 }),
      "attendInChunks: chunk: expected an integer, at least 1, got 0",
    ],
    [
      "keys of another width",
      () => attendInChunks(q(), zeros([2, 2, 5, 4]) as Tensor4D, q()),
      "attendInChunks: k: expected [2, a divisor of 2, s, 3], got [2, 2, 5, 4]",
    ],
    [
      "a rate of 1",
      () => attendInChunks(q(), q(), q(), { dropout: { rate: 1, seed: 0, purpose: "" } }),
      "attendInChunks: dropout.rate: expected a number in [0, 1), got 1",
    ],
    [
      "another library's name",
      () => attendInChunks(q(), q(), q(), { isCausal: true } as never),
      'attendInChunks: options: expected only mask, keyMask, bias, causal, window, queryStart, scale, dropout, chunk, got "isCausal"',
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
