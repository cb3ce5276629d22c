/**
 * A figure as a file: the text of the SVG with its namespace, and with a text
 * colour of its own, since there is no page around it to take one from.
 *
 * @param svg A figure of this package.
 * @param color Colour of text and axes, default near black.
 */
export function svgText(svg: SVGSVGElement, { color = "#1f2328" }: { readonly color?: string } = {}): string {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("color", color);
  return copy.outerHTML;
}
