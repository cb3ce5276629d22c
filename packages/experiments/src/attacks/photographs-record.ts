import type { Picture } from "@gradlab/studies";

export interface PhotographsRecord {
  /** Of the classes, by their first names. */
  readonly labels: readonly string[];
  readonly pairs: readonly PhotographPair[];
}

export interface PhotographPair {
  /** The number of the photograph. */
  readonly original: number;
  /** What the network sees in it. */
  readonly label: number;
  readonly target: number;
  readonly clean: Picture;
  readonly difference: Picture;
  readonly plain: DrivenPhotograph;
  /** By the mean over JPEG's noise; null where that was not tried. */
  readonly expected: DrivenPhotograph | null;
}

export interface DrivenPhotograph {
  readonly reached: boolean;
  readonly certified: boolean;
  /** Of Adam, the last of which saw the target. */
  readonly steps: number;
  readonly distance: number;
  /** The largest change of a number between 0 and 1. */
  readonly largest: number;
  readonly picture: Picture;
  /** After each of the changes. */
  readonly survives: readonly boolean[];
}
