import { expectShape, ShapeError } from "@gradlab/core";
import type { Tensor } from "@tensorflow/tfjs-core";

/** Checks tokens, `[batch, tokens, width]`, before any work: there is at least one of each. */
export function expectTokens(where: string, x: Tensor): void {
  expectShape(where, x, [null, null, null]);
  if (x.size === 0) throw new ShapeError(`${where}: expected no axis of size 0, got [${x.shape.join(", ")}]`);
}
