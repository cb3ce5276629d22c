import type { Tensor } from "@tensorflow/tfjs-core";
import {
  type LayerNormParams,
  layerNorm,
  type NormOptions,
  type RmsNormParams,
  rmsNorm,
} from "./layer-norm.js";

/** With an offset it is a layer norm, without one a root mean square norm. */
export type NormParams = LayerNormParams | RmsNormParams;

/** The norm that the parameters are of. */
export function applyNorm<T extends Tensor>(params: NormParams, x: T, { epsilon = 1e-5 }: NormOptions): T {
  return "offset" in params ? layerNorm(params, x, { epsilon }) : rmsNorm(params, x, { epsilon });
}
