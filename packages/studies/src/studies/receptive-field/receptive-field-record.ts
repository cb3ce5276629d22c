import type { UnitBox } from "@gradlab/figures";
import type { LayerRow, Misalignment, Origin, Unit, UnitsSeeing } from "@gradlab/receptive-field";
import type { Picture } from "../../declaration/option.js";
import type { MeasuredUnit } from "./measure-unit.js";

export type Seeing = Pick<UnitsSeeing, "layer" | "axes" | "count">;

export interface ReceptiveFieldRecord {
  readonly network: string;
  readonly origin: Origin;
  readonly inputSize: readonly (number | null)[];
  readonly layers: readonly LayerRow[];
  readonly misalignments: readonly Misalignment[];
  readonly unit?: Unit;
  readonly measured?: MeasuredUnit;
  readonly pixel?: { readonly index: readonly number[]; readonly seenBy: readonly Seeing[] };
  /** What the boxes are drawn over, there where a picture was given. */
  readonly beside?: { readonly picture: Picture; readonly boxes: readonly UnitBox[] };
}
