import * as Plot from "@observablehq/plot";
import { hoverValues } from "./hover-values.js";
import { fontFamily, seriesColors } from "./svg-element.js";

export interface LearningCurve {
  readonly name: string;
  /** `[time, error]`, times rising, errors above 0. */
  readonly points: readonly (readonly [time: number, error: number])[];
  /** The run did not end: the curve leaves the figure, or stops, with a cross. */
  readonly diverged?: boolean;
}

export interface LearningCurvesOptions {
  readonly document: Document;
  readonly width?: number;
  readonly height?: number;
  /** What one step along the horizontal axis is, default "epoch". */
  readonly timeLabel?: string;
  /** Default "mean squared error". */
  readonly errorLabel?: string;
  /** The smallest possible error, drawn as a dashed line. */
  readonly floor?: { readonly name: string; readonly error: number };
}

/**
 * Error against time, one line per run, on a logarithmic axis. The axis ends at ten times the largest error of the
 * runs that did not diverge and of all starts; what goes beyond leaves the figure.
 *
 * @throws {RangeError} when there is no point, or an error is not a finite number above 0.
 */
export function learningCurves(
  curves: readonly LearningCurve[],
  {
    document,
    width = 720,
    height = 400,
    timeLabel = "epoch",
    errorLabel = "mean squared error",
    floor,
  }: LearningCurvesOptions,
): SVGSVGElement {
  const errors = [...curves.flatMap(({ points }) => points.map(([, error]) => error))];
  if (floor !== undefined) errors.push(floor.error);
  if (curves.length === 0 || curves.some(({ points }) => points.length === 0)) {
    throw new RangeError("learningCurves: curves: expected curves with at least one point, got none");
  }
  const wrong = errors.find((error) => !(error > 0 && Number.isFinite(error)));
  if (wrong !== undefined) {
    throw new RangeError(`learningCurves: curves: expected finite errors above 0, got ${wrong}`);
  }
  const kept = curves.flatMap(({ points, diverged }) => (diverged ? points.slice(0, 1) : points));
  const top = 10 * Math.max(...kept.map(([, error]) => error));
  const bottom = Math.min(...errors) / 2;
  const drawn = curves.map((curve) => ({ ...curve, points: below(curve.points, top) }));
  const lines = drawn.flatMap(({ name, points }) =>
    points.map(([time, error]) => ({ run: name, time, error })),
  );
  const ends = drawn.map(({ name, points, diverged = false }) => {
    const [time, error] = points.at(-1)!;
    return { run: name, time, error, diverged, label: diverged ? `${name} diverges` : name };
  });
  const latest = Math.max(...lines.map(({ time }) => time), 1);
  const [marginTop, marginBottom] = [24, 40];
  const labels = spread(ends, { top, bottom, height: height - marginTop - marginBottom });
  const chart = Plot.plot({
    document,
    width,
    height,
    marginTop,
    marginRight: 150,
    marginLeft: 58,
    marginBottom,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: { label: timeLabel, labelAnchor: "center", labelArrow: "none", domain: [0, latest] },
    y: {
      type: "log",
      label: errorLabel,
      labelArrow: "none",
      domain: [bottom, top],
      grid: true,
      ticks: 6,
      tickFormat: (error: number) => powerOfTen(error),
    },
    color: { domain: curves.map(({ name }) => name), range: [...seriesColors] },
    marks: [
      ...(floor === undefined
        ? []
        : [
            Plot.ruleY([floor.error], { stroke: "currentColor", strokeDasharray: "5 4", strokeOpacity: 0.7 }),
            Plot.text([floor], {
              x: () => latest,
              y: "error",
              text: "name",
              textAnchor: "end",
              dy: 10,
              fill: "currentColor",
            }),
          ]),
      Plot.line(lines, { x: "time", y: "error", stroke: "run", strokeWidth: 2 }),
      Plot.dot(
        ends.filter(({ diverged }) => diverged),
        { x: "time", y: "error", stroke: "run", symbol: "times", r: 5, strokeWidth: 2.5 },
      ),
      Plot.link(labels, {
        x1: "time",
        y1: "error",
        x2: () => latest,
        y2: "labelAt",
        stroke: "run",
        strokeOpacity: 0.45,
        strokeDasharray: "2 3",
      }),
      Plot.text(labels, {
        x: () => latest,
        y: "labelAt",
        text: "label",
        textAnchor: "start",
        dx: 10,
        fill: "run",
        fontWeight: 600,
      }),
      hoverValues(lines.map(({ run, time, error }) => ({ name: run, x: time, y: error }))),
    ],
  });
  chart.setAttribute("role", "img");
  chart.setAttribute(
    "aria-label",
    `${errorLabel} by ${timeLabel} of ${curves.map(({ name, diverged }) => (diverged ? `${name} (diverges)` : name)).join(", ")}`,
  );
  return chart as SVGSVGElement;
}

/** The points up to where the line between them first crosses `top`, and that crossing. */
function below(points: LearningCurve["points"], top: number): LearningCurve["points"] {
  const beyond = points.findIndex(([, error]) => error > top);
  if (beyond < 0) return points;
  const inside = points.slice(0, beyond);
  const [before, after] = [inside.at(-1), points[beyond]!];
  if (before === undefined) return [[after[0], top]];
  const share = Math.log(top / before[1]) / Math.log(after[1] / before[1]);
  return [...inside, [before[0] + share * (after[0] - before[0]), top]];
}

const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

function powerOfTen(value: number): string {
  const exponent = Math.round(Math.log10(value));
  if (Math.abs(value / 10 ** exponent - 1) > 1e-9) return "";
  if (Math.abs(exponent) <= 2) return `${Number(value.toPrecision(6))}`;
  const digits = [...`${Math.abs(exponent)}`].map((digit) => superscripts[Number(digit)]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** Errors at which the labels stand: near the ends of their curves, and far enough apart to be read. */
function spread<T extends { error: number }>(
  ends: readonly T[],
  { top, bottom, height }: { top: number; bottom: number; height: number },
): (T & { labelAt: number })[] {
  const perPixel = Math.log(top / bottom) / height;
  const labels = ends.map((end) => ({ end, y: Math.log(top / end.error) / perPixel }));
  labels.sort((a, b) => a.y - b.y);
  const gap = Math.min(16, height / labels.length);
  for (let i = 1; i < labels.length; i++) labels[i]!.y = Math.max(labels[i]!.y, labels[i - 1]!.y + gap);
  let lowest = height;
  for (const label of labels.toReversed()) {
    label.y = Math.min(label.y, lowest);
    lowest = label.y - gap;
  }
  return labels.map(({ end, y }) => ({ ...end, labelAt: top * Math.exp(-y * perPixel) }));
}
