import type { LayerFact } from "./layer-facts.js";

/** What counts as an operation, for one image. */
export interface CountingPolicy {
  /** What a multiplication and the addition after it count for: 1 (MACs) or 2 (FLOPs). */
  readonly multiplyAdd: 1 | 2;
  /** One for each bias that is added (each output of the layer). */
  readonly bias: boolean;
  /** Batch norm: 2 for each element (scale and shift), one for each of its parameters, or nothing. */
  readonly norm: "elements" | "parameters" | false;
  /** Pooling: one for each element of each window (adaptive and global ones too). */
  readonly pool: boolean;
  /** One for each element of an activation, and for each sum of branches. (LRN: one for each element.) */
  readonly activation: boolean;
}

/**
 * - `macs`: multiply-accumulates of convolutions and dense layers, nothing else (what torchvision prints as GFLOPS);
 * - `with-bias`: the same, and one for each bias added;
 * - `flops`: a multiply-accumulate is two operations, a bias one;
 * - `torchinfo`: "mult-adds" of that tool: with bias, batch norm by its parameters;
 * - `everything`: `flops`, batch norm, pooling, activations and sums.
 */
export const countingPolicies = {
  macs: { multiplyAdd: 1, bias: false, norm: false, pool: false, activation: false },
  "with-bias": { multiplyAdd: 1, bias: true, norm: false, pool: false, activation: false },
  flops: { multiplyAdd: 2, bias: true, norm: false, pool: false, activation: false },
  torchinfo: { multiplyAdd: 1, bias: true, norm: "parameters", pool: false, activation: false },
  everything: { multiplyAdd: 2, bias: true, norm: "elements", pool: true, activation: true },
} as const satisfies Readonly<Record<string, CountingPolicy>>;

export type CountingPolicyName = keyof typeof countingPolicies;

const policyValues: Readonly<Record<keyof CountingPolicy, readonly unknown[]>> = {
  multiplyAdd: [1, 2],
  bias: [true, false],
  norm: ["elements", "parameters", false],
  pool: [true, false],
  activation: [true, false],
};

export function countingPolicy(policy: CountingPolicyName | CountingPolicy, caller: string): CountingPolicy {
  if (typeof policy === "object" && policy !== null) {
    for (const [field, values] of Object.entries(policyValues)) {
      const value: unknown = policy[field as keyof CountingPolicy];
      if (values.includes(value)) continue;
      const expected = values.map((one) => JSON.stringify(one)).join(" or ");
      throw new RangeError(`${caller}: policy.${field}: expected ${expected}, got ${JSON.stringify(value)}`);
    }
    return policy;
  }
  if (Object.hasOwn(countingPolicies, policy)) return countingPolicies[policy];
  throw new RangeError(
    `${caller}: policy: expected one of ${Object.keys(countingPolicies).join(", ")}, got ${JSON.stringify(policy)}`,
  );
}

const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

/** Operations of one layer for one image. */
export function countOperations(fact: LayerFact, policy: CountingPolicy): number {
  const { layer, outputShape, inputShapes, parameters, kernel } = fact;
  const outputs = product(outputShape);
  switch (layer.op) {
    case "conv":
    case "dense": {
      // Each output sums as many products as one filter has weights.
      const weights = product(parameters[0]!.shape) / outputShape[0]!;
      return outputs * (weights * policy.multiplyAdd + (policy.bias && parameters.length > 1 ? 1 : 0));
    }
    case "pool":
      return policy.pool ? outputs * product(kernel) : 0;
    case "adaptive-pool":
      return policy.pool ? outputShape[0]! * coveredUnits(inputShapes[0]!, outputShape) : 0;
    case "global-pool":
      return policy.pool ? product(inputShapes[0]!) : 0;
    case "add":
    case "multiply":
      return policy.activation ? outputs * (inputShapes.length - 1) : 0;
    case "pointwise":
      if (layer.fn === "batch-norm") {
        return policy.norm === "elements"
          ? 2 * outputs
          : policy.norm === "parameters"
            ? 2 * outputShape[0]!
            : 0;
      }
      return policy.activation && layer.fn !== "dropout" ? outputs : 0;
    default:
      return 0;
  }
}

/** Units that the windows of an adaptive pooling cover, together, in one channel. */
function coveredUnits(input: readonly number[], output: readonly number[]): number {
  return [1, 2].reduce((all, axis) => {
    const [n, m] = [input[axis]!, output[axis]!];
    let along = 0;
    for (let i = 0; i < m; i++) along += Math.ceil(((i + 1) * n) / m) - Math.floor((i * n) / m);
    return all * along;
  }, 1);
}
