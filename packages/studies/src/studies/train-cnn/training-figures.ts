import type { ActivationMap, Histogram } from "@gradlab/classic-cnns";
import {
  confusionMatrix,
  type ImageTableRow,
  imageSource,
  imageTable,
  type LayerHistogramRow,
  type LinePanel,
  layerHistograms,
  linePanels,
} from "@gradlab/figures";
import type { Figure } from "../../declaration/study.js";
import type { EpochRecord } from "../../networks/checkpoint.js";
import { mapPicture } from "../../networks/map-picture.js";
import type { Inspection, TrainCnnRecord } from "./train-cnn-record.js";

/** Learning curves, confusion, histograms by layer, and what layers make of images. */
export function trainingFigures(
  record: TrainCnnRecord,
  { document }: { readonly document: Document },
): Figure[] {
  const { inspection, beside, data } = record;
  const judged = record.test ?? record.validation ?? record.training;
  const inputs = { label: "input", images: beside.looks.inputs.map(imageSource) };
  return [
    {
      name: "curves",
      caption: "Loss and accuracy by epoch; the loss of the training images is the mean over its steps.",
      svg: linePanels(curves(record), { document }),
    },
    {
      name: "confusion",
      caption: "What was taken for what.",
      svg: confusionMatrix({ labels: data.labels, counts: judged.confusion }, { document }),
    },
    {
      name: "histograms",
      caption: `Activations, weights and their gradients on ${inspection.images} images; heights are square roots. A unit is dead when it is positive on none of them.`,
      svg: glassBox(inspection, document),
    },
    {
      name: "activations",
      caption:
        "What layers make of two images and of noise: a tile per channel, blue above zero, orange below, one scale in a row.",
      svg: imageTable(beside.looks.columns, [inputs, ...rowsOf(beside.looks.maps)], { document }),
    },
  ];
}

function curves({ epochs, data }: TrainCnnRecord): LinePanel[] {
  const watched = data.validation === 0 ? "test" : "validation";
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

/**
 * How activations, weights and gradients are distributed, layer by layer: those with a kernel, and the ReLUs with the
 * count of what is dead in them.
 */
function glassBox(
  { activations, weights, gradients, deadUnits }: Inspection,
  document: Document,
): SVGSVGElement {
  const rows = activations.flatMap(({ layer, histogram }): LayerHistogramRow[] => {
    const kernel = weights.find(({ path }) => path === `${layer}.kernel`);
    const gradient = gradients.find(({ path }) => path === `${layer}.kernel`);
    const relu = deadUnits.find((unit) => unit.layer === layer);
    if (kernel === undefined && relu === undefined) return [];
    return [
      {
        name: layer,
        histograms: [histogram, kernel?.histogram, gradient?.histogram].map(drawable),
        ...(relu && { note: `${relu.dead} of ${relu.of} dead` }),
      },
    ];
  });
  return layerHistograms(["activations", "weights", "gradients"], rows, { document });
}

/** As the figure takes it; null where no number is finite. */
function drawable(histogram: Histogram | undefined) {
  if (histogram === undefined || histogram.min === null || histogram.max === null) return null;
  return { min: histogram.min, max: histogram.max, bins: histogram.bins };
}

function rowsOf(maps: readonly ActivationMap[]): ImageTableRow[] {
  const rows: ImageTableRow[] = [];
  for (const layer of new Set(maps.map((map) => map.layer))) {
    const own = maps.filter((map) => map.layer === layer);
    const scale = own.reduce((top, { values }) => values.reduce((a, b) => Math.max(a, Math.abs(b)), top), 0);
    rows.push({ label: layer, images: own.map((map) => imageSource(mapPicture(map, scale || 1))) });
  }
  return rows;
}
