import { drawOn, frame, round, seriesColor } from "./svg-element.js";

export interface UnrolledGraphOptions {
  readonly document: Document;
  /** How many steps are drawn. */
  readonly steps: number;
  /** The gradient goes back so many steps; over the edges between pieces it does not. */
  readonly length: number;
  readonly width?: number;
}

/**
 * A recurrent network over time: inputs below, states in a row, losses above. Forward everything follows the arrows;
 * backward, the red edges are those that truncation cuts (`detach`).
 *
 * @throws {RangeError} when there is no step, or a length below 1.
 */
export function unrolledGraph({ document, steps, length, width = 640 }: UnrolledGraphOptions): SVGSVGElement {
  for (const [name, value] of Object.entries({ steps, length })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw new RangeError(`unrolledGraph: ${name}: expected an integer, at least 1, got ${value}`);
  }
  const draw = drawOn(document);
  const left = 44;
  const gap = (width - left - 20) / steps;
  const x = (t: number) => round(left + (t + 0.5) * gap);
  const r = Math.min(13, gap / 3);
  const [top, middle, bottom] = [34, 88, 142];
  const cut = seriesColor(2);
  const arrow = (
    from: readonly [number, number],
    to: readonly [number, number],
    color: string,
    dashed = false,
  ) => {
    const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    const size = Math.hypot(dx, dy);
    const [ux, uy] = [dx / size, dy / size];
    const [startX, startY] = [from[0] + ux * r, from[1] + uy * r];
    const [endX, endY] = [to[0] - ux * r, to[1] - uy * r];
    const point = (along: number, across: number) =>
      `${round(endX - ux * along - uy * across)},${round(endY - uy * along + ux * across)}`;
    return [
      draw("line", {
        x1: round(startX),
        y1: round(startY),
        x2: round(endX),
        y2: round(endY),
        stroke: color,
        "stroke-width": dashed ? 2 : 1.4,
        "stroke-dasharray": dashed ? "4 3" : null,
      }),
      draw("polygon", { points: [point(0, 0), point(6, 3), point(6, -3)].join(" "), fill: color }),
    ];
  };
  const node = (cx: number, cy: number, text: string, color: string) => [
    draw("circle", { cx, cy, r: round(r), fill: color, "fill-opacity": 0.15, stroke: color }),
    draw("text", { x: cx, y: cy + 4, "text-anchor": "middle", "font-size": round(Math.min(11, r)) }, text),
  ];
  const isCut = (t: number) => t > 0 && t % length === 0;
  const label = (y: number, text: string) =>
    draw("text", { x: 4, y: y + 4, "font-size": 11, "fill-opacity": 0.7 }, text);
  const times = Array.from({ length: steps }, (_, t) => t);
  const cuts = times.filter(isCut).length;
  return frame(
    draw,
    {
      width,
      height: 168,
      label: `A recurrent network over ${steps} steps; the gradient stops at ${cuts} of ${steps - 1} edges`,
    },
    label(top, "loss"),
    label(middle, "state"),
    label(bottom, "input"),
    ...times.flatMap((t) => [
      ...arrow([x(t), bottom], [x(t), middle], "currentColor"),
      ...arrow([x(t), middle], [x(t), top], "currentColor"),
      ...(t === 0
        ? []
        : arrow([x(t - 1), middle], [x(t), middle], isCut(t) ? cut : "currentColor", isCut(t))),
      ...node(x(t), bottom, `x${t + 1}`, seriesColor(0)),
      ...node(x(t), middle, `h${t + 1}`, seriesColor(0)),
      ...node(x(t), top, `L${t + 1}`, seriesColor(1)),
    ]),
  );
}
