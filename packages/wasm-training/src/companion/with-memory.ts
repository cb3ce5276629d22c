/** Memory for the length of a call. */
import type { Companion } from "./companion.js";

export const align = (bytes: number) => Math.ceil(bytes / 16) * 16;

/** One allocation for all that a job needs, cut into parts. */
export function withMemory(
  companion: Companion,
  bytes: readonly number[],
  use: (...parts: number[]) => void,
): void {
  const memory = companion.allocate(bytes.reduce((sum, part) => sum + align(part), 0) + 16);
  try {
    let at = align(memory);
    const parts = bytes.map((part) => {
      const begin = at;
      at += align(part);
      return begin;
    });
    use(...parts);
  } finally {
    companion.free(memory);
  }
}
