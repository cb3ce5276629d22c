import { add, mul, scalar, square, sub, type Tensor2D, tanh } from "@tensorflow/tfjs-core";
import type { RecurrentRule } from "./recurrent-rule.js";

/**
 * An Elman network: `h' = tanh(x W + b + h U)`.
 *
 * @see Elman 1990, https://doi.org/10.1207/s15516709cog1402_1
 */
export const elmanRule: RecurrentRule = {
  gates: 1,
  parts: 1,
  recurrentBias: false,
  saves: 1,
  step(fromInput, fromState) {
    const h = tanh(add(fromInput, fromState)) as Tensor2D;
    return { after: [h], saved: [h] };
  },
  backward([dh], [h]) {
    const d = mul(dh!, sub(scalar(1), square(h!))) as Tensor2D;
    return { dInput: d, dState: d, dBefore: [null] };
  },
};
