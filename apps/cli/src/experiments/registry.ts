import { type Experiment, experiments as moved } from "@gradlab/experiments";
import { openLaboratory } from "../laboratory.js";
import { figureDocument } from "../pictures.js";
import { bordersAndPools } from "./classic-cnns/borders-and-pools.js";
import { convolutionMatrix } from "./classic-cnns/convolution-matrix.js";
import { filterByHand } from "./classic-cnns/filter-by-hand.js";
import { kernels } from "./classic-cnns/kernels.js";
import { learnedKernel } from "./classic-cnns/learned-kernel.js";
import { lenetTraining } from "./classic-cnns/lenet-training.js";
import { tables } from "./classic-cnns/tables.js";
import { torchvisionLogits } from "./classic-cnns/torchvision-logits.js";
import { zeroWeights } from "./classic-cnns/zero-weights.js";
import { gradients } from "./core/gradients.js";
import type { Experiment as OldExperiment, Outcome } from "./experiment.js";

/** An experiment that still draws while it computes, in the form of the others. */
function bridge(old: OldExperiment): Experiment<Outcome> {
  const { id, title, about, usesBackend } = old;
  return {
    id,
    title,
    about,
    ...(usesBackend && { usesBackend }),
    async *run({ seed }, { data }, { signal, openBackend }) {
      const warnings: string[] = [];
      const laboratory = openLaboratory({
        seed,
        document: await figureDocument(),
        signal,
        backend: usesBackend ? await openBackend() : null,
        data: data?.label,
        warn: (warning) => warnings.push(warning),
      });
      const outcome = await old.run(laboratory);
      for (const text of warnings) yield { kind: "warning", text };
      return outcome;
    },
    checks: ({ checks }) => checks,
    figures: ({ figures }) => figures,
  };
}

/** Every experiment, in the order of the report. */
export const experiments: readonly Experiment[] = [
  ...moved.slice(0, 4),
  ...[
    gradients,
    filterByHand,
    bordersAndPools,
    kernels,
    learnedKernel,
    convolutionMatrix,
    tables,
    torchvisionLogits,
    zeroWeights,
    lenetTraining,
  ].map(bridge),
  ...moved.slice(4),
];
