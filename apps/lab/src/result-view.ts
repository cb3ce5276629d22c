import type { Column, Figure, Table } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { unsafeSVG } from "lit/directives/unsafe-svg.js";
import { accessibleSvg } from "./accessible-svg.js";
import type { Shown } from "./first-result.js";

/** Tables and figures that were made when the lab was built. */
export function shownView({ tables, figures }: Shown): TemplateResult {
  const drawn = figures.map(({ caption, svg }) =>
    figureView(caption, unsafeSVG(svg), /\bwidth="([\d.]+)"/.exec(svg)?.[1]),
  );
  return html`${drawn} ${tables.map((table, place) => tableView(table, place, ""))}`;
}

/**
 * Tables and figures of a record.
 *
 * @param of Whose they are, where others of the same names stand on the page.
 */
export function resultView(
  tables: readonly Table[],
  figures: readonly Pick<Figure, "caption" | "svg">[],
  of = "",
): TemplateResult {
  return html`${figuresView(figures, of)} ${tables.map((table, place) => tableView(table, place, of))}`;
}

const named = (of: string, name: string) => (of === "" ? name : `${of}: ${name}`);

export const figuresView = (figures: readonly Pick<Figure, "caption" | "svg">[], of = "") =>
  figures.map(({ caption, svg }) =>
    figureView(caption, accessibleSvg(svg, caption), svg.getAttribute("width"), of),
  );

/** @param width In pixels: on a phone a figure is no larger than that. */
const figureView = (
  caption: string,
  picture: unknown,
  width: string | null | undefined,
  of = "",
) => html`<figure>
  <div class="picture" role="region" aria-label=${named(of, caption)} tabindex="0" style="--own: ${Number(width) || 720}px">${picture}</div>
  <figcaption>${caption}</figcaption>
</figure>`;

/** Longer texts in a table may be broken into lines. */
const longest = 24;

function tableView({ title, columns, rows, notes }: Table, place: number, of: string): TemplateResult {
  const aligned = (column: Column | undefined) => (column?.align === "right" ? "number" : "");
  const table = html`<div class="wide" role="region" aria-label=${named(of, title ?? `Table ${place + 1}`)} tabindex="0">
    <table>
      ${title === undefined ? "" : html`<caption>${title}</caption>`}
      <thead>
        <tr>
          ${columns.map((column) =>
            column.title === ""
              ? html`<td></td>`
              : html`<th scope="col" class=${aligned(column)}>${column.title}</th>`,
          )}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) => html`<tr>
            ${row.map((text, at) => html`<td class="${aligned(columns[at])} ${text.length > longest ? "long" : ""}">${text}</td>`)}
          </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
  return html`<section class="table">
    ${columns.length > 0 ? table : title === undefined ? "" : html`<h3>${title}</h3>`}
    ${notes.map((note) =>
      // A note may be a table already.
      note.includes("\n")
        ? html`<pre role="region" aria-label=${named(of, title ?? `Text ${place + 1}`)} tabindex="0">${note}</pre>`
        : html`<p class="note">${note}</p>`,
    )}
  </section>`;
}
