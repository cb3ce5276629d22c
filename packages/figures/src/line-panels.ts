import * as Plot from "@observablehq/plot";
import { hoverValues } from "./hover-values.js";
import { drawOn, fontFamily, frame, seriesColors } from "./svg-element.js";

export interface LinePanel {
  readonly title: string;
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [x: number, y: number])[];
    /** Between which values it lies, drawn as an area behind the lines. */
    readonly band?: readonly (readonly [x: number, low: number, high: number])[];
  }[];
  /** Ends of the vertical axis; those of the data, and 0, unless given. */
  readonly domain?: readonly [bottom: number, top: number];
}

export interface LinePanelsOptions {
  readonly document: Document;
  /** Of the whole figure, default 720. */
  readonly width?: number;
  /** Default 300. */
  readonly height?: number;
  /** What one step along the horizontal axes is, default "epoch". */
  readonly xLabel?: string;
}

/**
 * Charts side by side on linear axes, such as the loss and the accuracy of a training. A series keeps its colour in
 * every panel that has one of its name; points that are not finite leave a gap.
 *
 * @throws {RangeError} when there is no panel, or a panel has no finite point.
 */
export function linePanels(
  panels: readonly LinePanel[],
  { document, width = 720, height = 300, xLabel = "epoch" }: LinePanelsOptions,
): SVGSVGElement {
  if (panels.length === 0) throw new RangeError("linePanels: panels: expected at least one, got none");
  const finite = ([x, y]: readonly [number, number]) => Number.isFinite(x) && Number.isFinite(y);
  const empty = panels.find(({ series }) => !series.some(({ points }) => points.some(finite)));
  if (empty !== undefined) {
    throw new RangeError(`linePanels: ${empty.title}: expected at least one finite point, got none`);
  }
  const names = [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const draw = drawOn(document);
  const gap = 20;
  const top = 44;
  const own = (width - gap * (panels.length - 1)) / panels.length;
  const charts = panels.flatMap(({ title, series, domain }, place) => {
    const points = series.flatMap((one) => one.points.map(([x, y]) => ({ name: one.name, x, y })));
    const shown = points.filter(({ x, y }) => finite([x, y]));
    const bands = series.flatMap(({ name, band = [] }) =>
      band.map(([x, low, high]) => ({ name, x, low, high })),
    );
    const all = [...shown.map((point) => point.y), ...bands.flatMap(({ low, high }) => [low, high])];
    const y = domain ?? [Math.min(0, ...all), Math.max(...all) || 1];
    const chart = Plot.plot({
      document,
      width: own,
      height: height - top,
      marginLeft: 44,
      marginRight: 18,
      marginTop: 12,
      marginBottom: 36,
      style: { fontFamily, fontSize: "12px", background: "none" },
      x: {
        label: xLabel,
        labelAnchor: "center",
        labelArrow: "none",
        ticks: 5,
        // Between whole epochs there is nothing.
        ...(shown.every((point) => Number.isInteger(point.x)) && {
          tickFormat: (x: number) => (Number.isInteger(x) ? `${x}` : ""),
        }),
      },
      y: {
        label: null,
        domain: [...y],
        grid: true,
        ticks: 5,
        clamp: true,
        // The margin has room for four digits.
        ...(Math.max(...y.map(Math.abs)) >= 10_000 && { tickFormat: "~s" }),
      },
      color: { domain: names, range: [...seriesColors] },
      marks: [
        ...(bands.length === 0
          ? []
          : [
              Plot.areaY(bands, {
                x: "x",
                y1: "low",
                y2: "high",
                z: "name",
                fill: "name",
                fillOpacity: 0.18,
              }),
            ]),
        Plot.line(points, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 2 }),
        // A training of one epoch is a point.
        ...(series.some((one) => one.points.filter(finite).length === 1)
          ? [Plot.dot(shown, { x: "x", y: "y", fill: "name", r: 3 })]
          : []),
        hoverValues(shown),
      ],
    });
    const left = place * (own + gap);
    chart.setAttribute("x", `${left}`);
    chart.setAttribute("y", `${top}`);
    return [draw("text", { x: left, y: 14, "font-weight": 600 }, title), chart as SVGSVGElement];
  });
  let at = 0;
  const legend = names.map((name, i) => {
    const x = at;
    at += 26 + 7 * name.length;
    return draw(
      "g",
      { transform: `translate(${x} 32)` },
      draw("rect", { y: -5, width: 12, height: 3, rx: 1, fill: seriesColors[i % seriesColors.length] }),
      draw("text", { x: 17, "font-size": 11 }, name),
    );
  });
  const label = panels.map(({ title }) => `${title} by ${xLabel}`).join(", ");
  return frame(draw, { width, height, label }, ...legend, ...charts);
}
