import type { Study } from "./declaration/study.js";
import { attack } from "./studies/attack/attack.js";
import { backpropCheck } from "./studies/backprop-check/backprop-check.js";
import { classify } from "./studies/classify/classify.js";
import { doctor } from "./studies/doctor.js";
import { gates } from "./studies/gates.js";
import { lms } from "./studies/lms/lms.js";
import { receptiveField } from "./studies/receptive-field/receptive-field.js";

import { robustness } from "./studies/robustness/robustness.js";
import { summary } from "./studies/summary.js";
import { trainCnn } from "./studies/train-cnn/train-cnn.js";

/** Every study, in the order of help. A study of your own is a file in `studies/` and a line here. */
export const studies = [
  receptiveField,
  summary,
  trainCnn,
  classify,
  attack,
  robustness,
  lms,
  gates,
  backpropCheck,
  doctor,
] as unknown as readonly Study[];
