import { disposeParams, flattenParams } from "@gradlab/core";
import { corpusOf, generateText, textColumns } from "@gradlab/datasets";
import { bpttGradients, initLanguageModelState, type LanguageModelParams } from "@gradlab/rnn-lm";
import { tensor2d } from "@tensorflow/tfjs-core";

/** What a truncated gradient costs, beside the full one. */
export interface TruncationCost {
  /** Steps that the gradient goes back. */
  readonly length: number;
  readonly loss: number;
  /** Held for the way back, in bytes. */
  readonly heldBytes: number;
  /** `|g − full| / |full|`, of the recurrent weights and of the output layer. */
  readonly ofRecurrent: number;
  readonly ofOutput: number;
}

/** Gradients of one text of 24 words in 8 columns, truncated to every divisor of 24. */
export async function truncationCosts(seed: number): Promise<TruncationCost[]> {
  const { dictionary, ids } = corpusOf(generateText({ tokens: 1000, seed }));
  const spec = { cell: "lstm", vocabulary: dictionary.tokens.length, embedding: 8, hidden: 16 } as const;
  const { inputs, targets, shape } = textColumns(ids, { columns: 8, length: 24 }).batch(0);
  const state = initLanguageModelState(spec, { seed, batch: 8 });
  const tokens = {
    inputs: tensor2d(inputs, [...shape], "int32"),
    targets: tensor2d(targets, [...shape], "int32"),
  };
  try {
    const found = [];
    for (const length of [1, 2, 3, 4, 6, 8, 12, 24]) {
      const { loss, gradients, heldBytes } = await bpttGradients(spec, state, tokens, { length });
      found.push({ length, loss, heldBytes, numbers: await read(gradients) });
      disposeParams(gradients);
    }
    const full = found.at(-1)!.numbers;
    const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
      Math.hypot(...Array.from(a, (value, i) => value - b[i]!)) / Math.hypot(...Array.from(b));
    return found.map(({ length, loss, heldBytes, numbers }) => ({
      length,
      loss,
      heldBytes,
      ofRecurrent: distance(numbers.recurrent, full.recurrent),
      ofOutput: distance(numbers.kernel, full.kernel),
    }));
  } finally {
    disposeParams(state);
    for (const tensor of Object.values(tokens)) tensor.dispose();
  }
}

async function read(gradients: LanguageModelParams) {
  const all = new Map(flattenParams(gradients));
  const [recurrent, kernel] = await Promise.all(
    ["layers.0.recurrent", "kernel"].map((path) => all.get(path)!.data()),
  );
  return { recurrent: recurrent!, kernel: kernel! };
}
