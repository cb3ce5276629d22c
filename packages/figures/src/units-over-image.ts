import { drawOn, frame, orderedColor, outline, outlineLegend, round } from "./svg-element.js";

export interface ImageSource {
  /** A URL, or the picture itself as a `data:` URL. */
  readonly href: string;
  readonly width: number;
  readonly height: number;
}

/** What one unit sees: first and last pixel along y and x, zero-based, padding included. */
export interface UnitBox {
  readonly name: string;
  readonly y: readonly [first: number, last: number];
  readonly x: readonly [first: number, last: number];
}

export interface UnitsOverImageOptions {
  readonly document: Document;
  /** Width of the figure in CSS pixels, default 640. */
  readonly width?: number;
}

/**
 * Boxes of units drawn over the picture that they look at. What lies in the
 * padding, outside the picture, is hatched.
 *
 * @param result The picture and the boxes, largest last or first.
 * @throws {RangeError} when there is no box.
 */
export function unitsOverImage(
  result: { readonly image: ImageSource; readonly units: readonly UnitBox[] },
  { document, width = 640 }: UnitsOverImageOptions,
): SVGSVGElement {
  const { image, units } = result;
  if (units.length === 0) throw new RangeError("unitsOverImage: units: expected at least one, got none");
  const draw = drawOn(document);
  const margin = 4;
  const low = (axis: "x" | "y") => Math.min(0, ...units.map((unit) => unit[axis][0])) - margin;
  const x0 = low("x");
  const y0 = low("y");
  const columns = Math.max(image.width, ...units.map(({ x }) => x[1] + 1)) + margin - x0;
  const rows = Math.max(image.height, ...units.map(({ y }) => y[1] + 1)) + margin - y0;
  const longest = Math.max(...units.map(({ name }) => name.length));
  const legendWidth = 110 + 7.5 * longest;
  const scale = (width - legendWidth) / columns;
  const height = Math.max(rows * scale, units.length * 20 + 8);
  const place = (x: number, y: number, w: number, h: number) => ({
    x: round((x - x0) * scale),
    y: round((y - y0) * scale),
    width: round(w * scale),
    height: round(h * scale),
  });
  const area = ({ x, y }: UnitBox) => (x[1] - x[0] + 1) * (y[1] - y[0] + 1);
  const ordered = units
    .map((unit, i) => ({ unit, color: orderedColor(i, units.length) }))
    .sort((a, b) => area(b.unit) - area(a.unit));
  const hatch = draw(
    "pattern",
    { id: "padding", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
    draw("line", {
      x1: 0,
      y1: 0,
      x2: 0,
      y2: 7,
      stroke: "currentColor",
      "stroke-opacity": 0.28,
      "stroke-width": 1.5,
    }),
  );
  const outside = units.some(
    ({ x, y }) => x[0] < 0 || y[0] < 0 || x[1] >= image.width || y[1] >= image.height,
  );
  return frame(
    draw,
    {
      width,
      height: round(height),
      label: `What one unit of ${units.map(({ name }) => name).join(", ")} sees of the picture`,
    },
    draw("defs", {}, hatch),
    ...(outside
      ? [draw("rect", { ...place(x0, y0, columns, rows), fill: "url(#padding)", stroke: "none" })]
      : []),
    draw("image", {
      ...place(0, 0, image.width, image.height),
      href: image.href,
      preserveAspectRatio: "none",
    }),
    ...ordered.flatMap(({ unit, color }) => {
      const box = place(unit.x[0], unit.y[0], unit.x[1] - unit.x[0] + 1, unit.y[1] - unit.y[0] + 1);
      return outline(draw, box, color);
    }),
    ...units.map((unit, i) => {
      const size = `${unit.y[1] - unit.y[0] + 1} × ${unit.x[1] - unit.x[0] + 1}`;
      const place = {
        x: columns * scale + 12,
        line: i,
        width: legendWidth - 16,
        color: orderedColor(i, units.length),
      };
      return outlineLegend(draw, place, unit.name, size);
    }),
  );
}
