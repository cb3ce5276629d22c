/** What the tests have in common; importing it registers the cpu backend, without tfjs's advertisement. */
import "@tensorflow/tfjs-backend-cpu";
import { installGradients } from "@gradlab/core";
import { env, memory, type Tensor, tensor } from "@tensorflow/tfjs-core";
import { expect } from "vitest";

env().set("PROD", true);
installGradients();

/** The numbers of a tensor, which is disposed. */
export async function numbers(x: Tensor): Promise<number[]> {
  const data = await x.data();
  x.dispose();
  return Array.from(data);
}

/** Numbers without a pattern that a wrong index could hide in: `scale · sin(1.7 i + phase)`, as in scripts/golden. */
export function wave(shape: readonly number[], phase = 0, scale = 1): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(
    Array.from({ length: size }, (_, i) => scale * Math.sin(1.7 * i + phase)),
    [...shape],
  );
}

/** Fails when `work` leaves tensors behind, or takes some away. */
export async function expectNoLeak(work: () => void | Promise<void>): Promise<void> {
  const before = memory().numTensors;
  await work();
  expect(memory().numTensors).toBe(before);
}

/** Fails where two lists of numbers differ by more than `tolerance`. */
export function expectClose(
  got: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "",
): void {
  expect(got.length, what).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++)
    worst = Math.max(worst, Math.abs(got[i]! - expected[i]!) || 0, Number.isNaN(got[i]!) ? Infinity : 0);
  expect(worst, what).toBeLessThanOrEqual(tolerance);
}
