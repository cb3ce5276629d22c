export { kronecker, unvec, vec } from "./kronecker.js";
export { kroneckerGradient } from "./kronecker-gradient.js";
export { type Matrix, type MatrixLike, matrix } from "./matrix.js";
export { type NumericalMethod, numericalGradient } from "./numerical-gradient.js";
export type { Activation, TwoLayerParams } from "./two-layer.js";
export {
  type Layout,
  type TwoLayerGradient,
  type TwoLayerOptions,
  twoLayerGradient,
} from "./two-layer-gradient.js";
