import type { Attack } from "../attack.js";
import { type PgdOptions, pgd } from "./pgd.js";

export interface BimOptions extends Pick<PgdOptions, "norm" | "steps" | "loss"> {
  /** The size of a step as a share of ε; 1/5 unless given. */
  readonly relativeStep?: number;
}

/**
 * The basic iterative method: PGD from the image itself, 10 steps unless given.
 *
 * Needs `epsilon`.
 *
 * @see Kurakin, Goodfellow, Bengio 2017, §2.2, https://arxiv.org/abs/1607.02533
 */
export function bim({ steps = 10, relativeStep = 1 / 5, ...options }: BimOptions = {}): Attack {
  return { ...pgd({ ...options, steps, relativeStep, randomStart: false }), name: "bim" };
}
