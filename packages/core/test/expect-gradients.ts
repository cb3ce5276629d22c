import { grads, mul, sum, type Tensor, tensor, tidy } from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { numbers, wave } from "./tensors.js";

/**
 * Compares the gradients of `sum(f(…xs) · weights)` with central differences in every element of every input.
 *
 * In float64, with a step of 1e-5, these are off by about 1e-10 (the third derivative) and 1e-11 (rounding), in units
 * of values around 1: allowed is 1e-7 of the largest. The inputs are disposed.
 */
export async function expectGradients(
  f: (...xs: Tensor[]) => Tensor,
  xs: readonly Tensor[],
  { wrt = xs.map((_, i) => i), step = 1e-5, tolerance = 1e-7 } = {},
): Promise<void> {
  const weights = tidy(() => wave(f(...xs).shape, 0.4));
  const objective = (...zs: Tensor[]) => tidy(() => sum(mul(f(...zs), weights)) as Tensor);
  const all = (some: readonly Tensor[]) => xs.map((x, i) => (wrt.includes(i) ? some[wrt.indexOf(i)]! : x));
  const trained = wrt.map((i) => xs[i]!);
  const got = grads((...zs: Tensor[]) => objective(...all(zs)))(trained);
  for (const [k, x] of trained.entries()) {
    expect(got[k]!.shape).toEqual(x.shape);
    const at = Array.from(await x.data());
    const analytic = await numbers(got[k]!);
    const shifted = async (i: number, by: number) => {
      const values = at.slice();
      values[i]! += by;
      const y = tidy(() =>
        objective(...all(trained.map((other, j) => (j === k ? tensor(values, x.shape) : other)))),
      );
      return (await numbers(y))[0]!;
    };
    const numeric: number[] = [];
    for (let i = 0; i < at.length; i++) {
      numeric.push(((await shifted(i, step)) - (await shifted(i, -step))) / (2 * step));
    }
    const scale = Math.max(1, ...numeric.map(Math.abs));
    for (const [i, value] of analytic.entries()) {
      expect(
        Math.abs(value - numeric[i]!) / scale,
        `input ${wrt[k]} of [${x.shape}], element ${i}: gradient ${value}, differences ${numeric[i]}`,
      ).toBeLessThan(tolerance);
    }
  }
  for (const x of [...xs, weights]) x.dispose();
}
