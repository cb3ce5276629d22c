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

/** Numbers in attributes: at most two decimals. */
export function round(value: number): number {
  return Math.round(value * 100) / 100;
}
