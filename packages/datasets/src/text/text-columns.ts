import { rangeMismatch } from "../expect-argument.js";
import { expectInteger } from "../expect-values.js";

export interface TextColumnsOptions {
  /** How many columns the text is cut into: the size of a batch. */
  readonly columns: number;
  /** How many tokens of every column a step reads. */
  readonly length: number;
}

/** What a step reads, and what comes next. */
export interface TextBatch {
  /** `[columns, length]`, row by row. */
  readonly inputs: Int32Array;
  /** The same, one token later. */
  readonly targets: Int32Array;
  readonly shape: readonly [columns: number, length: number];
  /** From 0 on, over all epochs. */
  readonly step: number;
  readonly epoch: number;
  /** The columns begin anew: what a recurrent network remembers is of another place. */
  readonly isFirst: boolean;
}

/** A text in columns. */
export interface TextColumns {
  /** How many steps one pass takes. */
  readonly stepsPerEpoch: number;
  /** The batch at a step of training: a function of the step alone, so that there is no cursor to save. */
  readonly batch: (step: number) => TextBatch;
}

/**
 * Cuts a text into columns of equal length, side by side as a batch, and each column into pieces that follow one
 * another: step `s` reads tokens `[s · length, (s + 1) · length)` of every column, its targets are one token further. A
 * recurrent network carries its state from step to step. What is left over at the end of the text, fewer tokens than
 * there are columns, and at the end of a column is not read.
 *
 * @param ids At least `columns · (length + 1)`; kept, not copied.
 * @throws {TypeError | RangeError} when the text is too short, or an option is not as stated.
 */
export function textColumns(ids: Int32Array, options: TextColumnsOptions): TextColumns {
  const { columns, length } = options;
  expectInteger("textColumns: columns", columns, 1);
  expectInteger("textColumns: length", length, 1);
  const rows = Math.floor(ids.length / columns);
  if (rows < length + 1) {
    const least = `at least ${columns * (length + 1)} tokens for ${columns} columns of ${length} and their targets`;
    throw rangeMismatch("textColumns: ids", least, ids.length);
  }
  const stepsPerEpoch = Math.floor((rows - 1) / length);
  const cut = (from: number) => {
    const tokens = new Int32Array(columns * length);
    for (let column = 0; column < columns; column++) {
      const at = column * rows + from;
      tokens.set(ids.subarray(at, at + length), column * length);
    }
    return tokens;
  };
  return {
    stepsPerEpoch,
    batch: (step) => {
      expectInteger("textColumns: step", step, 0);
      const piece = step % stepsPerEpoch;
      return {
        inputs: cut(piece * length),
        targets: cut(piece * length + 1),
        shape: [columns, length],
        step,
        epoch: Math.floor(step / stepsPerEpoch),
        isFirst: piece === 0,
      };
    },
  };
}
