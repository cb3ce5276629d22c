import { drawOn, frame, round } from "./svg-element.js";
import type { ImageSource } from "./units-over-image.js";

export interface ImageTableRow {
  readonly label: string;
  /** One per column; null leaves the place empty. */
  readonly images: readonly (ImageSource | null)[];
  /** Lines under each of its places, one list per column. */
  readonly notes?: readonly (readonly string[])[];
}

export interface ImageTableOptions {
  readonly document: Document;
  /** Default 720. */
  readonly width?: number;
}

const lineHeight = 14;

/**
 * Pictures in rows and columns, pixels as squares: what each layer makes of each image. Every picture is as wide as
 * its column, what is to be said of it stands below.
 *
 * @throws {RangeError} when there is no picture, or a row has not one place, or not one list of notes, per column.
 */
export function imageTable(
  columns: readonly string[],
  rows: readonly ImageTableRow[],
  { document, width = 720 }: ImageTableOptions,
): SVGSVGElement {
  if (!rows.some(({ images }) => images.some((image) => image !== null))) {
    throw new RangeError("imageTable: rows: expected at least one picture, got none");
  }
  const uneven = rows.find(({ images, notes = images }) =>
    [images, notes].some(({ length }) => length !== columns.length),
  );
  if (uneven !== undefined) {
    throw new RangeError(
      `imageTable: ${uneven.label}: expected ${columns.length} pictures, got ${uneven.images.length}${uneven.notes === undefined ? "" : ` with ${uneven.notes.length} notes`}`,
    );
  }
  const draw = drawOn(document);
  const gap = 14;
  const left = 14 + 7 * Math.max(...rows.map(({ label }) => label.length));
  const own = (width - left - gap * (columns.length - 1)) / columns.length;
  const x = (column: number) => round(left + column * (own + gap));
  const elements: SVGElement[] = columns.map((caption, i) =>
    draw("text", { x: x(i), y: 14, "font-weight": 600 }, caption),
  );
  let top = 24;
  for (const { label, images, notes } of rows) {
    const heights = images.map((image) => (image === null ? 0 : (own * image.height) / image.width));
    elements.push(draw("text", { y: top + 14 }, label));
    for (const [i, image] of images.entries()) {
      if (image === null) continue;
      elements.push(
        draw("image", {
          x: x(i),
          y: round(top),
          width: round(own),
          height: round(heights[i]!),
          href: image.href,
          preserveAspectRatio: "none",
          "image-rendering": "optimizeSpeed",
          style: "image-rendering: pixelated",
        }),
      );
    }
    const tallest = Math.max(notes === undefined ? 20 : 0, ...heights);
    for (const [i, lines] of (notes ?? []).entries()) {
      for (const [line, text] of lines.entries()) {
        const y = round(top + tallest + lineHeight * (line + 1));
        elements.push(draw("text", { x: x(i), y, "font-size": 10.5 }, text));
      }
    }
    const under = Math.max(0, ...(notes ?? []).map(({ length }) => length));
    top += tallest + lineHeight * under + gap;
  }
  const label = `${rows.map((row) => row.label).join(", ")} of ${columns.join(", ")}`;
  return frame(draw, { width, height: round(top - gap + 2), label }, ...elements);
}
