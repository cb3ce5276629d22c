import { drawOn, frame, outline, outlineLegend, round, seriesColor } from "./svg-element.js";
import type { ImageSource } from "./units-over-image.js";

/** An effective receptive field, as `effectiveField` of `@gradlab/receptive-field/measure` gives it. */
export interface FieldMass {
  /** Share of the mass at every pixel, row by row. */
  readonly rows: readonly ArrayLike<number>[];
  /** Centre of mass, `[y, x]`, first pixel 0. */
  readonly center: readonly [y: number, x: number];
  /** Squares around the centre that hold a share of the mass. */
  readonly contours: readonly { readonly mass: number; readonly side: number }[];
}

export interface EffectiveFieldOverImageOptions {
  readonly document: Document;
  /** Width of the figure in CSS pixels, default 560. */
  readonly width?: number;
}

/** More cells along a side than this are not drawn; their pixels are added up. */
const mostCells = 64;

/**
 * How much each pixel of a picture moves one unit: a veil that is the thinner
 * the stronger the pixel, and the squares that hold a share of the mass.
 *
 * @param result The field, and the picture if there is one (of the field's size).
 * @throws {RangeError} when the field is empty, ragged or without mass.
 */
export function effectiveFieldOverImage(
  result: { readonly field: FieldMass; readonly image?: ImageSource },
  { document, width = 560 }: EffectiveFieldOverImageOptions,
): SVGSVGElement {
  const { field, image } = result;
  const height = field.rows.length;
  const columns = field.rows[0]?.length ?? 0;
  if (columns === 0 || field.rows.some((row) => row.length !== columns)) {
    throw new RangeError(
      "effectiveFieldOverImage: field.rows: expected rows of one length, got none or ragged ones",
    );
  }
  const block = Math.ceil(Math.max(height, columns) / mostCells);
  const cells = sumBlocks(field.rows, block);
  const strongest = Math.max(...cells.map(({ mass }) => mass));
  if (!(strongest > 0))
    throw new RangeError("effectiveFieldOverImage: field.rows: expected some mass, got none");
  const draw = drawOn(document);
  const legendWidth = 104;
  const scale = (width - legendWidth) / columns;
  const [cy, cx] = field.center.map(Math.round) as [number, number];
  const squares = field.contours.map(({ mass, side }, i) => {
    const low = (center: number) => center - (side - 1) / 2;
    const box = {
      x: round(low(cx) * scale),
      y: round(low(cy) * scale),
      width: round(side * scale),
      height: round(side * scale),
    };
    const place = { x: columns * scale + 12, line: i, width: legendWidth - 14, color: seriesColor(i) };
    return [
      ...outline(draw, box, seriesColor(i)),
      outlineLegend(draw, place, `${round(100 * mass)} %`, `${side} px`),
    ];
  });
  return frame(
    draw,
    {
      width,
      height: round(Math.max(height * scale, 20 * squares.length + 8)),
      label: "How much each pixel moves the unit",
    },
    ...(image === undefined
      ? []
      : [
          draw("image", {
            width: round(columns * scale),
            height: round(height * scale),
            href: image.href,
            preserveAspectRatio: "none",
          }),
        ]),
    ...cells.map(({ y, x, mass }) =>
      draw("rect", {
        x: round(x * scale),
        y: round(y * scale),
        width: round(Math.min(block, columns - x) * scale),
        height: round(Math.min(block, height - y) * scale),
        fill: image === undefined ? seriesColor(0) : "#0b1020",
        // The square root brings out the flanks of a bell that would else be invisible.
        "fill-opacity": round(
          image === undefined ? Math.sqrt(mass / strongest) : 0.82 * (1 - Math.sqrt(mass / strongest)),
        ),
        "shape-rendering": "crispEdges",
      }),
    ),
    ...squares.flat(),
  );
}

/** The mass of square blocks of pixels. */
function sumBlocks(
  rows: readonly ArrayLike<number>[],
  block: number,
): { y: number; x: number; mass: number }[] {
  const cells: { y: number; x: number; mass: number }[] = [];
  for (let y = 0; y < rows.length; y += block) {
    for (let x = 0; x < rows[0]!.length; x += block) {
      let mass = 0;
      for (const row of rows.slice(y, y + block)) {
        for (let i = x; i < Math.min(x + block, row.length); i++) mass += row[i]!;
      }
      cells.push({ y, x, mass });
    }
  }
  return cells;
}
