import type { PerAxis } from "@gradlab/receptive-field";
import { type Dim, type Feature, isAxis, isChannels, type Refuse, showDims } from "./dims.js";

/** The dimensions that a window slides along, and the axis of the graph for each of them. */
export interface WindowPlaces {
  readonly feature: Feature;
  readonly places: readonly number[];
  /** Null for a further dimension of size 1 (a 1-D network written with 2-D windows). */
  readonly axes: readonly (number | null)[];
  readonly channelPlace: number;
}

/** Finds the dimensions of a window of `rank` axes; refuses tensors of another layout. */
export function windowPlaces(
  feature: Feature,
  rank: number,
  channelsFirst: boolean,
  refuse: Refuse,
): WindowPlaces {
  const { dims } = feature;
  const channelPlace = channelsFirst ? 1 : rank + 1;
  const places = Array.from({ length: rank }, (_, i) => i + (channelsFirst ? 2 : 1));
  const fits =
    dims.length === rank + 2 &&
    dims[0] === "batch" &&
    isChannels(dims[channelPlace]) &&
    places.every((place) => isAxis(dims[place]) || dims[place] === "one");
  if (!fits) {
    const layout = channelsFirst ? "[batch, channels, positions]" : "[batch, positions, channels]";
    refuse(`an input ${layout} with ${rank} dimensions of positions`, showDims(feature));
  }
  // Dimensions of size 1 stand for the axes that were pooled away, in order.
  const present = new Set(dims.filter(isAxis).map(({ axis }) => axis));
  const absent = feature.size.map((_, axis) => axis).filter((axis) => !present.has(axis));
  const ones = dims.filter((dim, place) => dim === "one" && places.includes(place)).length;
  if (absent.length > ones) refuse(`positions along ${feature.size.length} axes`, showDims(feature));
  const axes = places.map((place) => {
    const dim = dims[place]!;
    return isAxis(dim) ? dim.axis : (absent.shift() ?? null);
  });
  return { feature, places, axes, channelPlace };
}

/** Values per window dimension, brought into the order of the graph's axes. */
export function alongAxes<T>(window: WindowPlaces, values: readonly T[]): T[] {
  return window.feature.size.map((_, axis) => values[window.axes.indexOf(axis)]!);
}

/** One number where all axes have the same. */
export function compact(values: readonly number[]): PerAxis<number> {
  return values.every((value) => value === values[0]) ? values[0]! : values;
}

/** The dimensions after a window: its axes exist again, the channels may be others. */
export function windowDims(window: WindowPlaces, channels: number | null): Dim[] {
  return window.feature.dims.map((dim, place): Dim => {
    if (place === window.channelPlace) return { channels };
    const axis = window.axes[window.places.indexOf(place)] ?? null;
    return axis === null ? dim : { axis };
  });
}
