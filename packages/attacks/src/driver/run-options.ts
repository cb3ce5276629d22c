import type { Tensor } from "@tensorflow/tfjs-core";
import type { Preflight } from "../preflight.js";
import type { Draws } from "./draws.js";
import type { Goal } from "./judge.js";
import type { Labels, PerSample } from "./read-arguments.js";
import type { AttackResult } from "./result.js";

export interface RunOptions {
  /** The largest distance, in the norm of the attack: one for all samples, or one for each. */
  readonly epsilon?: PerSample;
  /** The classes to arrive at; untargeted without. */
  readonly targets?: Labels;
  /** Of everything random; 0 unless given. */
  readonly seed?: number;
  /** What keys the random numbers of each sample, its place in `x` unless given. Shards of one set name their samples. */
  readonly ids?: readonly number[];
  /** How many images go through the classifier at once, 64 unless given. No result depends on it. */
  readonly batchSize?: number;
  /** 1 where a number of an image may change and 0 where not: `[n, ...]`, or the shape of one image. */
  readonly mask?: Tensor;
  /** Bounds of each number, inside those of the classifier: `[n, ...]`, or the shape of one image. */
  readonly box?: { readonly lower: Tensor; readonly upper: Tensor };
  /** Where to begin: `[n, ...]`. What the attack would draw for a first start is not drawn. */
  readonly start?: Tensor;
  /** Random numbers in place of seeded ones, for comparisons with other programs. */
  readonly draws?: (purpose: string, id: number) => Draws;
  /**
   * By how much a wrong class, or the target, has to be ahead for the attack to be content; 0 unless given. When an image
   * is looked at again, being ahead is enough.
   */
  readonly confidence?: number;
  /** In place of that: a rule of one's own. */
  readonly criterion?: Goal["criterion"];
  /**
   * When an attack is through with a sample: at the first adversarial image, or when it has done all its steps, of which
   * the best is kept (the largest margin, or the smallest distance). `"first"` for a goal within ε, `"best"` for the
   * nearest one, unless given.
   */
  readonly until?: "first" | "best";
  /** Whether to look at the classifier first, as is usual; or what such a look has shown before. */
  readonly preflight?: boolean | Preflight;
  /**
   * What an interrupted run has come to: samples that it was through with are taken from there, the others (by their
   * ids) go on with the attack of an ensemble that they had not passed.
   */
  readonly resume?: Pick<AttackResult, "samples" | "adversarial">;
  /** An abort ends the attack with the best images so far. */
  readonly signal?: AbortSignal;
}
