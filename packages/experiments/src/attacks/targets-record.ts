import type { Picture } from "@gradlab/studies";

export interface TargetsRecord {
  readonly isGenerated: boolean;
  readonly labels: readonly string[];
  /** Of the network, on images that it has not been trained on. */
  readonly accuracy: number;
  readonly pairs: readonly AttackedPair[];
  /** How many images are still seen as their target after each of the changes. */
  readonly survivors: { readonly plain: readonly number[]; readonly expected: readonly number[] };
}

export interface AttackedPair {
  /** The number of the image among those for the test. */
  readonly original: number;
  readonly label: number;
  readonly target: number;
  readonly clean: Picture;
  readonly difference: Picture;
  readonly plain: Driven;
  /** By the mean over JPEG's noise. */
  readonly expected: Driven;
}

export interface Driven {
  readonly reached: boolean;
  readonly certified: boolean;
  readonly distance: number;
  readonly picture: Picture;
  /** After each of the changes. */
  readonly survives: readonly boolean[];
}
