import { mul, sub } from "@tensorflow/tfjs-core";
import type { UpdateRule } from "./update-rule.js";

/** Gradient descent: `w - η g`. */
export const sgd: UpdateRule = {
  slots: {},
  step: (value, gradient, _, { learningRate }) => ({
    value: sub(value, mul(gradient, learningRate)),
    slots: {},
  }),
};
