import { installGradients } from "@gradlab/core";
import {
  add,
  clipByValue,
  div,
  engine,
  maximum,
  minimum,
  mul,
  type Scalar,
  sign,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tidy,
  zerosLike,
} from "@tensorflow/tfjs-core";
import type { Bounds } from "../classifier.js";

export interface PerturbOptions {
  /** `"linf"` unless given. */
  readonly norm?: "linf" | "l2";
  readonly epsilon: number;
  readonly steps: number;
  /** The size of a step as a share of ε. */
  readonly relativeStep: number;
  readonly bounds: Bounds;
  /** Where to begin, like the images; at them unless given. Borrowed. */
  readonly start?: Tensor;
}

/**
 * PGD on a whole batch in tensors alone, without reading one: what a training step needs. `runAttack` with `pgd` does
 * the same and looks at what it has found; this does not.
 *
 * @param loss Images `[n, ...]` to a scalar that is raised: a sum over the images, so that each has its own gradient.
 * @param x `[n, ...]`, borrowed.
 * @returns Images like x, which the caller disposes.
 */
export function perturb(loss: (x: Tensor) => Scalar, x: Tensor, options: PerturbOptions): Tensor {
  installGradients();
  const { norm = "linf", epsilon, steps, relativeStep, bounds, start } = options;
  let current = tidy(() => project(start ?? x.clone(), x, { norm, epsilon, bounds }));
  for (let k = 0; k < steps; k++) {
    const next = tidy(() => {
      const gradient =
        (engine().gradients(() => loss(current), [current], undefined, true).grads[0] as
          | Tensor
          | undefined) ?? zerosLike(current);
      const direction = norm === "linf" ? sign(gradient) : div(gradient, sizes(gradient));
      const ahead = add(current, mul(direction, relativeStep * epsilon));
      return project(ahead, x, { norm, epsilon, bounds });
    });
    current.dispose();
    current = next;
  }
  return current;
}

function project(
  point: Tensor,
  x: Tensor,
  {
    norm,
    epsilon,
    bounds,
  }: { readonly norm: "linf" | "l2"; readonly epsilon: number; readonly bounds: Bounds },
): Tensor {
  const inBall =
    norm === "linf"
      ? maximum(minimum(point, add(x, epsilon)), sub(x, epsilon))
      : add(x, scaled(sub(point, x), epsilon));
  return clipByValue(inBall, bounds[0], bounds[1]);
}

function scaled(delta: Tensor, epsilon: number): Tensor {
  return mul(delta, minimum(div(epsilon, sizes(delta)), 1));
}

/** `[n, 1, ...]`: Euclidean norms, never 0. */
function sizes(delta: Tensor): Tensor {
  const axes = delta.shape.map((_, axis) => axis).slice(1);
  return maximum(sqrt(sum(square(delta), axes, true)), 1e-12);
}
