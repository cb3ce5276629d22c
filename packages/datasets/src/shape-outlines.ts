/**
 * How far a point is from the outline of a shape, negative inside. The shapes are about as large as the unit circle
 * around the origin; x to the right, y down.
 */
export type Outline = (x: number, y: number) => number;

type Point = readonly [x: number, y: number];

/** Distance from the segment between two points. */
function segmentDistance(x: number, y: number, x0: number, y0: number, x1: number, y1: number): number {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const along = ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy);
  const t = Math.max(0, Math.min(1, along));
  const u = x - x0 - t * dx;
  const v = y - y0 - t * dy;
  return Math.sqrt(u * u + v * v);
}

/** A filled polygon: the distance from its nearest edge, inside or outside by the crossings of a ray. */
function polygon(points: readonly Point[]): Outline {
  const n = points.length;
  const xs = Float64Array.from(points, ([x]) => x);
  const ys = Float64Array.from(points, ([, y]) => y);
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    let inside = false;
    for (let i = 0, j = n - 1; i < n; j = i++) {
      const x0 = xs[j]!;
      const y0 = ys[j]!;
      const x1 = xs[i]!;
      const y1 = ys[i]!;
      const distance = segmentDistance(x, y, x0, y0, x1, y1);
      if (distance < nearest) nearest = distance;
      if (y0 > y !== y1 > y && x < x0 + ((x1 - x0) * (y - y0)) / (y1 - y0)) inside = !inside;
    }
    return inside ? -nearest : nearest;
  };
}

/** Lines of a certain thickness with round ends, each through its points. */
function strokes(halfWidth: number, ...lines: readonly (readonly Point[])[]): Outline {
  const segments = Float64Array.from(
    lines.flatMap((points) => points.slice(1).flatMap((end, i) => [...points[i]!, ...end])),
  );
  return (x, y) => {
    let nearest = Number.POSITIVE_INFINITY;
    for (let s = 0; s < segments.length; s += 4) {
      const distance = segmentDistance(
        x,
        y,
        segments[s]!,
        segments[s + 1]!,
        segments[s + 2]!,
        segments[s + 3]!,
      );
      if (distance < nearest) nearest = distance;
    }
    return nearest - halfWidth;
  };
}

/** A disc. */
function disc(cx: number, cy: number, radius: number): Outline {
  return (x, y) => Math.sqrt((x - cx) * (x - cx) + (y - cy) * (y - cy)) - radius;
}

/** Points at equal steps on a part of a circle; angles in turns, clockwise from the right. */
function arc(cx: number, cy: number, radius: number, from: number, to: number, steps = 8): Point[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = 2 * Math.PI * (from + ((to - from) * i) / steps);
    return [cx + radius * Math.cos(angle), cy + radius * Math.sin(angle)];
  });
}

/** A star of `points` points, the first one on top. */
function star(points: number, inner: number): Outline {
  const outside = arc(0, 0, 1, -1 / 4, 3 / 4, points);
  const between = arc(0, 0, inner, -1 / 4 + 1 / (2 * points), 3 / 4 + 1 / (2 * points), points);
  return polygon(outside.slice(0, points).flatMap((point, i) => [point, between[i]!]));
}

const fullDisc = disc(0, 0, 0.85);
const hole = disc(0, 0, 0.47);
const bitten = disc(0, 0, 0.9);
const bite = disc(0.48, 0, 0.72);
const W = 0.19; // half the thickness of a glyph's strokes

/** The classes, in the order of their labels: solid shapes and glyphs by turns. */
export const shapeOutlines: readonly (readonly [name: string, outline: Outline])[] = [
  ["disc", fullDisc],
  [
    "T",
    strokes(
      W,
      [
        [-0.68, -0.72],
        [0.68, -0.72],
      ],
      [
        [0, -0.72],
        [0, 0.78],
      ],
    ),
  ],
  [
    "square",
    polygon([
      [-0.72, -0.72],
      [0.72, -0.72],
      [0.72, 0.72],
      [-0.72, 0.72],
    ]),
  ],
  ["S", strokes(W, [...arc(0, -0.38, 0.38, -0.04, -0.75), ...arc(0, 0.38, 0.38, -0.25, 0.46)])],
  [
    "triangle",
    polygon([
      [0, -0.95],
      [0.88, 0.68],
      [-0.88, 0.68],
    ]),
  ],
  [
    "H",
    strokes(
      W,
      [
        [-0.55, -0.75],
        [-0.55, 0.75],
      ],
      [
        [0.55, -0.75],
        [0.55, 0.75],
      ],
      [
        [-0.55, 0],
        [0.55, 0],
      ],
    ),
  ],
  ["ring", (x, y) => Math.max(fullDisc(x, y), -hole(x, y))],
  [
    "E",
    strokes(
      W,
      [
        [0.5, -0.75],
        [-0.5, -0.75],
        [-0.5, 0.75],
        [0.5, 0.75],
      ],
      [
        [-0.5, 0],
        [0.35, 0],
      ],
    ),
  ],
  ["star", star(5, 0.42)],
  [
    "cross",
    strokes(
      0.24,
      [
        [-0.72, 0],
        [0.72, 0],
      ],
      [
        [0, -0.72],
        [0, 0.72],
      ],
    ),
  ],
  ["crescent", (x, y) => Math.max(bitten(x, y), -bite(x, y))],
  [
    "A",
    strokes(
      W,
      [
        [-0.62, 0.78],
        [0, -0.78],
        [0.62, 0.78],
      ],
      [
        [-0.36, 0.2],
        [0.36, 0.2],
      ],
    ),
  ],
  [
    "arrow",
    polygon([
      [-0.9, -0.24],
      [0.1, -0.24],
      [0.1, -0.72],
      [0.95, 0],
      [0.1, 0.72],
      [0.1, 0.24],
      [-0.9, 0.24],
    ]),
  ],
  [
    "K",
    strokes(
      W,
      [
        [-0.5, -0.78],
        [-0.5, 0.78],
      ],
      [
        [0.55, -0.75],
        [-0.45, 0.05],
      ],
      [
        [-0.12, -0.2],
        [0.58, 0.78],
      ],
    ),
  ],
  [
    "hourglass",
    polygon([
      [-0.75, -0.85],
      [0.75, -0.85],
      [0.16, 0],
      [0.75, 0.85],
      [-0.75, 0.85],
      [-0.16, 0],
    ]),
  ],
  [
    "L",
    strokes(W, [
      [-0.45, -0.78],
      [-0.45, 0.7],
      [0.55, 0.7],
    ]),
  ],
];
