/** Complex numbers, as pairs of real tensors, and Fourier transforms along the last axis. */
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { drawn, shape, smoothFill } from "../arbitraries.js";
import { add, type Dual, mul, scale, sub, zero } from "../dual.js";
import { sqrt, square } from "../functions.js";
import { at, atOrZero, type Grid, grid } from "../grid.js";
import type { GeometryCase, GeometryOp } from "../op.js";

const NO_COMPLEX = "complex tensors: tfjs has no kernel for them on wasm";

const pairCases = fc
  .record({ shape: shape(1, 3).map((s) => [...s.slice(0, -1), s.at(-1)! * 2 - 1]), fill: smoothFill })
  .map(
    ({ shape, fill }): GeometryCase => ({
      inputs: [drawn(shape, fill), drawn(shape, fill, -2, 2, 1)],
      attrs: {},
    }),
  );

const parts = (z: tf.Tensor): tf.Tensor[] => [tf.real(z), tf.imag(z)];

/** The sine of π is 0, not 1e-16. */
const exactly = (x: number): number => (Math.abs(x) < 1e-12 ? 0 : x);

/** `X[k] = Σ_n x[n] · exp(∓2πi·kn / N)`; the inverse divides by N. */
function fourier([re, im]: readonly Grid[], inverse: boolean): Grid[] {
  const n = re!.shape.at(-1)!;
  const sign = inverse ? 1 : -1;
  const factor = inverse ? 1 / n : 1;
  const transform = (part: "real" | "imaginary") =>
    grid(re!.shape, (index) => {
      const [before, k] = [index.slice(0, -1), index.at(-1)!];
      let total: Dual = zero;
      for (let j = 0; j < n; j++) {
        const angle = (sign * 2 * Math.PI * ((k * j) % n)) / n;
        const [cos, sin] = [exactly(Math.cos(angle)), exactly(Math.sin(angle))];
        const [a, b] = [at(re!, ...before, j), at(im!, ...before, j)];
        const term = part === "real" ? sub(scale(a, cos), scale(b, sin)) : add(scale(a, sin), scale(b, cos));
        total = add(total, scale(term, factor));
      }
      return total;
    });
  return [transform("real"), transform("imaginary")];
}

const SPECTRAL = { on: ["cpu", "webgl", "webgpu"], because: NO_COMPLEX } as const;

export const spectralOps: readonly GeometryOp[] = [
  {
    name: "spectral.fft",
    cases: pairCases,
    tfjs: ([re, im]) => parts(tf.spectral.fft(tf.complex(re, im))),
    definition: (xs) => fourier(xs, false),
    ...SPECTRAL,
  },
  {
    name: "spectral.ifft",
    cases: pairCases,
    tfjs: ([re, im]) => parts(tf.spectral.ifft(tf.complex(re, im))),
    definition: (xs) => fourier(xs, true),
    ...SPECTRAL,
  },
  {
    name: "spectral.rfft",
    cases: fc
      .record({ shape: shape(1, 3), length: fc.constantFrom(undefined, 1, 2, 3, 4, 6), fill: smoothFill })
      .map(
        ({ shape, length, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill)],
          attrs: length === undefined ? {} : { length },
        }),
      ),
    tfjs: ([x], { length }) => parts(tf.spectral.rfft(x, length)),
    definition: ([x], { length }) => {
      const n: number = length ?? x!.shape.at(-1)!;
      // Cut or padded with zeros to the length asked for.
      const own = grid([...x!.shape.slice(0, -1), n], (index) => atOrZero(x!, ...index));
      const full = fourier([own, { ...own, data: own.data.map(() => zero) }], false);
      const half = Math.floor(n / 2) + 1;
      return full.map((part) => grid([...x!.shape.slice(0, -1), half], (index) => at(part, ...index)));
    },
    ...SPECTRAL,
  },
  {
    name: "spectral.irfft",
    cases: fc
      .record({ shape: shape(1, 2).map((s) => [...s.slice(0, -1), s.at(-1)! + 1]), fill: smoothFill })
      .map(
        ({ shape, fill }): GeometryCase => ({
          inputs: [drawn(shape, fill), drawn(shape, fill, -2, 2, 1)],
          attrs: {},
        }),
      ),
    // One row comes back as a matrix of one row.
    tfjs: ([re, im]) => tf.reshape(tf.spectral.irfft(tf.complex(re, im)), [...re.shape.slice(0, -1), -1]),
    definition: ([re, im]) => {
      const m = re!.shape.at(-1)!;
      const n = 2 * (m - 1);
      // The second half mirrors the first one with the other sign; the ends have no imaginary part.
      const whole = (part: Grid, sign: number) =>
        grid([...part.shape.slice(0, -1), n], (index) => {
          const k = index.at(-1)!;
          const before = index.slice(0, -1);
          if (sign < 0 && (k === 0 || k === m - 1)) return zero;
          return k < m ? at(part, ...before, k) : scale(at(part, ...before, n - k), sign);
        });
      return fourier([whole(re!, 1), whole(im!, -1)], true)[0]!;
    },
    ...SPECTRAL,
  },
  {
    name: "abs of complex numbers",
    cases: pairCases,
    tfjs: ([re, im]) => tf.abs(tf.complex(re, im)),
    definition: ([re, im]) => ({
      ...re!,
      data: re!.data.map((a, i) => sqrt(add(square(a), square(im!.data[i]!)))),
    }),
    ...SPECTRAL,
  },
  {
    name: "product of complex numbers",
    cases: pairCases,
    tfjs: ([re, im]) => {
      const z = tf.complex(re, im);
      return parts(tf.mul(z, z));
    },
    definition: ([re, im]) => {
      const both = (f: (a: Dual, b: Dual) => Dual): Grid => ({
        ...re!,
        data: re!.data.map((a, i) => f(a, im!.data[i]!)),
      });
      return [both((a, b) => sub(square(a), square(b))), both((a, b) => scale(mul(a, b), 2))];
    },
    ...SPECTRAL,
  },
];
