import { drawOn, frame, round, seriesColor } from "./svg-element.js";

export interface UnitReach {
  /** Index of the unit. */
  readonly unit: number;
  /** The pixels that contribute, as runs of first and last index. */
  readonly runs: readonly (readonly [first: number, last: number])[];
}

export interface ReachDiagramOptions {
  readonly document: Document;
  readonly width?: number;
}

/**
 * What neighbouring units see along one axis: a row per unit, a cell per
 * pixel, holes left open, padding left of pixel 0 hatched.
 *
 * @param units In the order in which the rows stand.
 * @throws {RangeError} when no unit sees anything.
 */
export function reachDiagram(
  units: readonly UnitReach[],
  { document, width = 640 }: ReachDiagramOptions,
): SVGSVGElement {
  const ends = units.flatMap(({ runs }) => runs.flat());
  if (ends.length === 0)
    throw new RangeError("reachDiagram: units: expected one that sees something, got none");
  const draw = drawOn(document);
  const first = Math.min(0, ...ends);
  const last = Math.max(...ends);
  const left = 62;
  const cell = Math.min(26, (width - left - 8) / (last - first + 1));
  const rowHeight = 24;
  const top = 26;
  const x = (pixel: number) => round(left + (pixel - first) * cell);
  const every = cell < 18 ? 4 : 1;
  const pixels = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  return frame(
    draw,
    {
      width: round(left + pixels.length * cell + 8),
      height: top + units.length * rowHeight + 6,
      label: `Pixels that contribute to units ${units.map(({ unit }) => unit).join(", ")}`,
    },
    ...pixels
      .filter((pixel) => pixel % every === 0)
      .map((pixel) =>
        draw(
          "text",
          {
            x: round(x(pixel) + cell / 2),
            y: 14,
            "text-anchor": "middle",
            "font-size": 10,
            "fill-opacity": pixel < 0 ? 0.4 : 0.7,
          },
          `${pixel}`,
        ),
      ),
    ...units.flatMap(({ unit, runs }, row) => {
      const y = top + row * rowHeight;
      const low = Math.min(...runs.map(([lo]) => lo));
      const high = Math.max(...runs.map(([, hi]) => hi));
      const seen = (pixel: number) => runs.some(([lo, hi]) => pixel >= lo && pixel <= hi);
      return [
        draw("text", { x: left - 10, y: y + 14, "text-anchor": "end" }, `unit ${unit}`),
        ...pixels.map((pixel) => {
          const inside = pixel >= low && pixel <= high;
          return draw("rect", {
            x: round(x(pixel) + 1),
            y: y + 1,
            width: round(cell - 2),
            height: rowHeight - 4,
            rx: 3,
            fill: seen(pixel) ? seriesColor(0) : "none",
            "fill-opacity": seen(pixel) ? (pixel < 0 ? 0.3 : 0.9) : null,
            stroke: seen(pixel) ? seriesColor(0) : inside ? seriesColor(2) : "currentColor",
            "stroke-opacity": seen(pixel) ? 1 : inside ? 0.9 : 0.12,
            "stroke-dasharray": inside && !seen(pixel) ? "3 2" : null,
          });
        }),
      ];
    }),
  );
}
