import { learningCurves } from "@gradlab/figures";
import { check, describeBackend } from "@gradlab/studies";
import { defineExperiment } from "../experiment.js";
import { trainXorByHand, xorOptimizers } from "./xor-network.js";

const steps = 40;
const compared = [1, 2, 5, 10, 20, 40];

/** What training stands on: every op's gradient, and three optimizers, on the backend in use. */
export const gradients = defineExperiment({
  id: "core/gradients",
  title: "Gradients and optimizers on this backend",
  about:
    "The ops that networks are made of, computed and differentiated by tensors, against plain loops in double precision " +
    "and their central differences: the largest error of the values, then of the gradient by each input, relative to " +
    "the largest number. Then a network of four sigmoid units learns exclusive or: its losses with three optimizers, against " +
    "the same training worked out by hand in double precision.",
  usesBackend: true,
  // biome-ignore lint/correctness/useYield: all at once
  async *run(_options, _inputs, { signal, openBackend }) {
    const { compareGradients } = await import("./compare-gradients.js");
    const { trainXor } = await import("./train-xor.js");
    const on = describeBackend(await openBackend());
    const comparisons = await compareGradients();
    const runs: { name: string; losses: number[]; known: number[] }[] = [];
    for (const optimizer of xorOptimizers) {
      const known = trainXorByHand(optimizer, steps);
      runs.push({ name: optimizer.name, losses: await trainXor(optimizer, steps, signal), known });
    }
    return { on, comparisons, runs };
  },
  checks: ({ comparisons, runs }) => {
    const at = (losses: readonly number[]) => compared.map((step) => losses[step - 1] ?? null);
    return [
      // Sums of up to 30 products, each rounded at 2^-24 of the largest.
      ...comparisons.map(({ name, errors }) =>
        check(
          name,
          errors.map(() => 0),
          errors,
          1e-5,
        ),
      ),
      // Every step adds a few roundings of 2^-24 to a loss of about 1.
      ...runs.map(({ name, losses, known }) =>
        check(`${name}: losses at steps ${compared.join(", ")}`, at(known), at(losses), 1e-4),
      ),
    ];
  },
  figures: ({ on, runs }, { document }) => [
    {
      svg: learningCurves(
        runs.map(({ name, losses }) => ({ name, points: losses.map((loss, i) => [i + 1, loss]) })),
        { document, timeLabel: "step", errorLabel: "loss" },
      ),
      caption: `Exclusive or, learned on ${on}. The double-precision curves lie under these.`,
    },
  ],
});
