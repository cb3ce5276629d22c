import type { Filters, Plane, Size, Volume } from "@gradlab/classic-cnns/by-hand";
import fc from "fast-check";
import { expect } from "vitest";

/** Numbers without a pattern that a wrong index could hide in, in [-1, 1]; the golden script has the same. */
export function wave(count: number, phase = 0): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(1.7 * i * i + 0.3 * i + phase));
}

/** Numbers in rows, planes and filters. */
export function shaped(numbers: readonly number[], [height, width]: Size): number[][] {
  return Array.from({ length: height }, (_, y) => numbers.slice(y * width, (y + 1) * width));
}

export function volumeOf(
  numbers: readonly number[],
  [channels, height, width]: readonly number[],
): number[][][] {
  const area = height! * width!;
  return Array.from({ length: channels! }, (_, c) =>
    shaped(numbers.slice(c * area, (c + 1) * area), [height!, width!]),
  );
}

export function filtersOf(numbers: readonly number[], [out, ...rest]: readonly number[]): number[][][][] {
  const size = rest.reduce((a, b) => a * b, 1);
  return Array.from({ length: out! }, (_, o) => volumeOf(numbers.slice(o * size, (o + 1) * size), rest));
}

/** 0, 1, 2, … in rows. */
export function counting([height, width]: Size): number[][] {
  return shaped(
    Array.from({ length: height * width }, (_, i) => i),
    [height, width],
  );
}

/** `x + 1`, number by number. */
export function plus(plane: Plane, value: number): number[][] {
  return plane.map((row) => row.map((one) => one + value));
}

/** Whole numbers, so that sums and products are exact and equality means equality. */
const integer = fc.integer({ min: -9, max: 9 });

export function planes(size: Size): fc.Arbitrary<number[][]> {
  return fc
    .array(integer, { minLength: size[0] * size[1], maxLength: size[0] * size[1] })
    .map((numbers) => shaped(numbers, size));
}

export function sizes(max: number, min = 1): fc.Arbitrary<[number, number]> {
  return fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));
}

export function volumes(channels: number, size: Size): fc.Arbitrary<number[][][]> {
  return fc.array(planes(size), { minLength: channels, maxLength: channels });
}

/** `⟨a, b⟩`, the sum of all products. */
export function dot(a: Volume | Plane, b: Volume | Plane): number {
  const [left, right] = [(a as Volume).flat(2), (b as Volume).flat(2)];
  expect(left.length).toBe(right.length);
  return left.reduce((sum, value, i) => sum + value * right[i]!, 0);
}

/** Every number within `tolerance`, in the same places. */
export function expectClose(
  got: Plane | Volume | Filters,
  expected: Plane | Volume | Filters,
  tolerance: number,
): void {
  const shape = (value: unknown): unknown => (Array.isArray(value) ? value.map(shape) : 0);
  expect(shape(got)).toEqual(shape(expected));
  const [a, b] = [got.flat(3) as number[], expected.flat(3) as number[]];
  const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  expect(worst).toBeLessThanOrEqual(tolerance);
}

/** A convolution of any kind whose windows fit: sizes, channels, groups and options. */
export interface Layer {
  readonly input: [number, number];
  readonly kernel: [number, number];
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly options: {
    stride: [number, number];
    dilation: [number, number];
    padding: [[number, number], [number, number]];
    groups: number;
  };
}

export const layers: fc.Arbitrary<Layer> = fc
  .record({
    input: sizes(6),
    kernel: sizes(3),
    perGroup: sizes(2),
    stride: sizes(3),
    dilation: sizes(2),
    padding: fc.tuple(sizes(2, 0), sizes(2, 0)),
    groups: fc.integer({ min: 1, max: 3 }),
  })
  .filter(({ input, kernel, dilation, padding }) =>
    [0, 1].every((a) => input[a]! + padding[a]![0]! + padding[a]![1]! > (kernel[a]! - 1) * dilation[a]!),
  )
  .map(({ input, kernel, perGroup, groups, ...options }) => ({
    input,
    kernel,
    inputChannels: perGroup[0] * groups,
    outputChannels: perGroup[1] * groups,
    options: { ...options, groups },
  }));

/** A layer with whole numbers in its input and its filters. */
export const layersWithNumbers: fc.Arbitrary<{ layer: Layer; x: number[][][]; filters: number[][][][] }> =
  layers.chain((layer) =>
    fc.record({
      layer: fc.constant(layer),
      x: volumes(layer.inputChannels, layer.input),
      filters: fc.array(volumes(layer.inputChannels / layer.options.groups, layer.kernel), {
        minLength: layer.outputChannels,
        maxLength: layer.outputChannels,
      }),
    }),
  );
