import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectNumbers } from "../expect-values.js";

/** Numbers over two axes, `[y][x]`: one channel of a picture, a kernel, a matrix. */
export type Plane = readonly (readonly number[])[];

/** Planes of one size, `[channel][y][x]`. */
export type Volume = readonly Plane[];

/** The weights of a convolutional layer, `[out][in][y][x]`: for every output channel, a kernel per input channel. */
export type Filters = readonly Volume[];

/** Height and width. */
export type Size = readonly [height: number, width: number];

export function sizeOf(plane: Plane): Size {
  return [plane.length, plane[0]!.length];
}

export function zeros([height, width]: Size): number[][] {
  return Array.from({ length: height }, () => new Array<number>(width).fill(0));
}

/** The plane with its rows as columns. */
export function transpose(plane: Plane): number[][] {
  expectPlane("transpose: plane", plane);
  return plane[0]!.map((_, x) => plane.map((row) => row[x]!));
}

/** Rows of one length, at least one number, all of them finite; of a given size where one is given. */
export function expectPlane(where: string, plane: Plane, size?: Size): void {
  if (!Array.isArray(plane) || plane.some((row) => !Array.isArray(row))) {
    throw typeMismatch(where, "rows of numbers", plane);
  }
  if (plane.length === 0) throw rangeMismatch(where, "at least one row", plane);
  if (size !== undefined && plane.length !== size[0]) throw rangeMismatch(where, `${size[0]} rows`, plane);
  for (const [y, row] of plane.entries()) {
    expectNumbers(`${where}[${y}]`, row, size?.[1] ?? (y === 0 ? undefined : plane[0]!.length));
  }
}

/** At least one plane, all of one size. */
export function expectVolume(where: string, volume: Volume, size?: Size): void {
  if (!Array.isArray(volume)) throw typeMismatch(where, "an array of planes", volume);
  if (volume.length === 0) throw rangeMismatch(where, "at least one plane", volume);
  for (const [c, plane] of volume.entries()) {
    expectPlane(`${where}[${c}]`, plane, size ?? (c === 0 ? undefined : sizeOf(volume[0]!)));
  }
}

/** At least one filter, all with as many kernels of one size. */
export function expectFilters(where: string, filters: Filters): void {
  if (!Array.isArray(filters)) throw typeMismatch(where, "an array of filters", filters);
  if (filters.length === 0) throw rangeMismatch(where, "at least one filter", filters);
  for (const [o, filter] of filters.entries()) {
    if (o === 0) {
      expectVolume(`${where}[0]`, filter);
      continue;
    }
    expectVolume(`${where}[${o}]`, filter, sizeOf(filters[0]![0]!));
    if (filter.length !== filters[0]!.length) {
      throw rangeMismatch(`${where}[${o}]`, `${filters[0]!.length} kernels like the first`, filter);
    }
  }
}
