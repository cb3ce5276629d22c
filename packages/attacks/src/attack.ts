import type { Steps } from "./driver/query.js";
import type { Sample } from "./driver/sample.js";
import type { NormName } from "./norms/norm.js";

/**
 * An attack as plain data and one generator: what it does to one sample, as if there were no other. The driver
 * (`runAttack`) asks the questions of many samples in one batch, judges every point that was asked for, and keeps the
 * best one: an attack returns nothing.
 */
export interface Attack {
  readonly name: string;
  /** How distances are measured. */
  readonly norm: NormName;
  /** Any adversarial image within ε, or the nearest one. */
  readonly goal: "within" | "nearest";
  /** What it needs to know: gradients, scores (the logits alone), or decisions (the class alone). */
  readonly needs: "gradients" | "scores" | "decisions";
  /** Whether it takes samples with a target, without, or both. */
  readonly targeting: "both" | "targeted" | "untargeted";
  readonly run: (sample: Sample) => Steps;
}
