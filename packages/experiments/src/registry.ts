import type { Experiment } from "./experiment.js";
import { backprop } from "./lms/backprop.js";
import { courseData } from "./lms/course-data.js";
import { gates } from "./lms/gates.js";
import { stepSizes } from "./lms/step-sizes.js";
import { alexnet } from "./receptive-field/alexnet.js";
import { branches } from "./receptive-field/branches.js";
import { effectiveFields } from "./receptive-field/effective-field.js";
import { published } from "./receptive-field/published.js";

/** Every experiment, in the order of the report. A package adds its own here. */
export const experiments: readonly Experiment[] = [
  alexnet,
  published,
  branches,
  effectiveFields,
  courseData,
  stepSizes,
  gates,
  backprop,
];
