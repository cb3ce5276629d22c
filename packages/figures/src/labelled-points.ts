import * as Plot from "@observablehq/plot";
import { fontFamily, seriesColors } from "./svg-element.js";

export interface LabelledPoint {
  readonly name: string;
  /** Points of one series have a colour, and are joined in their order. */
  readonly series: string;
  /** Above 0. */
  readonly x: number;
  /** Above 0. */
  readonly y: number;
}

export interface LabelledPointsOptions {
  readonly document: Document;
  readonly width?: number;
  readonly height?: number;
  readonly xLabel: string;
  readonly yLabel: string;
}

/**
 * Points by two quantities on logarithmic axes, such as networks by parameters and operations, each with its name
 * beside it where no other name or point stands.
 *
 * @throws {RangeError} when there is no point, or a coordinate is not a finite number above 0.
 */
export function labelledPoints(
  points: readonly LabelledPoint[],
  { document, width = 720, height = 440, xLabel, yLabel }: LabelledPointsOptions,
): SVGSVGElement {
  if (points.length === 0) throw new RangeError("labelledPoints: points: expected at least one, got none");
  for (const { name, x, y } of points) {
    for (const value of [x, y]) {
      if (Number.isFinite(value) && value > 0) continue;
      throw new RangeError(`labelledPoints: ${name}: expected finite numbers above 0, got ${value}`);
    }
  }
  const margins = { marginTop: 26, marginRight: 24, marginBottom: 40, marginLeft: 56 };
  const x = axis(
    points.map((point) => point.x),
    margins.marginLeft,
    width - margins.marginRight,
  );
  const y = axis(
    points.map((point) => point.y),
    height - margins.marginBottom,
    margins.marginTop,
  );
  const labels = placeLabels(
    points.map((point) => ({ point, x: x.place(point.x), y: y.place(point.y) })),
    [margins.marginLeft, width],
  );
  const tickFormat = (value: number) => (/^1(0*|e\+?\d+)$/.test(`${value}`) ? shortNumber(value) : "");
  const chart = Plot.plot({
    document,
    width,
    height,
    ...margins,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: { type: "log", domain: x.domain, label: xLabel, labelAnchor: "center", labelArrow: "none", grid: true, tickFormat },
    y: { type: "log", domain: y.domain, label: yLabel, labelArrow: "none", grid: true, tickFormat },
    color: { domain: [...new Set(points.map(({ series }) => series))], range: [...seriesColors] },
    marks: [
      Plot.line(points, { x: "x", y: "y", z: "series", stroke: "series", strokeOpacity: 0.45, strokeWidth: 1.5 }),
      Plot.dot(points, {
        x: "x",
        y: "y",
        fill: "series",
        r: 4,
        title: ({ name, x, y }: LabelledPoint) => `${name}: ${shortNumber(x)}, ${shortNumber(y)}`,
      }),
      ...labels.map(({ point, dx, dy, anchor }) =>
        Plot.text([point], {
          x: "x",
          y: "y",
          dx,
          dy,
          text: "name",
          textAnchor: anchor,
          fill: "series",
          fontWeight: 600,
        }),
      ),
    ],
  }); // biome-ignore format: options of a chart
  chart.setAttribute("role", "img");
  chart.setAttribute("aria-label", `${yLabel} by ${xLabel} of ${points.map(({ name }) => name).join(", ")}`);
  return chart as SVGSVGElement;
}

/** A logarithmic axis that leaves some room at both ends, and where a value stands on it. */
function axis(values: readonly number[], from: number, to: number) {
  const [least, most] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  const room = 0.06 * (most - least) || 1;
  const [low, high] = [least - room, most + room];
  return {
    domain: [Math.exp(low), Math.exp(high)] as const,
    place: (value: number) => from + ((Math.log(value) - low) / (high - low)) * (to - from),
  };
}

interface Placed {
  readonly point: LabelledPoint;
  readonly x: number;
  readonly y: number;
}

type Box = readonly [left: number, top: number, right: number, bottom: number];

/** Where a name may stand beside its point, best first. */
const places = [
  { anchor: "start", dx: 8, dy: 0 },
  { anchor: "end", dx: -8, dy: 0 },
  { anchor: "start", dx: 5, dy: -12 },
  { anchor: "start", dx: 5, dy: 12 },
  { anchor: "end", dx: -5, dy: -12 },
  { anchor: "end", dx: -5, dy: 12 },
  { anchor: "middle", dx: 0, dy: -16 },
  { anchor: "middle", dx: 0, dy: 16 },
  { anchor: "start", dx: 8, dy: -24 },
  { anchor: "end", dx: -8, dy: 24 },
] as const;

/** The first place of each name that is free and inside the figure; the least crowded one where none is. */
function placeLabels(points: readonly Placed[], [left, right]: readonly [number, number]) {
  const taken: Box[] = points.map(({ x, y }) => [x - 5, y - 5, x + 5, y + 5]);
  return points.map(({ point, x, y }) => {
    const length = 7 * point.name.length; // of letters 12 pixels high
    const boxes = places.map(({ anchor, dx, dy }): Box => {
      const start = x + dx - (anchor === "start" ? 0 : anchor === "end" ? length : length / 2);
      return [start, y + dy - 7, start + length, y + dy + 7];
    });
    const costs = boxes.map((box) => {
      const outside = Math.max(0, left - box[0]) + Math.max(0, box[2] - right);
      return taken.reduce((sum, other) => sum + overlap(box, other), 100 * outside);
    });
    const best = costs.indexOf(Math.min(...costs));
    taken.push(boxes[best]!);
    return { point, ...places[best]! };
  });
}

function overlap(a: Box, b: Box): number {
  const along = (i: 0 | 1) => Math.max(0, Math.min(a[i + 2]!, b[i + 2]!) - Math.max(a[i]!, b[i]!));
  return along(0) * along(1);
}

/** 1.2 k, 3.4 M, 5.6 G: three digits. */
function shortNumber(value: number): string {
  const units = ["", " k", " M", " G", " T"];
  const power = Math.max(0, Math.min(units.length - 1, Math.floor(Math.log10(value) / 3 + 1e-9)));
  return `${Number((value / 1000 ** power).toPrecision(3))}${units[power]}`;
}
