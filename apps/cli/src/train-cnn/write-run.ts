import { join } from "node:path";
import type { NetworkState } from "@gradlab/classic-cnns";
import { confusionMatrix, type LinePanel, linePanels, svgText } from "@gradlab/figures";
import type { LayerGraph } from "@gradlab/receptive-field";
import { writeOutputs } from "../files.js";
import { figureDocument } from "../pictures.js";
import type { EpochRecord } from "./checkpoint.js";
import type { ImageData } from "./image-data.js";
import type { RunResult } from "./train-run.js";

export interface FinishedRun {
  readonly graph: LayerGraph;
  readonly state: NetworkState;
  readonly data: ImageData;
}

/** Writes the result and its figures into a folder; returns the names of the files. */
export async function writeRun(
  folder: string,
  result: RunResult,
  { data }: FinishedRun,
): Promise<readonly string[]> {
  const document = await figureDocument();
  const judged = result.test ?? result.validation ?? result.training;
  const files: [name: string, content: string][] = [
    ["result.json", `${JSON.stringify(result, null, 2)}\n`],
    ["curves.svg", svgText(linePanels(curves(result.epochs, data), { document }))],
    [
      "confusion.svg",
      svgText(confusionMatrix({ labels: data.labels, counts: judged.confusion }, { document })),
    ],
  ];
  await writeOutputs(files.map(([name, content]) => [join(folder, name), content]));
  return files.map(([name]) => join(folder, name));
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
