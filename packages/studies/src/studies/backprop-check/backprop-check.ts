import { type Check, checkTable, checkVerdict } from "../../declaration/check.js";
import { seedOption } from "../../declaration/option.js";
import { defineStudy } from "../../declaration/study.js";
import { exampleChecks, gradientChecks } from "./backprop-checks.js";

export interface BackpropRecord {
  readonly checks: readonly Check[];
}

export const backpropCheck = defineStudy({
  name: "backprop-check",
  help: "the gradient of a two-layer network by hand, against three other ways",
  options: {
    cases: { kind: "integer", least: 1, default: 100, help: "random networks to compare on" },
    tolerance: { kind: "number", least: 0, default: 1e-8, help: "of central differences, relative" },
    seed: seedOption,
  },
  examples: ["backprop-check", "backprop-check --cases 500 --seed 3 --json"],
  drawn: null,
  tensors: null,
  // biome-ignore lint/correctness/useYield: all at once
  async *run(options): AsyncGenerator<never, BackpropRecord> {
    return { checks: [...exampleChecks(), ...gradientChecks(options)] };
  },
  tables: ({ checks }) => [checkTable(checks)],
  verdict: ({ checks }) => checkVerdict(checks),
});
