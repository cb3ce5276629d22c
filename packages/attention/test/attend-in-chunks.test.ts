import { dispose, grads, mul, profile, sum, type Tensor, type Tensor4D, zeros } from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { attend, attendInChunks } from "../src/index.js";
import { attentionCase } from "./attention-cases.js";
import { apart, backends, Draw, expectNoLeak, useBackend } from "./tensors.js";

describe.each(backends)("on %s", (backend) => {
  beforeAll(() => useBackend(backend));

  test.each([1, 4, 100])(
    "outputs and gradients of 100 random shapes with masks are those of double precision, %d keys at a time",
    async (chunk) => {
      let empty = 0;
      for (let i = 0; i < 100; i++) {
        await expectNoLeak(async () => {
          const { q, k, v, dOut, options, known, sizes, ...rest } = attentionCase(i);
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

  test("its peak memory grows with the number of tokens, that of all scores at once with its square", async () => {
    const peaks: Record<"plain" | "chunks", number[]> = { plain: [], chunks: [] };
    for (const t of [128, 256, 512]) {
      const draw = new Draw("peak");
      const [q, k, v] = [0, 1, 2].map(() => draw.normalTensor<Tensor4D>([1, 1, t, 8])) as Tensor4D[];
      for (const [name, f] of [
        ["plain", attend],
        ["chunks", (q: Tensor, k: Tensor, v: Tensor) => attendInChunks(q, k, v, { chunk: 16 })],
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
    expect(growth(peaks.chunks)).toBeLessThan(4.5); // 4
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
      "dropout",
      () => attendInChunks(q(), q(), q(), { dropout: { rate: 0.1, seed: 0, purpose: "" } } as never),
      'attendInChunks: options: expected only mask, keyMask, bias, causal, window, queryStart, scale, chunk, got "dropout"',
    ],
  ])("%s: refused", (_, work, message) => {
    expect(work).toThrow(message);
  });
});
