import type { CaptionedImage } from "./image-row.js";
import { drawOn, frame, round } from "./svg-element.js";

export interface GridImage extends CaptionedImage {
  /** A second line, smaller. */
  readonly note?: string;
}

export interface ImageGridOptions {
  readonly document: Document;
  /** Default 720. */
  readonly width?: number;
  /** How many pictures stand side by side, default 4. */
  readonly columns?: number;
}

/**
 * Pictures under their captions in rows of equal width, pixels as squares where that is asked for: what layer after
 * layer makes of one image. A picture fills its place without losing its shape.
 *
 * @throws {RangeError} when there is no picture, or no column.
 */
export function imageGrid(
  images: readonly GridImage[],
  { document, width = 720, columns = 4 }: ImageGridOptions,
): SVGSVGElement {
  if (images.length === 0) throw new RangeError("imageGrid: images: expected at least one, got none");
  if (!Number.isSafeInteger(columns) || columns < 1) {
    throw new RangeError(`imageGrid: columns: expected a positive integer, got ${columns}`);
  }
  const draw = drawOn(document);
  const gap = 18;
  const head = 34;
  const own = (width - gap * (columns - 1)) / columns;
  const rows = Array.from({ length: Math.ceil(images.length / columns) }, (_, i) =>
    images.slice(i * columns, (i + 1) * columns),
  );
  let top = 0;
  const elements = rows.flatMap((row) => {
    const scales = row.map((image) => Math.min(own / image.width, own / image.height));
    const drawn = row.flatMap(({ href, caption, note, pixelated = false, ...image }, column) => {
      const x = round(column * (own + gap));
      return [
        draw("text", { x, y: round(top + 13), "font-weight": 600 }, caption),
        draw("text", { x, y: round(top + 27), "font-size": 11, "fill-opacity": 0.7 }, note ?? ""),
        draw("image", {
          x,
          y: round(top + head),
          width: round(image.width * scales[column]!),
          height: round(image.height * scales[column]!),
          href,
          preserveAspectRatio: "none",
          "image-rendering": pixelated ? "optimizeSpeed" : null,
          style: pixelated ? "image-rendering: pixelated" : null,
        }),
      ];
    });
    top += head + Math.max(...row.map((image, i) => image.height * scales[i]!)) + gap;
    return drawn;
  });
  const label = images.map(({ caption }) => caption).join(", ");
  return frame(draw, { width, height: round(top - gap + 2), label }, ...elements);
}
