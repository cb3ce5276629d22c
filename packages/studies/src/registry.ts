import type { Study } from "./declaration/study.js";
import { backpropCheck } from "./studies/backprop-check/backprop-check.js";
import { doctor } from "./studies/doctor.js";
import { gates } from "./studies/gates.js";
import { lms } from "./studies/lms/lms.js";
import { receptiveField } from "./studies/receptive-field/receptive-field.js";

/** Every study, in the order of help. A study of your own is a file in `studies/` and a line here. */
export const studies = [receptiveField, lms, gates, backpropCheck, doctor] as unknown as readonly Study[];
