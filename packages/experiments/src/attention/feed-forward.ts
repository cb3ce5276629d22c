import { matrixGrid } from "@gradlab/figures";
import { check, describeBackend } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";

/** The feed-forward part of a transformer is a stack of 1x1 convolutions. */
export const feedForward = defineExperiment({
  id: "attention/feed-forward",
  title: "Dense layers for every token are convolutions of one token",
  about:
    "A batch of 4, with 3 tokens of width 4, through three layers with a ReLU after each: once as dense layers, once as convolutions along the tokens with windows of one, " +
    "whose kernels [1, in, out] are the same weights. Outputs, and the gradients by tokens, weights and biases, are equal.",
  usesBackend: true,
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }, _inputs, { openBackend }) {
    const { feedForwardPair } = await import("./feed-forward-pair.js");
    const on = describeBackend(await openBackend());
    return { on, ...(await feedForwardPair(seed)) };
  },
  checks: ({ compared }) => [
    // Sums of at most 12 products, in another order: a few roundings of 2^-24 of the largest.
    check(
      "output, gradients by six tensors and by the tokens: largest difference, of the largest number",
      compared.map(() => 0),
      compared.map(({ largest, difference }) => (largest > 0 ? difference / largest : null)),
      1e-6,
    ),
  ],
  figures: ({ on, outputs }, { document }) => [
    {
      svg: matrixGrid(
        (["dense", "convolution"] as const).map((label) => ({
          label,
          rows: outputs[label].map((row) => row.map((value) => Number(value.toFixed(2)))),
        })),
        { document, cell: 44 },
      ),
      caption: `What three tokens become by dense layers, and by convolutions of the same weights, on ${on}.`,
    },
  ],
});
