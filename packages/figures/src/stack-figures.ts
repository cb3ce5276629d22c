/** Figures below each other in one drawing. */
export function stackFigures(
  figures: readonly SVGSVGElement[],
  { document, gap = 24 }: { readonly document: Document; readonly gap?: number },
): SVGSVGElement {
  const create = (name: string) => document.createElementNS("http://www.w3.org/2000/svg", name);
  const size = (svg: SVGSVGElement, side: "width" | "height") => Number(svg.getAttribute(side));
  const outer = create("svg") as SVGSVGElement;
  const width = Math.max(...figures.map((svg) => size(svg, "width")));
  let top = 0;
  for (const svg of figures) {
    const group = create("g");
    for (const name of ["fill", "font-family", "font-size", "text-anchor", "style"]) {
      const value = svg.getAttribute(name);
      if (value !== null) group.setAttribute(name, value);
    }
    group.setAttribute("transform", `translate(0 ${top})`);
    // A style of the figure speaks of its outer element, which is gone.
    group.append(...[...svg.childNodes].filter(({ nodeName }) => nodeName !== "style"));
    outer.append(group);
    top += size(svg, "height") + gap;
  }
  const height = top - gap;
  outer.setAttribute("width", `${width}`);
  outer.setAttribute("height", `${height}`);
  outer.setAttribute("viewBox", `0 0 ${width} ${height}`);
  outer.setAttribute("role", "img");
  outer.setAttribute("aria-label", figures.map((svg) => svg.getAttribute("aria-label")).join("; "));
  return outer;
}
