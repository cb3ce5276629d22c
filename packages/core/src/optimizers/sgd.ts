import { mul, sub } from "@tensorflow/tfjs-core";
import { runFused } from "../fused/run-fused.js";
import type { UpdateRule } from "./update-rule.js";

/** Gradient descent: `w - η g`. */
export const sgd: UpdateRule = {
  slots: {},
  step: (value, gradient, _, { learningRate }) => ({
    value: sub(value, mul(gradient, learningRate)),
    slots: {},
  }),
  fused: (value, gradient, _, { learningRate, scale, maxValue, decay }) => {
    const outputs = runFused("GradlabSgd", { value, gradient }, { learningRate, scale, maxValue, decay });
    return outputs === null ? null : { value: outputs[0]!, slots: {} };
  },
};
