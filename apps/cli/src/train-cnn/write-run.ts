import { join } from "node:path";
import { type NetworkState, summary } from "@gradlab/classic-cnns";
import { confusionMatrix, type LinePanel, linePanels, svgText } from "@gradlab/figures";
import type { LayerGraph } from "@gradlab/receptive-field";
import type { Figure } from "../experiments/experiment.js";
import { writeOutputs } from "../files.js";
import { figureDocument } from "../pictures.js";
import { trainingHtml } from "../report/training-html.js";
import { activationTable } from "./activation-table.js";
import type { EpochRecord } from "./checkpoint.js";
import { glassBox } from "./glass-box.js";
import type { ImageData } from "./image-data.js";
import type { RunResult } from "./run-result.js";

export interface FinishedRun {
  readonly graph: LayerGraph;
  readonly state: NetworkState;
  readonly data: ImageData;
}

/** Writes the result, its figures and a page with all of them into a folder; returns the names of the files. */
export async function writeRun(
  folder: string,
  result: RunResult,
  run: FinishedRun,
): Promise<readonly string[]> {
  const figures = await drawRun(result, run);
  const files: [name: string, content: string][] = [
    ["result.json", `${JSON.stringify(result, null, 2)}\n`],
    ...figures.map(({ name, svg }): [string, string] => [name, svgText(svg)]),
    ["index.html", trainingHtml(result, figures, summary(run.graph))],
  ];
  const paths = files.map(([name, content]) => [join(folder, name), content] as const);
  await writeOutputs(paths);
  return paths.map(([path]) => path);
}

type NamedFigure = Figure & { readonly name: string };

async function drawRun(result: RunResult, { graph, state, data }: FinishedRun): Promise<NamedFigure[]> {
  const document = await figureDocument();
  const { labels } = data;
  const dataset = data.test ?? data.validation ?? data.train;
  const judged = result.test ?? result.validation ?? result.training;
  const activations = await activationTable(graph, state, {
    dataset,
    labels,
    seed: result.seed,
    document,
  });
  return [
    {
      name: "curves.svg",
      caption: "Loss and accuracy by epoch; the loss of the training images is the mean over its steps.",
      svg: linePanels(curves(result.epochs, data), { document }),
    },
    {
      name: "confusion.svg",
      caption: "What was taken for what.",
      svg: confusionMatrix({ labels, counts: judged.confusion }, { document }),
    },
    {
      name: "histograms.svg",
      caption: `Activations, weights and their gradients on ${result.inspection.images} images; heights are square roots. A unit is dead when it is positive on none of them.`,
      svg: glassBox(result.inspection, document),
    },
    {
      name: "activations.svg",
      caption:
        "What layers make of two images and of noise: a tile per channel, blue above zero, orange below, one scale in a row.",
      svg: activations,
    },
  ];
}

function curves(epochs: readonly EpochRecord[], data: ImageData): LinePanel[] {
  const watched = data.validation === null ? "test" : "validation";
  const series = (name: string, value: (epoch: EpochRecord) => number | null) => {
    const points = epochs.flatMap((epoch) => {
      const y = value(epoch);
      return y === null ? [] : [[epoch.epoch, y] as const];
    });
    return points.length === 0 ? [] : [{ name, points }];
  };
  const accuracy = series(watched, ({ validationAccuracy }) => validationAccuracy);
  return [
    {
      title: "loss",
      series: [
        ...series("training", ({ loss }) => loss),
        ...series(watched, ({ validationLoss }) => validationLoss),
      ],
    },
    ...(accuracy.length === 0 ? [] : [{ title: "accuracy", series: accuracy, domain: [0, 1] as const }]),
  ];
}
