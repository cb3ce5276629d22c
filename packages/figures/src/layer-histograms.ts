import { drawOn, frame, round, seriesColor } from "./svg-element.js";

export interface Histogram {
  /** Lower end of the first bin. */
  readonly min: number;
  /** Upper end of the last bin. */
  readonly max: number;
  /** Equal bins from `min` to `max`; where these are the same, all numbers are. */
  readonly bins: readonly number[];
}

export interface LayerHistogramRow {
  readonly name: string;
  /** One per column, null where the layer has none (a pooling layer has no weights). */
  readonly histograms: readonly (Histogram | null)[];
  /** A remark under the name: `"3 of 16 dead"`. */
  readonly note?: string;
}

export interface LayerHistogramsOptions {
  readonly document: Document;
  /** Default 720. */
  readonly width?: number;
  /** Height of one row, default 64. */
  readonly rowHeight?: number;
}

/**
 * Distributions by layer: a row per layer, a column per quantity (activations, weights, gradients). Heights are
 * square roots of shares, so that rare values are seen beside frequent ones; a tick marks zero. Numbers that are all
 * the same are one spike.
 *
 * @throws {RangeError} when there is no row, a row has not one histogram per column, or a histogram is empty.
 */
export function layerHistograms(
  columns: readonly string[],
  rows: readonly LayerHistogramRow[],
  { document, width = 720, rowHeight = 64 }: LayerHistogramsOptions,
): SVGSVGElement {
  if (columns.length === 0 || rows.length === 0) {
    throw new RangeError("layerHistograms: expected at least one column and one row, got none");
  }
  for (const { name, histograms } of rows) {
    if (histograms.length !== columns.length) {
      throw new RangeError(
        `layerHistograms: ${name}: expected ${columns.length} histograms, got ${histograms.length}`,
      );
    }
    for (const histogram of histograms) {
      if (histogram !== null && !(histogram.bins.length > 0 && histogram.max >= histogram.min)) {
        throw new RangeError(
          `layerHistograms: ${name}: expected bins from min to max, got ${histogram.bins.length} from ${histogram.min} to ${histogram.max}`,
        );
      }
    }
  }
  const draw = drawOn(document);
  const left =
    18 +
    Math.min(230, 7 * Math.max(...rows.map(({ name, note = "" }) => Math.max(name.length, note.length))));
  const top = 26;
  const gap = 20;
  const own = (width - left - gap * (columns.length - 1)) / columns.length;
  const titles = columns.map((title, i) =>
    draw("text", { x: round(left + i * (own + gap)), y: 14, "font-weight": 600 }, title),
  );
  const body = rows.flatMap(({ name, note, histograms }, row) => {
    const y = top + row * rowHeight;
    const bars = histograms.flatMap((histogram, i) =>
      histogram === null
        ? []
        : [
            draw(
              "g",
              { transform: `translate(${round(left + i * (own + gap))} ${y})` },
              ...oneHistogram(draw, histogram, { width: own, height: rowHeight - 24, color: seriesColor(i) }),
            ),
          ],
    );
    return [
      draw("text", { y: y + 16 }, name),
      ...(note === undefined
        ? []
        : [draw("text", { y: y + 31, "font-size": 11, "fill-opacity": 0.7 }, note)]),
      ...bars,
    ];
  });
  const label = `Histograms of ${columns.join(", ")} of ${rows.map(({ name }) => name).join(", ")}`;
  return frame(draw, { width, height: top + rows.length * rowHeight, label }, ...titles, ...body);
}

function oneHistogram(
  draw: ReturnType<typeof drawOn>,
  { min, max, bins }: Histogram,
  { width, height, color }: { width: number; height: number; color: string },
): SVGElement[] {
  const end = { "font-size": 10, y: height + 12, "fill-opacity": 0.7 };
  const axis = draw("path", {
    d: `M0 ${height}h${round(width)}`,
    stroke: "currentColor",
    "stroke-opacity": 0.4,
  });
  if (max === min) {
    const middle = round(width / 2);
    return [
      draw("path", { d: `M${round(width / 2 - 1)} ${height}v${-height}h2v${height}z`, fill: color }),
      axis,
      draw("text", { ...end, x: middle, "text-anchor": "middle" }, `all ${short(min)}`),
    ];
  }
  const most = Math.max(...bins, 1);
  const bin = width / bins.length;
  // One path instead of a rectangle per bin keeps the figures of deep networks small.
  const path = bins
    .map((count, i) => {
      const tall = round(height * Math.sqrt(count / most));
      return count === 0 ? "" : `M${round(i * bin)} ${height}v${-tall}h${round(bin)}v${tall}z`;
    })
    .join("");
  const zero = min <= 0 && max >= 0 ? round((width * -min) / (max - min)) : null;
  return [
    draw("path", { d: path, fill: color }),
    axis,
    ...(zero === null
      ? []
      : [draw("path", { d: `M${zero} ${height}v4`, stroke: "currentColor", "stroke-opacity": 0.8 })]),
    draw("text", end, short(min)),
    draw("text", { ...end, x: round(width), "text-anchor": "end" }, short(max)),
  ];
}

function short(value: number): string {
  return `${Number(value.toPrecision(2))}`.replace("-", "−");
}
