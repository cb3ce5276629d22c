import { linePanels, unrolledGraph } from "@gradlab/figures";
import { check, describeBackend, type StudyEvent } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import type { TruncationCost } from "./truncation-costs.js";

/** What cutting the gradient saves and what it loses. */
export const truncation = defineExperiment({
  id: "rnn-lm/truncation",
  title: "Cutting the gradient between pieces saves memory and changes the gradient, not the loss",
  about:
    "An LSTM reads a text of 24 words in 8 columns, and the gradient of its loss goes back through all steps, or through pieces of 1 to 12 " +
    "steps: the state goes on from piece to piece, the gradient does not. The loss is the same every time, and so is the gradient of the " +
    "output layer, which sees nothing but the states; that of the recurrent weights is another one. What has to be held for the way back is " +
    "that of one piece. With the whole length it is the full gradient to the bit.",
  usesBackend: true,
  // biome-ignore lint/correctness/useYield: all at once
  async *run({ seed }, _, { openBackend }): AsyncGenerator<StudyEvent, Truncation> {
    const backend = await openBackend();
    const { truncationCosts } = await import("./truncation-costs.js");
    return { on: describeBackend(backend), costs: await truncationCosts(seed) };
  },
  checks: ({ costs }) => {
    const full = costs.at(-1)!;
    const of = (length: number) => costs.find((one) => one.length === length)!;
    return [
      // Single precision, sums of 192 losses in another order.
      check("loss in pieces of 1, less that of the whole", 0, of(1).loss - full.loss, 2e-6),
      check("gradient of the output layer in pieces of 1, relative difference", 0, of(1).ofOutput, 1e-5),
      check("gradient of the recurrent weights in one piece, relative difference", 0, full.ofRecurrent),
      // Beside the steps the weights' own share: a piece of a quarter holds a quarter of the rest.
      check("bytes held in pieces of 6, in those of the whole", 0.25, of(6).heldBytes / full.heldBytes, 0.1),
      check("longer pieces whose gradient of U is nearer to the full one, of 7", 7, nearer(costs)),
    ];
  },
  figures: ({ on, costs }, { document }) => {
    const points = (value: (cost: TruncationCost) => number) =>
      costs.map((cost) => [cost.length, value(cost)] as const);
    return [
      {
        svg: unrolledGraph({ document, steps: 12, length: 4 }),
        caption:
          "Twelve steps in pieces of four. Forward the state follows all arrows; the gradient does not go back over the red ones.",
      },
      {
        svg: linePanels(
          [
            {
              title: "kB held for the way back",
              series: [{ name: "LSTM", points: points(({ heldBytes }) => heldBytes / 1000) }],
            },
            {
              title: "relative error of the gradient of U",
              series: [{ name: "LSTM", points: points(({ ofRecurrent }) => ofRecurrent) }],
            },
          ],
          { document, xLabel: "steps that the gradient goes back" },
        ),
        caption: `On ${on}: what a longer way back costs, and what it brings.`,
      },
    ];
  },
});

function nearer(costs: readonly TruncationCost[]): number {
  return costs.filter((one, i) => i > 0 && one.ofRecurrent < costs[i - 1]!.ofRecurrent).length;
}

interface Truncation {
  readonly on: string;
  readonly costs: readonly TruncationCost[];
}
