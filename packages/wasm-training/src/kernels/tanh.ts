import { companionOf } from "../companion/companion.js";
import { mapByCompanion } from "../companion/unary.js";
import { floats, release, sizeOf, type TensorInfo } from "../heap.js";
import { expectReal, kernel, run } from "../kernel.js";
import { mapElements } from "./elementwise.js";

/** Below this, `2σ(2x) − 1` would lose digits by cancellation; above, it is exact to four units in the last place. */
const small = 0.5;

/**
 * `tanh(x) = 2σ(2x) − 1` by the fast sigmoid, and near zero the Taylor series
 * up to `x¹³`, whose rest is below 3e-8 of the value there.
 */
export const tanhKernel = () =>
  kernel("Tanh", ({ inputs, backend }): TensorInfo => {
    const x = inputs.x!;
    expectReal("tanh", x);
    if (x.dtype !== "float32" || sizeOf(x.shape) === 0) return mapElements(backend, x, Math.tanh);
    const companion = companionOf(backend);
    const mapped = companion && mapByCompanion(backend, companion, "Tanh", x, {});
    if (mapped !== undefined) return mapped;
    const twice = run(backend, "Add", { a: x, b: x });
    const out = run(backend, "Sigmoid", { x: twice });
    release(backend, twice);
    const from = floats(backend, x);
    const to = floats(backend, out);
    for (let i = 0; i < to.length; i++) {
      const v = from[i]!;
      if (v < small && v > -small) {
        const z = v * v;
        to[i] =
          v *
          (1 +
            z *
              (-1 / 3 +
                z *
                  (2 / 15 +
                    z * (-17 / 315 + z * (62 / 2835 + z * (-1382 / 155925 + z * (21844 / 6081075)))))));
      } else to[i] = 2 * to[i]! - 1;
    }
    return out;
  });
