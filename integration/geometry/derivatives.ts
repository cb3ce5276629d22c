/** First and second derivatives of a case by tfjs, on the current backend. */
import { addN, grads, type Tensor, tensor, mul as tfMul, sum as tfSum } from "@tensorflow/tfjs-core";
import { fixedDirection, trainedInputs } from "./along.js";
import type { GeometryCase, GeometryOp } from "./op.js";

/** A call of the op whose result is one number: outputs weighted and summed. */
const objectiveOf = (
  op: GeometryOp,
  opCase: GeometryCase,
  inputs: readonly Tensor[],
  trained: readonly number[],
  weights: readonly Tensor[],
) => {
  return (...xs: Tensor[]): Tensor => {
    const all = inputs.map((x, i) => (trained.includes(i) ? xs[trained.indexOf(i)]! : x));
    const outputs = [op.tfjs(all, structuredClone(opCase.attrs))].flat();
    return addN(outputs.map((y, i) => tfSum(tfMul(y, weights[i]!)) as Tensor));
  };
};

/**
 * The gradients, with respect to inputs and weights, of `⟨u, gradient⟩ + ½ ‖inputs‖² + ½ ‖weights‖²`. The squares are there
 * so that something depends on every input: the gradient of a sum depends on none.
 */
export function secondGradients(
  op: GeometryOp,
  opCase: GeometryCase,
  inputs: readonly Tensor[],
  weights: readonly Tensor[],
): Tensor[] {
  const trained = trainedInputs(op, opCase);
  const u = fixedDirection(op, opCase).map((values, t) => tensor([...values], inputs[trained[t]!]!.shape));
  const n = trained.length;
  const along = (...all: Tensor[]): Tensor => {
    const [xs, ws] = [all.slice(0, n), all.slice(n)];
    const first = grads(objectiveOf(op, opCase, inputs, trained, ws))(xs);
    const terms = first.map((g, t) => tfSum(tfMul(g, u[t]!)) as Tensor);
    return addN([...terms, ...all.map((x) => tfMul(tfSum(tfMul(x, x)), 0.5) as Tensor)]);
  };
  return grads(along)([...trained.map((i) => inputs[i]!), ...weights]);
}

/** The gradients of `Σ weights · outputs` with respect to the trained inputs. */
export function firstGradients(
  op: GeometryOp,
  opCase: GeometryCase,
  inputs: readonly Tensor[],
  weights: readonly Tensor[],
): Tensor[] {
  const trained = trainedInputs(op, opCase);
  return grads(objectiveOf(op, opCase, inputs, trained, weights))(trained.map((i) => inputs[i]!));
}
