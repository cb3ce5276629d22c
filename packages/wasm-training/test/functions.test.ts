import { enableWasmTraining } from "@gradlab/wasm-training";
import {
  cos,
  engine,
  exp,
  expm1,
  log,
  log1p,
  reshape,
  setBackend,
  sin,
  slice,
  slice1d,
  softplus,
  stack,
  type Tensor,
  tanh,
  tensor1d,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { afterAll, expect, test } from "vitest";

// The functions of the companion module, in units of the last place of float32, beside those of the engine in float64.

afterAll(async () => {
  await enableWasmTraining({ companion: false });
});

/** Numbers of every size and sign: every 9,973rd pattern of bits, NaN, infinities and denormals among them. */
function patterns(): Float32Array {
  const bits = new Uint32Array(Math.floor(2 ** 32 / 9973) + 6);
  for (let i = 0; i < bits.length; i++) bits[i] = i * 9973;
  const special = [0, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1];
  const numbers = new Float32Array(bits.buffer);
  numbers.set(special, numbers.length - special.length);
  return numbers;
}

/** The distance of neighbours of float32 at a number. */
function unit(x: number): number {
  const size = Math.max(Math.abs(x), 2 ** -126);
  return 2 ** (Math.floor(Math.log2(size)) - 23);
}

function distance(got: number, want: number): number {
  const rounded = Math.fround(want);
  if (Object.is(got, rounded)) return 0;
  // Overflow a little earlier or later.
  const edge = 2 ** 128;
  const [a, b] = [got, want].map((x) => Math.max(-edge, Math.min(edge, x)));
  return Number.isNaN(got) || Number.isNaN(want) ? Number.POSITIVE_INFINITY : Math.abs(a! - b!) / unit(want);
}

interface Case {
  readonly name: string;
  readonly f: (x: Tensor) => Tensor;
  readonly reference: (x: number) => number;
  /** Units of the last place. */
  readonly most: number;
}

/** Below -87 that of the module is 0: a gate is shut there. */
const sigmoidOf = (x: number) => (x < -87 ? 0 : 1 / (1 + Math.exp(-x)));

/** The input gate of an LSTM of one unit without a state. */
function gateOf(x: Tensor): Tensor {
  return tidy(() => {
    const inputs = { gates: fourTimes(x), ...nothing(x.size) };
    const [, , activations] = engine().runKernel("GradlabLstm", inputs, {}) as unknown as Tensor[];
    return reshape(slice(activations!, [0, 0, 0], [1, x.size, 1]), [x.size]);
  });
}

const fourTimes = (x: Tensor) => reshape(stack([x, x, x, x], 1), [1, x.size, 4]);

const nothing = (batch: number) => ({
  recurrent: zeros([1, 4]),
  h: zeros([batch, 1]),
  c: zeros([batch, 1]),
});

const cases: readonly Case[] = [
  { name: "exp", f: exp, reference: Math.exp, most: 1.5 },
  { name: "expm1", f: expm1, reference: Math.expm1, most: 2 },
  { name: "log", f: log, reference: Math.log, most: 1.5 },
  { name: "log1p", f: log1p, reference: Math.log1p, most: 3 },
  { name: "sigmoid", f: gateOf, reference: sigmoidOf, most: 3 },
  { name: "tanh", f: tanh, reference: Math.tanh, most: 3 },
  {
    name: "softplus",
    f: softplus,
    reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
    most: 3,
  },
  { name: "sin", f: sin, reference: Math.sin, most: 0.51 },
  { name: "cos", f: cos, reference: Math.cos, most: 0.51 },
];

for (const relaxedSimd of [true, false]) {
  for (const { name, f, reference, most } of cases) {
    test(`${name}, ${relaxedSimd ? "relaxed" : "plain"} SIMD: at most ${most} units in the last place`, async () => {
      await enableWasmTraining({ companion: true, relaxedSimd });
      await setBackend("wasm");
      const numbers = patterns();
      const x = tensor1d(numbers);
      const y = f(x);
      const values = await y.data();
      let [worst, at] = [0, 0];
      for (const [i, value] of numbers.entries()) {
        const d = distance(values[i]!, reference(value));
        if (d > worst) [worst, at] = [d, value];
      }
      expect(worst, `at ${at}`).toBeLessThanOrEqual(most);
      // The same bits wherever a number stands.
      const part = slice1d(x, 4097, 1003);
      const again = f(part);
      expect(new Uint32Array((await again.data()).slice().buffer)).toEqual(
        new Uint32Array(values.slice(4097, 5100).buffer),
      );
      for (const each of [x, y, part, again]) each.dispose();
    });
  }
}
