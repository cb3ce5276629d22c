import * as Plot from "@observablehq/plot";
import { fontFamily, seriesColors } from "./svg-element.js";

export interface NamedCurve {
  /** For the legend; a curve without a name is not in it. */
  readonly name?: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Drawn dashed, in the colour of the text: what the others are compared with. */
  readonly dashed?: true;
}

export interface CurvesOverPointsOptions {
  readonly document: Document;
  /** Default 720. */
  readonly width?: number;
  /** Default 380. */
  readonly height?: number;
  readonly xLabel?: string;
  readonly yLabel?: string;
  /** What the points are, for the legend: "15 samples". */
  readonly pointsName?: string;
  /** Ends of the vertical axis; curves that go beyond are cut off there. Those of the numbers unless given. */
  readonly domain?: readonly [bottom: number, top: number];
}

/**
 * Curves through or past points on linear axes: fits over their data, a wave over the samples that were taken of it.
 *
 * @throws {RangeError} when there is no curve, or a number is not finite.
 */
export function curvesOverPoints(
  points: readonly (readonly [x: number, y: number])[],
  curves: readonly NamedCurve[],
  {
    document,
    width = 720,
    height = 380,
    xLabel = "x",
    yLabel = "y",
    pointsName = "data",
    domain,
  }: CurvesOverPointsOptions,
): SVGSVGElement {
  if (curves.length === 0) throw new RangeError("curvesOverPoints: curves: expected at least one, got none");
  const numbers = [points, ...curves.map((curve) => curve.points)].flat(2);
  const wrong = numbers.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`curvesOverPoints: expected finite numbers, got ${wrong}`);
  const heights = [points, ...curves.map((curve) => curve.points)].flat().map(([, y]) => y);
  const [bottom, top] = domain ?? [Math.min(...heights), Math.max(...heights)];
  const margin = (top - bottom) * 0.04 || 1;
  const coloured = curves.filter(({ dashed }) => !dashed);
  const colorOf = (curve: NamedCurve) =>
    curve.dashed ? "currentColor" : seriesColors[coloured.indexOf(curve) % seriesColors.length]!;
  const chart = Plot.plot({
    document,
    width,
    height,
    marginTop: 34,
    marginLeft: 52,
    marginRight: 16,
    marginBottom: 40,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: { label: xLabel, labelAnchor: "center", labelArrow: "none" },
    y: {
      label: yLabel,
      labelAnchor: "center",
      labelArrow: "none",
      domain: [bottom - margin, top + margin],
      grid: true,
      ticks: 6,
    },
    marks: [
      // What the others are compared with lies on top of them.
      ...[...coloured, ...curves.filter(({ dashed }) => dashed)].map((curve) =>
        Plot.line(curve.points as [number, number][], {
          stroke: colorOf(curve),
          strokeWidth: curve.name === undefined ? 1 : curve.dashed ? 1.5 : 2,
          clip: true,
          ...(curve.dashed && { strokeDasharray: "5 4", strokeOpacity: 0.7 }),
        }),
      ),
      Plot.dot(points as [number, number][], { fill: "currentColor", r: 3.5 }),
    ],
  });
  const svg = chart as SVGSVGElement;
  svg.setAttribute("role", "img");
  svg.setAttribute(
    "aria-label",
    `${yLabel} by ${xLabel}: ${[...(points.length === 0 ? [] : [pointsName]), ...curves.flatMap(({ name }) => name ?? [])].join(", ")}`,
  );
  let x = 52;
  const add = (name: string, attributes: Readonly<Record<string, string | number>>, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
    element.textContent = text;
    svg.append(element);
  };
  const label = (text: string, indent: number) => {
    add("text", { x: x + indent, y: 18, fill: "currentColor", "text-anchor": "start" }, text);
    x += indent + 22 + 6.6 * text.length;
  };
  if (points.length > 0) {
    add("circle", { cx: x + 4, cy: 14, r: 3.5, fill: "currentColor" });
    label(pointsName, 14);
  }
  for (const curve of curves) {
    if (curve.name === undefined) continue;
    add("line", {
      x1: x,
      x2: x + 24,
      y1: 14,
      y2: 14,
      stroke: colorOf(curve),
      "stroke-width": curve.dashed ? 1.5 : 2,
      ...(curve.dashed && { "stroke-dasharray": "5 4" }),
    });
    label(curve.name, 30);
  }
  return svg;
}
