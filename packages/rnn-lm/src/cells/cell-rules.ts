import { elmanRule } from "./elman-rule.js";
import { gruRule } from "./gru-rule.js";
import { lstmRule } from "./lstm-rule.js";
import type { CellName, RecurrentRule } from "./recurrent-rule.js";

/** The rules of the cells by name. */
export const cellRules: Readonly<Record<CellName, RecurrentRule>> = {
  lstm: lstmRule,
  gru: gruRule,
  elman: elmanRule,
};
