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
import type { Picture } from "../../declaration/option.js";
import type { Figure } from "../../declaration/study.js";
import type { EpochRecord } from "../../networks/checkpoint.js";
import type { Inspection, TrainCnnRecord } from "./train-cnn-record.js";

/** How many channels of a map are shown, and how many units of a layer without places. */
const most = { channels: 16, units: 64 };

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

/** The channels of a map as tiles of one picture; small ones enlarged, so that the lines between them stay thin. */
function mapPicture({ shape, values }: ActivationMap, scale: number): Picture {
  const [channels, height, width] = shape;
  const flat = height * width === 1;
  const shown = Math.min(channels, flat ? most.units : most.channels);
  const columns = flat ? Math.min(16, shown) : Math.ceil(Math.sqrt(shown));
  const rows = Math.ceil(shown / columns);
  const gap = flat ? 0 : 1;
  const zoom = flat ? 1 : Math.ceil(24 / Math.max(height, width));
  const [tall, wide] = [height * zoom, width * zoom];
  const across = columns * (wide + gap) - gap;
  const down = rows * (tall + gap) - gap;
  const data = new Uint8Array(across * down * 3).fill(170);
  for (let channel = 0; channel < shown; channel++) {
    const top = Math.floor(channel / columns) * (tall + gap);
    const left = (channel % columns) * (wide + gap);
    for (let y = 0; y < tall; y++) {
      for (let x = 0; x < wide; x++) {
        const at = (channel * height + Math.floor(y / zoom)) * width + Math.floor(x / zoom);
        data.set(signed(values[at]! / scale), 3 * ((top + y) * across + left + x));
      }
    }
  }
  return { width: across, height: down, data };
}

/** White at 0, blue at 1, orange at -1. */
function signed(value: number): readonly [number, number, number] {
  const [r, g, b] = value < 0 ? [232, 135, 30] : [44, 82, 178];
  const share = Math.min(1, Math.abs(value));
  const mix = (end: number) => Math.round(255 + share * (end - 255));
  return [mix(r!), mix(g!), mix(b!)];
}
