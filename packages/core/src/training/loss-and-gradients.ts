import { type Scalar, type Tensor, zerosLike } from "@tensorflow/tfjs-core";
import { installGradients } from "../install-gradients.js";
import { mapParams } from "../params/map-params.js";
import { entriesOf, type Params, type ParamsOf } from "../params/params.js";
import { differentiate } from "./differentiate.js";
import { type ParamsIn, paramPaths } from "./trained-paths.js";

/**
 * A loss and its gradient with respect to every parameter of a state: what `train` computes in each step, for whoever
 * writes a loop of one's own with `createOptimizer`, or looks at gradients. Installs the gradients.
 *
 * @param state Tensors or variables, as `init` or `training.state` has them. Its parameters are what stands under
 *   `params`, or all of it where there is no such name; they are float32. Borrowed.
 * @param loss Gives a float32 scalar; called in a `tidy`.
 * @returns `loss`, and `gradients`, a record like the parameters (zeros for those that the loss does not use); the
 *   caller disposes both.
 * @throws {ShapeError | TypeError} when the loss is no float32 scalar.
 * @throws {RangeError} when the loss depends on no parameter, or one of them is no float32 tensor.
 */
export function lossAndGradients<S extends ParamsOf<S>>(
  state: S,
  loss: (state: S) => Scalar,
): { loss: Scalar; gradients: ParamsIn<S> } {
  installGradients();
  const isParam = paramPaths(state);
  const entries = entriesOf("lossAndGradients: state", state).filter(([path]) => isParam(path));
  for (const [path, { dtype }] of entries) {
    if (dtype !== "float32") {
      throw new RangeError(`lossAndGradients: state: ${path}: expected float32, got ${dtype}`);
    }
  }
  if (entries.length === 0) {
    throw new RangeError("lossAndGradients: state: expected at least one parameter, got none");
  }
  const { value, gradients } = differentiate(
    "lossAndGradients: loss",
    () => loss(state),
    entries.map(([, tensor]) => tensor),
  );
  // One gradient may be that of several parameters, and the caller disposes each.
  const found = new Map(
    entries.map(([path], i) => {
      const gradient = gradients[i];
      return [path, gradient !== undefined && gradients.indexOf(gradient) < i ? gradient.clone() : gradient];
    }),
  );
  const gradient = (tensor: Tensor, path: string) => found.get(path) ?? zerosLike(tensor);
  if (!Object.hasOwn(state, "params")) {
    return { loss: value, gradients: mapParams(state, gradient) as ParamsIn<S> };
  }
  const { params } = state as unknown as { params: Params };
  return { loss: value, gradients: mapParams({ params }, gradient).params as ParamsIn<S> };
}
