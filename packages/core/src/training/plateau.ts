import { expectFinite, typeMismatch } from "../expect-argument.js";
import { expectFraction, expectInteger } from "../expect-values.js";

export interface PlateauOptions {
  /** What a reduction multiplies the rate by, in [0, 1); 0.1 unless given. */
  readonly factor?: number;
  /** How many reports in a row may be no better than the best one; the next such reduces the rate. 10 unless given. */
  readonly patience?: number;
  /** A loss is better when it is below `(1 - threshold) · best`, in [0, 1); 1e-4 unless given. */
  readonly threshold?: number;
  /** How many reports after a reduction count as neither good nor bad; 0 unless given. */
  readonly cooldown?: number;
  /** The rate is never multiplied by less than this, in [0, 1]; 0 unless given. */
  readonly minScale?: number;
}

/** A rate that validation drives: what it is and where it stands. */
export interface Plateau {
  readonly options: Required<PlateauOptions>;
  /** Multiplies every learning rate. */
  readonly scale: number;
  /** The smallest loss reported; null before the first. */
  readonly best: number | null;
  /** How many reports in a row have been no better. */
  readonly bad: number;
  /** How many reports still count as neither. */
  readonly cooling: number;
}

/** The plateau before any report. */
export function plateauOf(where: string, options: PlateauOptions): Plateau {
  if (typeof options !== "object" || options === null) throw typeMismatch(where, "options", options);
  const { factor = 0.1, patience = 10, threshold = 1e-4, cooldown = 0, minScale = 0 } = options;
  expectFraction(`${where}: factor`, factor);
  expectInteger(`${where}: patience`, patience, 0);
  expectFraction(`${where}: threshold`, threshold);
  expectInteger(`${where}: cooldown`, cooldown, 0);
  expectFraction(`${where}: minScale`, minScale, true);
  const full = { factor, patience, threshold, cooldown, minScale };
  return { options: full, scale: 1, best: null, bad: 0, cooling: 0 };
}

/** The same from a checkpoint, checked. */
export function plateauFrom(where: string, value: unknown): Plateau {
  if (typeof value !== "object" || value === null) throw typeMismatch(where, "an object", value);
  const { options, scale, best, bad, cooling } = value as Record<string, unknown>;
  const plateau = plateauOf(`${where}: options`, options as PlateauOptions);
  expectFraction(`${where}: scale`, scale, true);
  if (best !== null) expectFinite(`${where}: best`, best);
  expectInteger(`${where}: bad`, bad, 0);
  expectInteger(`${where}: cooling`, cooling, 0);
  return { ...plateau, scale, best, bad, cooling } as Plateau;
}
