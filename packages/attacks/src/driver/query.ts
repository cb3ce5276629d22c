import type { Loss } from "../losses/loss.js";

/** A point at which an attack asks the classifier. */
export interface Query {
  /** One image. The driver copies it at once. */
  readonly x: Float32Array;
  /** What to differentiate by the image; without one only the logits are asked for. */
  readonly loss?: Loss;
  /** The classes that the loss is about, those of the sample unless given. */
  readonly label?: number;
  readonly target?: number;
}

export interface Answer {
  /** `[classes]`. */
  readonly logits: Float32Array;
  /** NaN where no loss was asked for. */
  readonly loss: number;
  /** As long as the image; empty where no loss was asked for. */
  readonly gradient: Float32Array;
}

/** What an attack does to one sample: it yields questions, all of a turn at once, and is sent the answers. */
export type Steps<T = void> = Generator<readonly Query[], T, readonly Answer[]>;

/** The logits at a point. */
export function* logitsAt(x: Float32Array): Steps<Float32Array> {
  const [answer] = yield [{ x }];
  return answer!.logits;
}

/** A loss, its gradient and the logits at a point. */
export function* gradientAt(
  x: Float32Array,
  loss: Loss,
  classes: Pick<Query, "label" | "target"> = {},
): Steps<Answer> {
  const [answer] = yield [{ x, loss, ...classes }];
  return answer!;
}

/** The logits at several points. */
export function* logitsAtAll(points: readonly Float32Array[]): Steps<Float32Array[]> {
  const answers = yield points.map((x) => ({ x }));
  return answers.map(({ logits }) => logits);
}
