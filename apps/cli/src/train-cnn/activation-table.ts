import { type ActivationMap, inspectNetwork, type NetworkState } from "@gradlab/classic-cnns";
import { type Dataset, takeBatch } from "@gradlab/datasets";
import { type ImageSource, type ImageTableRow, imageTable } from "@gradlab/figures";
import { fillUniform, randomStream } from "@gradlab/random";
import type { LayerGraph } from "@gradlab/receptive-field";
import { tensor4d } from "@tensorflow/tfjs-core";
import { embedPicture } from "../pictures.js";

/** How many layers and channels are shown. */
const most = { layers: 6, channels: 16, units: 64 };

/**
 * What the layers of a network make of an image of one class, of one of another class and of pure noise, beside each
 * other: orange below zero, white at zero, blue above, on one scale in a row.
 */
export async function activationTable(
  graph: LayerGraph,
  state: NetworkState,
  { dataset, labels, seed, document }: ActivationTableOptions,
): Promise<SVGSVGElement> {
  const places = oneOfEachOfTwoClasses(dataset);
  const size = dataset.shape.reduce((a, b) => a * b);
  const noise = fillUniform(
    randomStream({ seed, purpose: "gradlab/train-cnn/noise" }),
    new Float32Array(size),
  );
  const images = [...[...takeBatch(dataset, places).images], ...noise];
  const count = places.length + 1;
  const x = tensor4d(images, [count, ...dataset.shape]);
  try {
    const { maps } = await inspectNetwork(graph, state, x, {
      mapLayers: layersToShow(graph),
      mapChannels: most.units,
    });
    const input: ImageTableRow = {
      label: "input",
      images: await Promise.all(
        Array.from({ length: count }, (_, i) => inputPicture(images.slice(i * size), dataset.shape)),
      ),
    };
    const columns = [...places.map((place) => labels[dataset.labels[place]!]!), "noise"];
    return imageTable(columns, [input, ...(await rowsOf(maps))], { document });
  } finally {
    x.dispose();
  }
}

export interface ActivationTableOptions {
  readonly dataset: Dataset;
  /** Names of the classes. */
  readonly labels: readonly string[];
  /** Of the noise. */
  readonly seed: number;
  readonly document: Document;
}

/** The first image, and the first of another class; one place where there is but one class. */
function oneOfEachOfTwoClasses({ labels }: Dataset): number[] {
  const other = labels.findIndex((label) => label !== labels[0]);
  return other < 0 ? [0] : [0, other];
}

/** What comes out of nonlinearities, evenly over the depth, and the logits. */
function layersToShow({ layers }: LayerGraph): string[] {
  const bent = layers.filter(
    (layer) => layer.op === "pointwise" && ["relu", "relu6", "sigmoid"].includes(layer.fn ?? ""),
  );
  const n = Math.min(bent.length, most.layers);
  const chosen = Array.from({ length: n }, (_, i) => bent[Math.floor((i * bent.length) / n)]!.name);
  return [...new Set([...chosen, layers.at(-1)!.name])];
}

async function rowsOf(maps: readonly ActivationMap[]): Promise<ImageTableRow[]> {
  const rows: ImageTableRow[] = [];
  for (const layer of new Set(maps.map((map) => map.layer))) {
    const own = maps.filter((map) => map.layer === layer);
    const scale = own.reduce((top, { values }) => values.reduce((a, b) => Math.max(a, Math.abs(b)), top), 0);
    rows.push({ label: layer, images: await Promise.all(own.map((map) => mapPicture(map, scale || 1))) });
  }
  return rows;
}

/** The channels of a map as tiles of one picture; small ones enlarged, so that the lines between them stay thin. */
function mapPicture({ shape, values }: ActivationMap, scale: number): Promise<ImageSource> {
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
  return embedPicture({ width: across, height: down, data }, "png");
}

/** White at 0, blue at 1, orange at -1. */
function signed(value: number): readonly [number, number, number] {
  const [r, g, b] = value < 0 ? [232, 135, 30] : [44, 82, 178];
  const share = Math.min(1, Math.abs(value));
  const mix = (end: number) => Math.round(255 + share * (end - 255));
  return [mix(r!), mix(g!), mix(b!)];
}

/** An image of numbers from 0 to 1, one channel as grey; of more than three channels the first. */
function inputPicture(
  values: readonly number[],
  [height, width, channels]: Dataset["shape"],
): Promise<ImageSource> {
  const data = new Uint8Array(height * width * 3);
  for (let at = 0; at < height * width; at++) {
    for (let color = 0; color < 3; color++) {
      const channel = channels === 3 ? color : 0;
      data[3 * at + color] = Math.round(255 * values[at * channels + channel]!);
    }
  }
  return embedPicture({ width, height, data }, "png");
}
