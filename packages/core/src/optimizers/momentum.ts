import { add, mul, sub, type Tensor } from "@tensorflow/tfjs-core";
import { runFused } from "../fused/run-fused.js";
import type { ConfigOf } from "./optimizer-config.js";
import type { UpdateRule } from "./update-rule.js";

/**
 * Momentum: `v ← μ v + g`, then `w - η v`, or after Nesterov `w - η (g + μ v)`. The momentum holds gradients, not steps:
 * a changed rate is felt at once.
 *
 * @see Polyak 1964; Sutskever et al. 2013, https://proceedings.mlr.press/v28/sutskever13.html
 */
export const momentum = ({ momentum: mu, nesterov }: ConfigOf<"momentum">): UpdateRule => ({
  slots: { momentum: 0 },
  step: (value, gradient, slots, { learningRate }) => {
    const v = add(mul(slots.momentum!, mu), gradient);
    const direction = nesterov ? add(gradient, mul(v, mu)) : v;
    return { value: sub(value, mul(direction, learningRate)), slots: { momentum: v } };
  },
  fused: (value, gradient, slots, { learningRate, scale, maxValue, decay }) => {
    const inputs = { value, gradient, momentum: slots.momentum! };
    const own = { momentum: mu, nesterov: nesterov ? 1 : 0 };
    const outputs = runFused("GradlabMomentum", inputs, { learningRate, scale, maxValue, decay, ...own });
    if (outputs === null) return null;
    const [next, after] = outputs as [Tensor, Tensor];
    return { value: next, slots: { momentum: after } };
  },
});
