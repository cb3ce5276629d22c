import type { Tensor } from "@tensorflow/tfjs-core";

/** What a rule is told of one update of one tensor. */
interface Moment {
  readonly learningRate: number;
  /** Which update of this tensor it is: 1 is the first. */
  readonly count: number;
}

/** An update of one tensor with what the loop does to its gradient before and to its value. */
export interface Move extends Moment {
  /** Multiplies the gradient. */
  readonly scale: number;
  /** Bounds every element of the scaled gradient; `Infinity` does not. */
  readonly maxValue: number;
  /** Decoupled weight decay: the value becomes `(1 - learningRate · decay)` of itself before the step. */
  readonly decay: number;
}

/** One tensor and its slots after an update. */
export interface Moved {
  readonly value: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
}

/** An optimizer for one tensor; what it computes with the gradient is all elementwise. */
export interface UpdateRule {
  /** The name of each slot with the number that fills it at the start. */
  readonly slots: Readonly<Record<string, number>>;
  /** The next value and slots; called in a `tidy`, writes into no argument. */
  readonly step: (
    value: Tensor,
    gradient: Tensor,
    slots: Readonly<Record<string, Tensor>>,
    moment: Moment,
  ) => Moved;
  /** The whole of a move by one kernel, or null where the backend has none; called in a `tidy`. */
  readonly fused?: (
    value: Tensor,
    gradient: Tensor,
    slots: Readonly<Record<string, Tensor>>,
    move: Move,
  ) => Moved | null;
}
