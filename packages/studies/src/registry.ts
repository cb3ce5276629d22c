import type { Study } from "./declaration/study.js";
import { attack } from "./studies/attack/attack.js";
import { attentionCheck } from "./studies/attention-check/attention-check.js";
import { backpropCheck } from "./studies/backprop-check/backprop-check.js";
import { classify } from "./studies/classify/classify.js";
import { doctor } from "./studies/doctor.js";
import { embedding } from "./studies/embedding.js";
import { gates } from "./studies/gates.js";
import { gradientFlow } from "./studies/gradient-flow.js";
import { lms } from "./studies/lms/lms.js";
import { perplexity } from "./studies/perplexity.js";
import { receptiveField } from "./studies/receptive-field/receptive-field.js";

import { robustness } from "./studies/robustness/robustness.js";
import { sample } from "./studies/sample.js";
import { summary } from "./studies/summary.js";
import { trainCnn } from "./studies/train-cnn/train-cnn.js";
import { trainGpt } from "./studies/train-gpt/train-gpt.js";
import { trainLm } from "./studies/train-lm/train-lm.js";

/** Every study, in the order of help. A study of your own is a file in `studies/` and a line here. */
export const studies = [
  receptiveField,
  summary,
  trainCnn,
  classify,
  attack,
  robustness,
  trainLm,
  sample,
  perplexity,
  embedding,
  gradientFlow,
  attentionCheck,
  trainGpt,
  lms,
  gates,
  backpropCheck,
  doctor,
] as unknown as readonly Study[];
