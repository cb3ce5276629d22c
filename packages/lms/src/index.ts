export { affineProjection } from "./affine-projection.js";
export { courseData, type LinearData } from "./course-data.js";
export { type CyclicBound, cyclicBound, cyclicLimit, cyclicRadius } from "./cyclic-stability.js";
export { delayLine } from "./delay-line.js";
export { type Eigenvalues, eigenvalues } from "./eigenvalues.js";
export { initFilter, stepFilter } from "./filter.js";
export { type GateName, gate, gateNames } from "./gate.js";
export { type GateCensus, gateCensus, type SeparableGate } from "./gate-census.js";
export { inputMoments, type Moments } from "./input-moments.js";
export { leakyLms } from "./leaky-lms.js";
export { type LeastSquaresFit, leastSquares } from "./least-squares.js";
export { type LinearSeparation, linearSeparation } from "./linear-separation.js";
export { lms } from "./lms.js";
export { countErrors, initMadaline, type Madaline, type Responses, respond } from "./madaline.js";
export { type MadalineLogic, type MadalineRule1Options, madalineRule1 } from "./madaline-rule-1.js";
export { type MadalineResult, type MadalineRule2Options, madalineRule2 } from "./madaline-rule-2.js";
export { type Matrix, type MatrixLike, matrix } from "./matrix.js";
export { meanSquaredError } from "./mean-squared-error.js";
export {
  type LmsMisadjustment,
  lmsMisadjustment,
  nlmsMisadjustment,
  rlsMisadjustment,
} from "./misadjustment.js";
export { alphaLms, nlms } from "./nlms.js";
export { perceptron } from "./perceptron.js";
export { type Environment, type Performance, predictPerformance } from "./predict-performance.js";
export { relaxation } from "./relaxation.js";
export { rls } from "./rls.js";
export type { FilterState, Rule } from "./rule.js";
export { type RunOptions, type RunResult, runFilter } from "./run-filter.js";
export { type MadalineSearch, randomMadalineSearch, restartMadalineRule2 } from "./search-madaline.js";
export { type SignLmsKind, signLms } from "./sign-lms.js";
export { type SimulateOptions, type Simulation, simulate } from "./simulate.js";
export { type SingularValues, singularValues } from "./singular-values.js";
export { type StabilityBound, type StabilityBounds, stabilityBounds } from "./stability-bounds.js";
export { type SweepRow, sweep } from "./sweep.js";
export { type SymmetricEigen, symmetricEigen } from "./symmetric-eigen.js";
export { type TimeConstants, timeConstants } from "./time-constants.js";
export { type AdalineResult, trainAdaline } from "./train-adaline.js";
export { truthTable } from "./truth-table.js";
export { type WienerFilter, wiener } from "./wiener.js";
