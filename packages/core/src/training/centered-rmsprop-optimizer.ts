import {
  add,
  div,
  engine,
  maximum,
  mul,
  RMSPropOptimizer,
  sqrt,
  square,
  sub,
  type Tensor,
  tidy,
  type Variable,
  zerosLike,
} from "@tensorflow/tfjs-core";

type Slots = { originalName: string; variable: Variable }[];

/** What the base class keeps to itself. */
interface Fields {
  readonly learningRate: number;
  readonly decay: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly accumulatedMeanSquares: Slots;
  readonly accumulatedMeanGrads: Slots;
  readonly accumulatedMoments: Slots;
}

/**
 * RMSProp divided by the standard deviation of the gradients: `√(max(E[g²] - E[g]², 0) + ε)`.
 *
 * Unlike tfjs-core, which takes the root of `E[g²] - (E[g]² + ε)`: that is NaN for every weight whose gradient is 0 or
 * hardly changes. The maximum is for a difference that rounding has made negative.
 *
 * @see Graves 2013, equations 38 to 41, https://arxiv.org/abs/1308.0850
 */
export class CenteredRmspropOptimizer extends RMSPropOptimizer {
  override applyGradients(gradients: Parameters<RMSPropOptimizer["applyGradients"]>[0]): void {
    const fields = this as unknown as Fields;
    const { learningRate, decay, momentum, epsilon } = fields;
    const named = Array.isArray(gradients)
      ? gradients
      : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor: tensor as Tensor }));
    for (const [i, { name, tensor: gradient }] of named.entries()) {
      const value = engine().registeredVariables[name]!;
      const slot = (slots: Slots, kind: string): Variable => {
        slots[i] ??= { originalName: `${name}/${kind}`, variable: zeroVariable(value) };
        return slots[i].variable;
      };
      const meanSquare = slot(fields.accumulatedMeanSquares, "rms");
      const moment = slot(fields.accumulatedMoments, "momentum");
      const meanGradient = slot(fields.accumulatedMeanGrads, "mg");
      if (gradient === undefined || gradient === null) continue;
      tidy(() => {
        const newMeanSquare = add(mul(meanSquare, decay), mul(square(gradient), 1 - decay));
        const newMeanGradient = add(mul(meanGradient, decay), mul(gradient, 1 - decay));
        const variance = maximum(sub(newMeanSquare, square(newMeanGradient)), 0);
        const step = div(mul(gradient, learningRate), sqrt(add(variance, epsilon)));
        const newMoment = add(mul(moment, momentum), step);
        meanSquare.assign(newMeanSquare);
        meanGradient.assign(newMeanGradient);
        moment.assign(newMoment);
        value.assign(sub(value, newMoment));
      });
    }
    this.incrementIterations();
  }
}

function zeroVariable(like: Tensor): Variable {
  return tidy(() => engine().makeVariable(zerosLike(like), false));
}
