import type { ReceptiveField } from "@gradlab/receptive-field";

/** The pixels that reach a unit: the first and last along each axis, and how many there are. */
export interface Reached {
  readonly pixels: readonly (readonly [first: number, last: number] | null)[];
  /** Null where the unknown size of the input decides. */
  readonly contributing: number | null;
}

/** The pixels of the input that reach a unit, by the arithmetic; holes at the ends are left out. */
export function reached(field: ReceptiveField, layer: string, index: readonly number[]): Reached {
  const products = field.pixelsOf(layer, index);
  const pixels = index.map((_, axis): [number, number] | null => {
    const runs = products.flatMap(({ axes }) => axes[axis]!);
    if (runs.length === 0) return null;
    return [Math.min(...runs.map(([first]) => first)), Math.max(...runs.map(([, last]) => last))];
  });
  return { pixels, contributing: field.unit(layer, index).contributing };
}

/** Whether as many pixels lie between the same ends. */
export function sameReach(a: Reached, b: Reached): boolean {
  return a.contributing === b.contributing && JSON.stringify(a.pixels) === JSON.stringify(b.pixels);
}

/** `0…17 x 30…47, 324 pixels`. */
export function reachText({ pixels, contributing }: Reached): string {
  const ranges = pixels.map((range) => (range === null ? "none" : `${range[0]}…${range[1]}`));
  return `${ranges.join(" x ")}, ${contributing ?? "?"} pixels`;
}
