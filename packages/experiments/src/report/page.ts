import type { Figure } from "@gradlab/studies";
import { reportCss } from "./report-css.js";

export interface Page {
  readonly title: string;
  /** HTML between the ends of the page. */
  readonly main: string;
  /** The same in numbers, for programs: a script element of JSON. */
  readonly data: object;
}

/** One self-contained file. */
export function page({ title, main, data }: Page): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>gradlab: ${escapeHtml(title)}</title>
<style>${reportCss}</style>
</head>
<body>
<main>
${main}
</main>
<script type="application/json" id="report">${JSON.stringify(data).replaceAll("<", "\\u003c")}</script>
</body>
</html>
`;
}

export function figureHtml({ svg, caption }: Omit<Figure, "name">): string {
  const width = Number(svg.getAttribute("width"));
  return `<figure><div class="scroll" style="--own-width: ${width}px">${svg.outerHTML}</div><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

/** Names and values below each other. */
export function factsHtml(facts: Readonly<Record<string, string>>): string {
  return Object.entries(facts)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join("\n");
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
