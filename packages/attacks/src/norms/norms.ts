import { l0 } from "./l0.js";
import { l1 } from "./l1.js";
import { l2 } from "./l2.js";
import { linf } from "./linf.js";
import type { Norm, NormName } from "./norm.js";

export const norms: Readonly<Record<NormName, Norm>> = { linf, l2, l1, l0 };
