import { dispose, engine, type Scalar, Tensor, tidy } from "@tensorflow/tfjs-core";
import { typeMismatch } from "../expect-argument.js";
import { expectDtype } from "../expect-dtype.js";
import { expectShape } from "../expect-shape.js";

/**
 * The value of a loss and its gradient with respect to each tensor, `undefined` for those that it does not use. When it
 * throws, nothing is left behind.
 */
export function differentiate(
  where: string,
  loss: () => Scalar,
  tensors: readonly Tensor[],
): { value: Scalar; gradients: (Tensor | undefined)[] } {
  const outermost = engine().state.gradientDepth === 0;
  try {
    const { value, grads } = tidy(() =>
      engine().gradients(
        () => {
          const value = loss();
          if (!(value instanceof Tensor)) throw typeMismatch(where, "a scalar", value);
          expectShape(where, value, []);
          expectDtype(where, value, "float32");
          // A tensor of its own, where a loss gives a parameter as it is.
          return value.clone() as Scalar;
        },
        [...tensors],
        undefined,
        true,
      ),
    );
    if (grads.some((gradient) => (gradient as Tensor | undefined) !== undefined)) {
      return { value, gradients: grads };
    }
    value.dispose();
    throw new RangeError(
      `${where}: expected a function of the parameters, got one with no connection to any`,
    );
  } catch (error) {
    // tfjs-core disposes what it has saved for the gradient only when it gets that far.
    if (outermost) for (const { saved } of engine().state.activeTape ?? []) dispose(saved ?? []);
    throw error;
  }
}
