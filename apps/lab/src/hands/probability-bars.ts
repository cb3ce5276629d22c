import { html, type TemplateResult } from "lit";

/** How many classes are shown. */
const most = 5;

export interface ClassShares {
  readonly title: string;
  /** A share for each class. */
  readonly shares: readonly number[];
}

/** The likeliest classes with their probabilities, as a table whose cells are bars; the likeliest of a column is bold. */
export function probabilityBars(
  caption: string,
  classes: readonly string[],
  columns: readonly ClassShares[],
): TemplateResult {
  const highest = classes.map((_, k) => Math.max(...columns.map(({ shares }) => shares[k] ?? 0)));
  const shown = [...classes.keys()].sort((a, b) => highest[b]! - highest[a]!).slice(0, most);
  const tops = columns.map(({ shares }) => Math.max(...shares));
  return html`<table class="bars">
    <caption>${caption}</caption>
    <thead>
      <tr>
        <th scope="col">class</th>
        ${columns.map(({ title }) => html`<th scope="col">${title}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${shown.map(
        (k) => html`<tr>
          <th scope="row">${classes[k]}</th>
          ${columns.map(({ shares }, i) => {
            const share = shares[k] ?? 0;
            return html`<td class=${share === tops[i] ? "top" : ""} style="--share: ${share}">
              ${(100 * share).toFixed(1)} %
            </td>`;
          })}
        </tr>`,
      )}
    </tbody>
  </table>`;
}
