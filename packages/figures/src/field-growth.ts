import * as Plot from "@observablehq/plot";
import { fontFamily, seriesColors } from "./svg-element.js";

export interface GrowingNetwork {
  readonly name: string;
  /** One size per layer, in the order of computation; null where no single one exists. */
  readonly layers: readonly { readonly name: string; readonly size: number | null }[];
}

export interface FieldGrowthOptions {
  readonly document: Document;
  readonly width?: number;
  readonly height?: number;
  /** What one step along the horizontal axis is, default "layer". */
  readonly depthLabel?: string;
}

/**
 * Receptive field against depth, one line per network, on a logarithmic axis.
 *
 * @param networks Sizes in input pixels, along one axis.
 * @throws {RangeError} when no network has a layer with a size.
 */
export function fieldGrowth(
  networks: readonly GrowingNetwork[],
  { document, width = 720, height = 380, depthLabel = "layer" }: FieldGrowthOptions,
): SVGSVGElement {
  const points = networks.flatMap(({ name, layers }) =>
    layers.flatMap((layer, i) =>
      layer.size === null ? [] : [{ network: name, layer: layer.name, depth: i + 1, size: layer.size }],
    ),
  );
  if (points.length === 0)
    throw new RangeError("fieldGrowth: networks: expected at least one size, got none");
  const ends = networks.flatMap(({ name }) => points.filter(({ network }) => network === name).slice(-1));
  const deepest = Math.max(...points.map(({ depth }) => depth));
  const marginBottom = 40;
  const labels = spreadLabels(ends, height - marginBottom - 20);
  const chart = Plot.plot({
    document,
    width,
    height,
    marginRight: 150,
    marginLeft: 52,
    marginBottom,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: {
      label: depthLabel,
      labelAnchor: "center",
      labelArrow: "none",
      domain: [1, Math.max(deepest, 2)],
      ticks: Math.min(deepest, 8),
      tickFormat: (depth: number) => (Number.isInteger(depth) ? `${depth}` : ""),
    },
    y: {
      type: "log",
      label: "receptive field (pixels)",
      grid: true,
      tickFormat: (size: number) => `${size}`,
    },
    color: { domain: networks.map(({ name }) => name), range: [...seriesColors] },
    marks: [
      Plot.line(points, { x: "depth", y: "size", stroke: "network", strokeWidth: 2 }),
      Plot.dot(points, {
        x: "depth",
        y: "size",
        fill: "network",
        r: 2.5,
        title: ({ network, layer, size }: (typeof points)[number]) => `${network} ${layer}: ${size} pixels`,
      }),
      Plot.link(labels, {
        x1: "depth",
        y1: "size",
        x2: () => deepest,
        y2: "labelAt",
        stroke: "network",
        strokeOpacity: 0.45,
        strokeDasharray: "2 3",
      }),
      Plot.text(labels, {
        x: () => deepest,
        y: "labelAt",
        text: ({ network, size }: (typeof labels)[number]) => `${network}  ${size}`,
        textAnchor: "start",
        dx: 8,
        fill: "network",
        fontWeight: 600,
      }),
    ],
  });
  chart.setAttribute("role", "img");
  chart.setAttribute(
    "aria-label",
    `Receptive field by layer of ${networks.map(({ name }) => name).join(", ")}`,
  );
  return chart as SVGSVGElement;
}

/** Heights for the labels at the right edge, in the order of the final sizes and far enough apart to be read. */
function spreadLabels<T extends { size: number }>(
  ends: readonly T[],
  height: number,
): (T & { labelAt: number })[] {
  const highest = Math.log(Math.max(...ends.map(({ size }) => size)));
  const gap = (16 * highest) / height; // in the logarithm of the size
  const labels = ends.map((end) => ({ end, at: Math.log(end.size) })).sort((a, b) => b.at - a.at);
  for (let i = 1; i < labels.length; i++) labels[i]!.at = Math.min(labels[i]!.at, labels[i - 1]!.at - gap);
  return labels.map(({ end, at }) => ({ ...end, labelAt: Math.exp(at) }));
}
