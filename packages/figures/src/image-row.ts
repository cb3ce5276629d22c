import { drawOn, frame, round } from "./svg-element.js";
import type { ImageSource } from "./units-over-image.js";

export interface ImageRowOptions {
  readonly document: Document;
  readonly width?: number;
}

export interface CaptionedImage extends ImageSource {
  readonly caption: string;
  /** Show pixels as squares instead of smoothing them. */
  readonly pixelated?: boolean;
}

/** Pictures side by side, each under its caption, scaled to one height. */
export function imageRow(
  images: readonly CaptionedImage[],
  { document, width = 640 }: ImageRowOptions,
): SVGSVGElement {
  if (images.length === 0) throw new RangeError("imageRow: images: expected at least one, got none");
  const draw = drawOn(document);
  const gap = 16;
  const top = 22;
  const aspect = images.reduce((sum, image) => sum + image.width / image.height, 0);
  const height = (width - gap * (images.length - 1)) / aspect;
  let left = 0;
  const pictures = images.flatMap(({ href, caption, pixelated = false, ...image }) => {
    const x = round(left);
    const own = round((height * image.width) / image.height);
    left += own + gap;
    return [
      draw("text", { x, y: 14, "font-weight": 600 }, caption),
      draw("image", {
        x,
        y: top,
        width: own,
        height: round(height),
        href,
        preserveAspectRatio: "none",
        "image-rendering": pixelated ? "optimizeSpeed" : null,
        style: pixelated ? "image-rendering: pixelated" : null,
      }),
    ];
  });
  const label = images.map(({ caption }) => caption).join(", ");
  return frame(draw, { width, height: round(top + height), label }, ...pictures);
}
