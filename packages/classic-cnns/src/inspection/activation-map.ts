import { expectInteger } from "../expect-values.js";
import type { LayerFact } from "../layer-facts.js";

export interface MapOptions {
  /** The layers whose maps are wanted; none unless given. */
  readonly mapLayers?: readonly string[];
  /** The images whose maps are wanted, as places in the batch; all unless given. */
  readonly mapImages?: readonly number[];
  /** How many channels of each map, from the first; 16 unless given. */
  readonly mapChannels?: number;
}

/** What some channels of a layer give out for one image. */
export interface ActivationMap {
  readonly layer: string;
  /** The place of the image in the batch. */
  readonly image: number;
  /** `[channels, height, width]`; units are channels of one position. */
  readonly shape: readonly [channels: number, height: number, width: number];
  /** Channel by channel, row by row. */
  readonly values: Float32Array;
}

export interface WantedMaps {
  readonly layers: ReadonlySet<string>;
  readonly images: readonly number[];
  readonly channels: number;
}

/**
 * What of the maps is asked for, checked.
 *
 * @throws {RangeError} when a layer, an image or the number of channels is out of range.
 */
export function wantedMaps(
  caller: string,
  facts: readonly LayerFact[],
  count: number,
  { mapLayers = [], mapImages, mapChannels = 16 }: MapOptions,
): WantedMaps {
  const names = new Set(facts.map(({ layer }) => layer.name));
  for (const name of mapLayers) {
    if (names.has(name)) continue;
    throw new RangeError(`${caller}: mapLayers: expected layers of the graph, got ${JSON.stringify(name)}`);
  }
  const images = mapImages ?? Array.from({ length: count }, (_, image) => image);
  for (const image of images) {
    if (Number.isSafeInteger(image) && image >= 0 && image < count) continue;
    throw new RangeError(`${caller}: mapImages: expected integers in [0, ${count}), got ${image}`);
  }
  expectInteger(`${caller}: mapChannels`, mapChannels, 1);
  return { layers: new Set(mapLayers), images, channels: mapChannels };
}

/** The map of one layer for one image, channels first; `values` has the channels last. */
export function mapOf(
  { layer, outputShape }: LayerFact,
  values: Float32Array,
  image: number,
  most: number,
): ActivationMap {
  const [channels, height = 1, width = 1] = outputShape as [number, number?, number?];
  const shown = Math.min(channels, most);
  const area = height * width;
  const map = new Float32Array(shown * area);
  for (let channel = 0; channel < shown; channel++) {
    for (let at = 0; at < area; at++) {
      map[channel * area + at] = values[(image * area + at) * channels + channel]!;
    }
  }
  return { layer: layer.name, image, shape: [shown, height, width], values: map };
}
