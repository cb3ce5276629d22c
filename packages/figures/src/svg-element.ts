const namespace = "http://www.w3.org/2000/svg";

type Attributes = Readonly<Record<string, string | number | null | undefined>>;

/** Creates SVG elements of one document: `draw("rect", {x: 1}, …children)`; attributes that are null are left out. */
export type Draw = (
  name: string,
  attributes?: Attributes,
  ...children: readonly (Node | string)[]
) => SVGElement;

export function drawOn(document: Document): Draw {
  return (name, attributes = {}, ...children) => {
    const element = document.createElementNS(namespace, name) as SVGElement;
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) element.setAttribute(key, String(value));
    }
    element.append(...children);
    return element;
  };
}

export interface FrameOptions {
  readonly width: number;
  readonly height: number;
  /** What the figure shows, for people who do not see it. */
  readonly label: string;
}

/** The outer `<svg>` of a figure: scales with the page, and its text takes the colour of the surrounding text. */
export function frame(
  draw: Draw,
  { width, height, label }: FrameOptions,
  ...children: Node[]
): SVGSVGElement {
  return draw(
    "svg",
    {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-label": label,
      "font-family": fontFamily,
      "font-size": 12,
      fill: "currentColor",
    },
    draw("title", {}, label),
    ...children,
  ) as SVGSVGElement;
}

export const fontFamily = "Inter, system-ui, sans-serif";

/** Eight colours that stay apart on light and on dark paper. */
export const seriesColors = [
  "#4c78d8",
  "#e8871e",
  "#d84a5b",
  "#2a9d7f",
  "#a05fd0",
  "#c2a01c",
  "#d65fa6",
  "#7d8590",
] as const;

export function seriesColor(index: number): string {
  return seriesColors[index % seriesColors.length]!;
}

const depthStops = [
  "#3d5fd0",
  "#2a93b8",
  "#2a9d7f",
  "#7aa52f",
  "#d9a514",
  "#e8871e",
  "#d84a5b",
  "#a8459e",
] as const;

/** The colour of item `index` of `count` that have an order: blue for the first, purple for the last. */
export function orderedColor(index: number, count: number): string {
  const place = count < 2 ? 0 : (index / (count - 1)) * (depthStops.length - 1);
  const stop = Math.min(Math.floor(place), depthStops.length - 2);
  const channel = (color: string, i: number) => Number.parseInt(color.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => {
    const [from, to] = [channel(depthStops[stop]!, i), channel(depthStops[stop + 1]!, i)];
    return Math.round(from + (to - from) * (place - stop))
      .toString(16)
      .padStart(2, "0");
  });
  return `#${mixed.join("")}`;
}

/** A coloured outline with a light rim, to be seen on any picture. */
export function outline(draw: Draw, box: Attributes, color: string): SVGElement[] {
  return [
    draw("rect", { ...box, fill: "none", stroke: "#fff", "stroke-opacity": 0.78, "stroke-width": 4 }),
    draw("rect", { ...box, fill: "none", stroke: color, "stroke-width": 2 }),
  ];
}

/** One line of a legend: the outline's colour, a name and a value, `width` wide. */
export function outlineLegend(
  draw: Draw,
  { x, line, width, color }: { x: number; line: number; width: number; color: string },
  name: string,
  value: string,
): SVGElement {
  return draw(
    "g",
    { transform: `translate(${round(x)} ${16 + 20 * line})` },
    draw("rect", { width: 12, height: 12, y: -10, rx: 2, fill: "none", stroke: color, "stroke-width": 2.5 }),
    draw("text", { x: 19, "font-weight": 600 }, name),
    draw("text", { x: width, "text-anchor": "end", "fill-opacity": 0.7, "font-size": 11 }, value),
  );
}

/** Numbers in attributes: at most two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
