import type { Draws } from "./draws.js";

/** One image under attack, and all that the attack of it may depend on. */
export interface Sample {
  /** What keys its random numbers. */
  readonly id: number;
  /** The image as it was given. */
  readonly x: Float32Array;
  /** Of the image: `[height, width, channels]`. */
  readonly shape: readonly number[];
  readonly label: number;
  /** The class to arrive at; null where any but the label will do. */
  readonly target: number | null;
  readonly classes: number;
  /** Infinite where none was given. */
  readonly epsilon: number;
  /** Of each number of the image. A number that the mask leaves alone has its own value as both. */
  readonly lower: Float32Array;
  readonly upper: Float32Array;
  /** The logits of the image as it was given. */
  readonly clean: Float32Array;
  /** Where to begin, in place of what the attack would draw; null where it draws. */
  readonly start: Float32Array | null;
  /** Random numbers for a purpose; those of one purpose go on where they were left. */
  readonly draws: (purpose: string) => Draws;
  /** By how much a wrong class, or the target, has to be ahead. */
  readonly confidence: number;
  /** The best adversarial image so far. */
  readonly found: () => Found | null;
  /** Says that another attack of an ensemble begins; the one before it is through with the sample. */
  readonly enter: (attack: string) => void;
  /** Whether an attack is through with the sample already, in a run before this one. */
  readonly passed: (attack: string) => boolean;
}

export interface Found {
  readonly x: Float32Array;
  readonly logits: Float32Array;
  /** In the norm of the attack. */
  readonly distance: number;
  readonly margin: number;
}
