import { effectiveFieldOverImage, fieldGrowth, imageSource, unitsOverImage } from "@gradlab/figures";
import type { Figure } from "../../declaration/study.js";
import { StudyError } from "../../declaration/study-error.js";
import { growthOf } from "./growth-of.js";
import type { ReceptiveFieldRecord } from "./receptive-field-record.js";

/**
 * How much every pixel moves the unit, when that was measured; else boxes over the picture when there is one: of the
 * unit asked for, or of the middle unit of every layer; else how the field grows.
 */
export function fieldFigure(record: ReceptiveFieldRecord, document: Document): Figure {
  const { network, inputSize, layers, unit, beside } = record;
  const effective = record.measured?.effective ?? null;
  const [height, width] = inputSize as [number, number];
  const photograph = beside && { href: imageSource(beside.picture).href, width, height };
  if (effective !== null) {
    return {
      name: "effective-field",
      caption: "How much every pixel moves the unit; the squares hold shares of that.",
      svg: effectiveFieldOverImage(
        { field: effective, ...(photograph && { image: photograph }) },
        { document },
      ),
    };
  }
  if (beside === undefined || photograph === undefined) {
    if (unit !== undefined) {
      throw new StudyError("usage", "{unit}: expected {image} beside it to draw the unit on, got none");
    }
    return {
      name: "field-growth",
      caption: "The receptive field by layer, of those that widen it.",
      svg: fieldGrowth([growthOf(network, layers)], { document, depthLabel: "layers that widen the field" }),
    };
  }
  if (beside.boxes.length === 0) throw new StudyError("input", "no unit sees anything of the picture");
  return {
    name: "units",
    caption: "What units see of the picture.",
    svg: unitsOverImage({ image: photograph, units: beside.boxes }, { document }),
  };
}
