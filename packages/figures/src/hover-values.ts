import * as Plot from "@observablehq/plot";

/** A point of a line, as it is said under a pointer. */
export interface NamedPoint {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** More places than these are too close together to be pointed at. */
const most = 120;

/** Places that are not seen and say their numbers under a pointer: some of each line, evenly, with its first and last. */
export function hoverValues(points: readonly NamedPoint[]): Plot.Markish {
  const names = [...new Set(points.map(({ name }) => name))];
  const places = names.flatMap((name) => {
    const own = points.filter((point) => point.name === name);
    const count = Math.min(own.length, Math.floor(most / names.length));
    return Array.from(
      { length: count },
      (_, i) => own[Math.round((i * (own.length - 1)) / Math.max(1, count - 1))]!,
    );
  });
  return Plot.dot(places, {
    x: "x",
    y: "y",
    r: 7,
    fill: "none",
    stroke: null,
    pointerEvents: "all",
    title: ({ name, x, y }: NamedPoint) =>
      `${name}: ${Number(y.toPrecision(4))} at ${Number(x.toPrecision(6))}`,
  });
}
