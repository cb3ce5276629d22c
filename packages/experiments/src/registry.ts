import { attackedPhotographs } from "./attacks/photographs.js";
import { targets } from "./attacks/targets.js";
import { feedForward } from "./attention/feed-forward.js";
import { permutations } from "./attention/permutations.js";
import { crossEntropyClaims } from "./claims/cross-entropy.js";
import { elmanJacobian } from "./claims/elman-jacobian.js";
import { kernelClaims } from "./claims/kernels.js";
import { lmsClaims } from "./claims/lms.js";
import { atStart } from "./classic-cnns/at-start.js";
import { bordersAndPools } from "./classic-cnns/borders-and-pools.js";
import { chirp } from "./classic-cnns/chirp.js";
import { convolutionMatrix } from "./classic-cnns/convolution-matrix.js";
import { filterByHand } from "./classic-cnns/filter-by-hand.js";
import { kernels } from "./classic-cnns/kernels.js";
import { learnedKernel } from "./classic-cnns/learned-kernel.js";
import { learning } from "./classic-cnns/learning.js";
import { lenetTraining } from "./classic-cnns/lenet-training.js";
import { nGrams } from "./classic-cnns/n-grams.js";
import { photographs } from "./classic-cnns/photographs.js";
import { pools } from "./classic-cnns/pools.js";
import { shifts } from "./classic-cnns/shifts.js";
import { tables } from "./classic-cnns/tables.js";
import { torchvisionLogits } from "./classic-cnns/torchvision-logits.js";
import { zeroWeights } from "./classic-cnns/zero-weights.js";
import { gradients } from "./core/gradients.js";
import type { Experiment } from "./experiment.js";
import { backprop } from "./lms/backprop.js";
import { courseData } from "./lms/course-data.js";
import { gates } from "./lms/gates.js";
import { overfitting } from "./lms/overfitting.js";
import { signUnits } from "./lms/sign-units.js";
import { stepSizes } from "./lms/step-sizes.js";
import { alexnet } from "./receptive-field/alexnet.js";
import { branches } from "./receptive-field/branches.js";
import { effectiveFields } from "./receptive-field/effective-field.js";
import { published } from "./receptive-field/published.js";
import { sentencesExperiment } from "./rnn-lm/sentences.js";
import { truncation } from "./rnn-lm/truncation.js";

/** Every experiment, in the order of the report. A package adds its own here. */
export const experiments: readonly Experiment[] = [
  alexnet,
  published,
  branches,
  effectiveFields,
  gradients,
  filterByHand,
  bordersAndPools,
  pools,
  kernels,
  learnedKernel,
  convolutionMatrix,
  shifts,
  chirp,
  nGrams,
  tables,
  torchvisionLogits,
  atStart,
  zeroWeights,
  lenetTraining,
  learning,
  photographs,
  targets,
  attackedPhotographs,
  permutations,
  feedForward,
  courseData,
  stepSizes,
  gates,
  backprop,
  overfitting,
  signUnits,
  kernelClaims,
  elmanJacobian,
  lmsClaims,
  crossEntropyClaims,
  sentencesExperiment,
  truncation,
];
