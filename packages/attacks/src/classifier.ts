import type { Tensor } from "@tensorflow/tfjs-core";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";

/** What an attack sees of a network: its logits, differentiable by the images. */
export interface Classifier {
  /**
   * Images `[n, ...]` to logits `[n, classes]`, which the caller disposes: no softmax after them, nothing random, no
   * row that depends on another.
   *
   * @param rows Whose images these are, one for each: what keys the numbers of a transformation that draws some.
   */
  logits(x: Tensor, rows: readonly Row[]): Tensor;
  /** What the numbers of an image lie between. */
  readonly bounds: Bounds;
  readonly classes: number;
  /** How many rows of logits, one after the other, belong to one image; 1 unless given. */
  readonly draws?: number;
}

export type Bounds = readonly [lowest: number, highest: number];

/** A question to the classifier: which sample it is about, and the how manyth it is, from 0. */
export interface Row {
  readonly id: number;
  readonly query: number;
}

/** A classifier that only answers: no gradients. */
export interface BlackBox {
  /**
   * Images `[n, ...]`, borrowed, to scores `[n, classes]` (logits, or anything that grows with them), or to the
   * numbers of classes `[n]`; as a tensor, which is disposed, or as plain numbers.
   */
  predict(x: Tensor): BlackBoxAnswer | Promise<BlackBoxAnswer>;
  /** Whether `predict` gives scores, or decides. */
  readonly gives: "scores" | "decisions";
  readonly bounds: Bounds;
  readonly classes: number;
}

export type BlackBoxAnswer = Tensor | ArrayLike<number> | readonly ArrayLike<number>[];

/** Anything that can be attacked. */
export type Target = Classifier | BlackBox;

export const isBlackBox = (target: Target): target is BlackBox => "predict" in target;

/** @throws {TypeError | RangeError} unless `target` is a classifier, or a black box. */
export function expectTarget(caller: string, target: Target): void {
  const where = `${caller}: classifier`;
  if (typeof target !== "object" || target === null) {
    throw typeMismatch(where, "{logits, bounds, classes} or {predict, gives, bounds, classes}", target);
  }
  if (isBlackBox(target)) {
    if (typeof target.predict !== "function") {
      throw typeMismatch(`${where}.predict`, "a function", target.predict);
    }
    if (target.gives !== "scores" && target.gives !== "decisions") {
      throw typeMismatch(`${where}.gives`, '"scores" or "decisions"', target.gives);
    }
  } else if (typeof target.logits !== "function") {
    throw typeMismatch(`${where}.logits`, "a function", target.logits);
  }
  expectBounds(`${where}.bounds`, target.bounds);
  if (!(Number.isSafeInteger(target.classes) && target.classes >= 2)) {
    throw rangeMismatch(`${where}.classes`, "an integer, at least 2", target.classes);
  }
}

export function expectBounds(where: string, bounds: Bounds): void {
  const [lowest, highest] = Array.isArray(bounds) ? (bounds as Bounds) : [Number.NaN, Number.NaN];
  if (!(Number.isFinite(lowest) && Number.isFinite(highest) && lowest < highest)) {
    throw new RangeError(`${where}: expected [lowest, highest], got [${String(bounds)}]`);
  }
}
