import { createRequire } from "node:module";
import type { DecodeOptions, Picture } from "@gradlab/studies";
import { Failure, messageOf } from "./failure.js";
import { readInput } from "./files.js";

/** A document to draw figures in. */
export async function figureDocument(): Promise<Document> {
  const { JSDOM } = await import("jsdom");
  return new JSDOM("").window.document;
}

/** Reads a picture: red, green, blue, upright, on white. */
export async function readPicture(file: string, options: DecodeOptions = {}): Promise<Picture> {
  const { size, most = Number.POSITIVE_INFINITY, jpeg = false } = options;
  const bytes = await readInput(file);
  const { default: sharp } = await import("sharp");
  try {
    const upright = sharp(bytes).rotate();
    const resized = size === undefined ? upright : upright.resize(coverOf(size, most));
    const { data, info } = await resized
      .flatten({ background: "#fff" })
      .toColourspace("srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    const { width, height } = info;
    const raw = { raw: { width, height, channels: 3 } } as const;
    const shown = jpeg ? await sharp(data, raw).jpeg({ quality: 88 }).toBuffer() : undefined;
    return { width, height, data, ...(shown && { jpeg: shown }) };
  } catch (error) {
    throw new Failure("runtime", `${file}: not a picture that can be read (${messageOf(error)})`, {
      cause: error,
    });
  }
}

function coverOf(size: readonly [height: number, width: number], most: number) {
  const shrink = Math.min(1, most / Math.max(...size));
  const [height, width] = size.map((length) => Math.max(1, Math.round(length * shrink))) as [number, number];
  return { height, width, fit: "cover", kernel: "lanczos3" } as const;
}

/** An SVG as PNG, twice as many pixels as CSS pixels, on white. */
export async function renderPng(svg: string): Promise<Uint8Array> {
  const { Resvg } = await import("@resvg/resvg-js");
  const require = createRequire(import.meta.url);
  const fonts = ["400Regular/Inter_400Regular.ttf", "600SemiBold/Inter_600SemiBold.ttf"].map((file) =>
    require.resolve(`@expo-google-fonts/inter/${file}`),
  );
  return new Resvg(svg, {
    background: "#ffffff",
    fitTo: { mode: "zoom", value: 2 },
    font: { fontFiles: fonts, loadSystemFonts: false, defaultFontFamily: "Inter", sansSerifFamily: "Inter" },
  })
    .render()
    .asPng();
}
