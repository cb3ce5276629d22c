import { type GradConfig, zeros } from "@tensorflow/tfjs-core";

const comparisons = [
  "Equal",
  "Greater",
  "GreaterEqual",
  "Less",
  "LessEqual",
  "LogicalAnd",
  "LogicalOr",
  "NotEqual",
];
const tests = ["All", "Any", "LogicalNot"];

function zeroGradient(kernelName: string, inputs: string[]): GradConfig {
  return {
    kernelName,
    inputsToSave: inputs,
    gradFunc: (_dy, saved) =>
      // float32 whatever the input is: a gradient of another type is refused.
      Object.fromEntries(inputs.map((name, i) => [name, () => zeros(saved[i]!.shape)])),
  };
}

/**
 * Comparisons and logic are constant almost everywhere: their gradient is zero.
 *
 * tfjs-core has none for most of them, so that `where(greater(a, b), a, b)`
 * throws as soon as `a` is trained: the condition is on the tape.
 */
export const comparisonGradients: readonly GradConfig[] = [
  ...comparisons.map((name) => zeroGradient(name, ["a", "b"])),
  ...tests.map((name) => zeroGradient(name, ["x"])),
];
