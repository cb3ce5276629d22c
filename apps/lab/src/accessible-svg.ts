/**
 * A figure as one picture with a name: what a chart library writes on groups without a role (`aria-label="line"`) says
 * nothing to a screen reader, and the numbers stand in a table.
 */
export function accessibleSvg(svg: SVGSVGElement, name: string): SVGSVGElement {
  for (const element of svg.querySelectorAll("[aria-label]:not([role])"))
    element.removeAttribute("aria-label");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", name);
  return svg;
}
