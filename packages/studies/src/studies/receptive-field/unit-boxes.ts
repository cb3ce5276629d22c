import type { UnitBox } from "@gradlab/figures";
import type { ReceptiveField, Unit } from "@gradlab/receptive-field";

/** The box of a unit of a network on images, or null where it sees nothing of one. */
export function unitBox(unit: Unit): UnitBox | null {
  const [y, x] = unit.axes;
  if (!y?.pixels || !x?.pixels) return null;
  return { name: unit.layer, y: y.pixels, x: x.pixels };
}

/** The middle unit of the layers, one for every size of field. */
export function middleUnits(field: ReceptiveField): (UnitBox | null)[] {
  const sizes = new Set<string>();
  return field.layers.flatMap(({ name, n, size }) => {
    const key = JSON.stringify(size);
    if (n.includes(null) || sizes.has(key)) return [];
    sizes.add(key);
    return [
      unitBox(
        field.unit(
          name,
          n.map((count) => Math.floor(count! / 2)),
        ),
      ),
    ];
  });
}
