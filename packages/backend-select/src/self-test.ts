import { embed } from "@gradlab/core";
import {
  AdamOptimizer,
  conv2d,
  dispose,
  env,
  grads,
  matMul,
  maxPool,
  mul,
  type Scalar,
  sum,
  type Tensor,
  tensor1d,
  tensor2d,
  tensor4d,
  tidy,
  variable,
} from "@tensorflow/tfjs-core";

/** A result and the numbers that it must hold. */
interface Check {
  readonly what: string;
  readonly got: Tensor;
  readonly expected: readonly number[];
}

/**
 * All numbers are worked by hand and exact in float32. 4097 is not a float16,
 * while all inputs are exact with 10 bits of mantissa, as TF32 rounds them.
 */
function forward(): Check[] {
  const { a, b, image, filter, negative, table, ids } = inputs();
  return [
    { what: "matMul", got: matMul(a, b), expected: [4097, 185, 129, 8] },
    { what: "conv2d", got: conv2d(image, filter, 1, "valid"), expected: [9.5, 12, 17, 19.5] },
    { what: "maxPool of negative values", got: maxPool(negative, 2, 2, "valid"), expected: [-1] },
    { what: "embedding", got: embed(table, ids), expected: [5, 6, 1, 2, 5, 6] },
  ];
}

function backward(): Check[] {
  const { a, b, image, filter, negative, table, ids } = inputs();
  const [da, db] = grads((x, y) => matMul(x, y))([a, b], tensor2d([1, 2, 3, 4], [2, 2])) as [Tensor, Tensor];
  const [dImage, dFilter] = grads((x, w) => conv2d(x as typeof image, w as typeof filter, 1, "valid"))(
    [image, filter],
    tensor4d([1, 2, 3, -1], [1, 2, 2, 1]),
  ) as [Tensor, Tensor];
  const [dNegative] = grads((x) => maxPool(x as typeof negative, 2, 2, "valid"))(
    [negative],
    tensor4d([3], [1, 1, 1, 1]),
  ) as [Tensor];
  const [dTable] = grads((x) => embed(x as typeof table, ids))(
    [table],
    tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
  ) as [Tensor];
  return [
    { what: "gradient of matMul (a)", got: da, expected: [71, 6, 207, 10] },
    { what: "gradient of matMul (b)", got: db, expected: [69, 134, 0.5, 0] },
    {
      what: "gradient of conv2d (image)",
      got: dImage,
      expected: [1, 1, -2, 5, 0.5, 2, 6, -0.5, -0.5],
    },
    { what: "gradient of conv2d (filter)", got: dFilter, expected: [12, 17, 27, 32] },
    { what: "gradient of maxPool of negative values", got: dNegative, expected: [0, 0, 0, 3] },
    { what: "gradient of embedding", got: dTable, expected: [3, 4, 0, 0, 6, 8] },
    // The first step of Adam is the rate times the sign of the gradient.
    { what: "step of Adam", got: adamStep(), expected: [0.75, -1.75] },
  ];
}

function adamStep(): Tensor {
  const weights = variable(tensor1d([1, -2]));
  const optimizer = new AdamOptimizer(0.25, 0.9, 0.999, 1e-8);
  try {
    optimizer.minimize(() => sum(mul(weights, tensor1d([0.5, -4]))) as Scalar, false, [weights]);
    return weights.clone();
  } finally {
    optimizer.dispose();
    weights.dispose();
  }
}

const inputs = () => ({
  a: tensor2d([63, -1, 2, 0.5], [2, 2]),
  b: tensor2d([65, 3, -2, 4], [2, 2]),
  image: tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]),
  filter: tensor4d([1, -1, 2, 0.5], [2, 2, 1, 1]),
  negative: tensor4d([-4, -3, -2, -1], [1, 2, 2, 1]),
  table: tensor2d([1, 2, 3, 4, 5, 6], [3, 2]),
  ids: tensor1d([2, 0, 2], "int32"),
});

/** The flags by which GPU backends compute small tensors on the CPU instead. */
const cpuForwarding: Readonly<Record<string, string>> = {
  webgpu: "WEBGPU_CPU_FORWARD",
  webgl: "WEBGL_CPU_FORWARD",
};

/**
 * Compares ops of the active backend with constants: matMul, conv2d, maxPool
 * of negative values and an embedding, with `gradients` also their gradients and
 * one step of Adam. Relative tolerance 1e-4 (tfjs's own gate on GPUs is 1e-3).
 *
 * @param backend Name of the active backend in tfjs.
 * @throws {Error} naming the first op that is wrong, or what the backend threw.
 */
export async function selfTest(
  backend: string,
  options: { readonly gradients: boolean; readonly signal: AbortSignal },
): Promise<void> {
  const flag = cpuForwarding[backend];
  const forwarded = flag !== undefined && env().getBool(flag);
  let checks: Check[] = [];
  // A test that is given up does not leave its tensors behind.
  const release = () => dispose(checks.splice(0).map(({ got }) => got));
  options.signal.addEventListener("abort", release);
  try {
    if (forwarded) env().set(flag, false);
    tidy(() => {
      checks = [...forward(), ...(options.gradients ? backward() : [])];
      return checks.map(({ got }) => got);
    });
    if (forwarded) env().set(flag, true);
    for (const { what, got, expected } of [...checks]) {
      const values = Array.from(await got.data());
      const right =
        values.length === expected.length &&
        expected.every((value, i) => Math.abs(values[i]! - value) <= 1e-4 * Math.max(1, Math.abs(value)));
      if (!right) throw new Error(`self-test: ${what}: expected [${expected}], got [${values}]`);
    }
  } finally {
    if (forwarded) env().set(flag, true);
    options.signal.removeEventListener("abort", release);
    release();
  }
}
