import type { GrowingNetwork } from "@gradlab/figures";
import type { LayerRow } from "@gradlab/receptive-field";

/** How the field grows along a network: the layers that see more than all before them, without the short branches. */
export function growthOf(name: string, rows: readonly LayerRow[]): GrowingNetwork {
  let largest = 0;
  const layers = rows.flatMap((row) => {
    const size = row.size.at(-1) ?? null;
    if (size === null || size <= largest) return [];
    largest = size;
    return [{ name: row.name, size }];
  });
  return { name, layers };
}
