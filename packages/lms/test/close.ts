import { expect } from "vitest";

/** Every number within `tolerance` of its expected one, absolutely. */
export function expectClose(got: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(expected.length);
  for (let i = 0; i < got.length; i++) {
    const distance = Math.abs(got[i]! - expected[i]!);
    expect(distance, `[${i}]: got ${got[i]}, expected ${expected[i]}`).toBeLessThanOrEqual(tolerance);
  }
}

export const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

/** A standard normal number is farther from 0 with probability 1e-6: the limit of every statistical test here. */
export const NORMAL_LIMIT = 4.892;

/** The whole message of the TypeError or RangeError that a call throws. */
export function thrown(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String(error).replace(/^(Type|Range)Error: /, "");
  }
  throw new Error("expected the call to throw");
}
