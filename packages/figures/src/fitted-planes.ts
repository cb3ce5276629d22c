import * as Plot from "@observablehq/plot";
import { fontFamily } from "./svg-element.js";

export interface FittedPlane {
  readonly name: string;
  /** `value = bias + slopes[0] x + slopes[1] y`. */
  readonly bias: number;
  readonly slopes: readonly [number, number];
}

export interface FittedPlanesOptions {
  readonly document: Document;
  readonly width?: number;
  readonly height?: number;
  /** Names of the two inputs and of the target. */
  readonly labels?: readonly [x: string, y: string, value: string];
}

interface Level {
  readonly model: string;
  readonly value: number;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

/**
 * Data with two inputs, coloured by target, under the level lines of planes fitted to them: models that agree have the
 * same lines. The first model is a broad line, the others dashed ones.
 *
 * @throws {RangeError} when there are no points, or a number is not finite.
 */
export function fittedPlanes(
  points: readonly (readonly [x: number, y: number, value: number])[],
  models: readonly FittedPlane[],
  {
    document,
    width = 720,
    height = 460,
    labels: [xLabel, yLabel, valueLabel] = ["x1", "x2", "target"],
  }: FittedPlanesOptions,
): SVGSVGElement {
  if (points.length === 0) throw new RangeError("fittedPlanes: points: expected at least one, got none");
  const numbers = [...points.flat(), ...models.flatMap(({ bias, slopes }) => [bias, ...slopes])];
  const wrong = numbers.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`fittedPlanes: expected finite numbers, got ${wrong}`);
  const [xDomain, yDomain, [low, high]] = [0, 1, 2].map((i) => widened(points.map((point) => point[i]!))) as [
    Range,
    Range,
    Range,
  ];
  const values = niceLevels(low, high);
  const lines = models.map((model) =>
    values.flatMap((value) => levelLine(model, value, xDomain, yDomain) ?? []),
  );
  const largest = Math.max(...points.map(([, , value]) => Math.abs(value))) || 1;
  const chart = Plot.plot({
    document,
    width,
    height,
    marginTop: 64,
    marginLeft: 52,
    marginRight: 64,
    marginBottom: 40,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: { label: xLabel, labelAnchor: "center", labelArrow: "none", domain: xDomain },
    y: { label: yLabel, labelArrow: "none", labelAnchor: "center", domain: yDomain },
    color: { type: "linear", domain: [-largest, 0, largest], range: ["#4c78d8", "#c4c4c4", "#e8871e"] },
    marks: [
      ...lines.map((levels, i) =>
        Plot.link(levels, {
          x1: "x1",
          y1: "y1",
          x2: "x2",
          y2: "y2",
          stroke: i === 0 ? "#2a9d7f" : "#d84a5b",
          strokeOpacity: i === 0 ? 0.35 : 1,
          strokeWidth: i === 0 ? 7 : 1.5,
          ...(i > 0 && { strokeDasharray: `${4 + 3 * i} 4` }),
        }),
      ),
      Plot.dot(points as [number, number, number][], {
        x: "0",
        y: "1",
        fill: "2",
        r: 4,
        stroke: "currentColor",
        strokeOpacity: 0.4,
        title: ([x, y, value]: [number, number, number]) =>
          `${xLabel} ${short(x)}, ${yLabel} ${short(y)}: ${valueLabel} ${short(value)}`,
      }),
      Plot.text(lines[0] ?? [], {
        x: "x2",
        y: "y2",
        text: ({ value }: Level) => short(value),
        textAnchor: "start",
        dx: 4,
        fill: "currentColor",
        fontWeight: 600,
      }),
    ],
  });
  const svg = chart as SVGSVGElement;
  const label = `${valueLabel} over ${xLabel} and ${yLabel}, level lines of ${models.map(({ name }) => name).join(", ")}`;
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  addLegend(svg, document, models, `lines of equal ${valueLabel}`);
  return svg;
}

type Range = [low: number, high: number];

function widened(values: readonly number[]): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = (high - low) * 0.04 || 1;
  return [low - margin, high + margin];
}

/** About six round values strictly inside a range. */
function niceLevels(low: number, high: number): number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).findLast((one) => one <= 1.5 * rough)!;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: count }, (_, i) => (first + i) * step);
}

/** Where a plane has a value, inside the box; its second end is the right or lower one. */
function levelLine(
  { name, bias, slopes: [a, b] }: FittedPlane,
  value: number,
  [left, right]: Range,
  [bottom, top]: Range,
): Level | null {
  const c = value - bias;
  const ends: [number, number][] = [];
  if (b !== 0) for (const x of [left, right]) ends.push([x, (c - a * x) / b]);
  if (a !== 0) for (const y of [bottom, top]) ends.push([(c - b * y) / a, y]);
  const slack = 1e-9;
  const inside = ends
    .filter(
      ([x, y]) =>
        x >= left - slack * (right - left) &&
        x <= right + slack * (right - left) &&
        y >= bottom - slack * (top - bottom) &&
        y <= top + slack * (top - bottom),
    )
    .sort((p, q) => p[0] - q[0] || q[1] - p[1]);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { model: name, value, x1: first[0], y1: first[1], x2: last[0], y2: last[1] };
}

function addLegend(
  svg: SVGSVGElement,
  document: Document,
  models: readonly FittedPlane[],
  note: string,
): void {
  const make = (name: string, attributes: Readonly<Record<string, string | number>>, text = "") => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, `${value}`);
    element.textContent = text;
    svg.append(element);
  };
  make("text", { x: 52, y: 36, fill: "currentColor", "fill-opacity": 0.7, "text-anchor": "start" }, note);
  models.forEach(({ name }, i) => {
    const x = 52 + i * 200;
    make("line", {
      x1: x,
      x2: x + 34,
      y1: 14,
      y2: 14,
      stroke: i === 0 ? "#2a9d7f" : "#d84a5b",
      "stroke-opacity": i === 0 ? 0.35 : 1,
      "stroke-width": i === 0 ? 7 : 1.5,
      ...(i > 0 && { "stroke-dasharray": `${4 + 3 * i} 4` }),
    });
    make("text", { x: x + 42, y: 18, fill: "currentColor", "text-anchor": "start" }, name);
  });
}

const short = (value: number) => `${Number(value.toPrecision(3))}`.replace("-", "−");
