import type { ActivationMap } from "@gradlab/classic-cnns";
import type { Picture } from "../declaration/option.js";

/** How many channels of a map are shown, how many units of a layer without places, how many places along a side. */
const most = { channels: 16, units: 64, side: 64 };

/**
 * The channels of a map as tiles of one picture, blue above zero and orange below; small ones enlarged, so that the
 * lines between them stay thin, large ones as means of squares, as they would be seen that small anyway.
 *
 * @param scale What is as blue or orange as can be.
 */
export function mapPicture(map: ActivationMap, scale: number): Picture {
  const { shape, values } = shrunk(map);
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

/** Means of squares of places, so that no side has more than can be shown. */
function shrunk({ shape, values }: ActivationMap): Pick<ActivationMap, "shape" | "values"> {
  const [channels, height, width] = shape;
  const factor = Math.ceil(Math.max(height, width) / most.side);
  if (factor === 1) return { shape, values };
  const [down, across] = [Math.ceil(height / factor), Math.ceil(width / factor)];
  const means = new Float32Array(channels * down * across);
  const counts = new Float32Array(down * across);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = Math.floor(y / factor) * across + Math.floor(x / factor);
      counts[to]!++;
      for (let channel = 0; channel < channels; channel++) {
        means[channel * down * across + to]! += values[(channel * height + y) * width + x]!;
      }
    }
  }
  for (let i = 0; i < means.length; i++) means[i]! /= counts[i % counts.length]!;
  return { shape: [channels, down, across], values: means };
}

/** White at 0, blue at 1, orange at -1. */
function signed(value: number): readonly [number, number, number] {
  const [r, g, b] = value < 0 ? [232, 135, 30] : [44, 82, 178];
  const share = Math.min(1, Math.abs(value));
  const mix = (end: number) => Math.round(255 + share * (end - 255));
  return [mix(r!), mix(g!), mix(b!)];
}
