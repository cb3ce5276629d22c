/** Memory for the length of a call. */
import type { Companion } from "./companion.js";

/** Not by bits: addresses go beyond 2 GB. */
export const align = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** One piece of memory for all that a job needs, cut into parts. */
export function withMemory(
  companion: Companion,
  bytes: readonly number[],
  use: (...parts: number[]) => void,
): void {
  let total = 16;
  for (const part of bytes) total += align(part);
  companion.borrow(total, (memory) => {
    let at = align(memory);
    const parts: number[] = [];
    for (const part of bytes) {
      parts.push(at);
      at += align(part);
    }
    use(...parts);
  });
}
