import { sizeOf } from "../heap.js";

/** Turns a filter, `[height, width, …]`, by 180° where it stands: its taps in the reverse order. */
export function turnTaps(filter: Float32Array, shape: readonly number[]): void {
  const taps = sizeOf(shape.slice(0, 2));
  const size = filter.length / taps;
  const kept = new Float32Array(size);
  for (let first = 0, last = taps - 1; first < last; first++, last--) {
    kept.set(filter.subarray(first * size, (first + 1) * size));
    filter.copyWithin(first * size, last * size, (last + 1) * size);
    filter.set(kept, last * size);
  }
}
