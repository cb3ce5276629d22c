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
}

/**
 * Receptive field against depth, one line per network, on a logarithmic axis.
 *
 * @param networks Sizes in input pixels, along one axis.
 * @throws {RangeError} when no network has a layer with a size.
 */
export function fieldGrowth(
  networks: readonly GrowingNetwork[],
  { document, width = 720, height = 380 }: FieldGrowthOptions,
): SVGSVGElement {
  const points = networks.flatMap(({ name, layers }) =>
    layers.flatMap((layer, i) =>
      layer.size === null ? [] : [{ network: name, layer: layer.name, depth: i + 1, size: layer.size }],
    ),
  );
  if (points.length === 0)
    throw new RangeError("fieldGrowth: networks: expected at least one size, got none");
  const last = networks.flatMap(({ name }) => points.filter(({ network }) => network === name).slice(-1));
  const chart = Plot.plot({
    document,
    width,
    height,
    marginRight: 110,
    marginLeft: 52,
    style: { fontFamily, fontSize: "12px", background: "none" },
    x: {
      label: "layer",
      ticks: 8,
      nice: true,
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
      Plot.line(points, { x: "depth", y: "size", stroke: "network", strokeWidth: 2, curve: "step-after" }),
      Plot.dot(points, {
        x: "depth",
        y: "size",
        fill: "network",
        r: 2.5,
        title: ({ network, layer, size }: (typeof points)[number]) => `${network} ${layer}: ${size} pixels`,
      }),
      Plot.text(spreadLabels(last, height), {
        x: "depth",
        y: "labelAt",
        text: ({ network, size }: (typeof last)[number]) => `${network}  ${size}`,
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

/** Labels at the ends of lines, moved apart on the logarithmic axis where lines end close to each other. */
function spreadLabels<T extends { depth: number; size: number }>(ends: readonly T[], height: number) {
  const highest = Math.max(...ends.map(({ size }) => size));
  const perPixel = Math.log(highest) / (height - 50);
  const labels = ends.map((end) => ({ ...end, labelAt: end.size })).sort((a, b) => a.size - b.size);
  for (let i = 1; i < labels.length; i++) {
    const below = labels[i - 1]!;
    const close = Math.abs(below.depth - labels[i]!.depth) < 30;
    const least = below.labelAt * Math.exp(14 * perPixel);
    if (close && labels[i]!.labelAt < least) labels[i]!.labelAt = least;
  }
  return labels;
}
