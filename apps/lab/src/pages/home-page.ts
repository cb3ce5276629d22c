import { html } from "lit";
import type { LabPage } from "../lab-page.js";
import { titleOf } from "../shell.js";

/** The pages there are, each with what it shows. */
export function homePage(pages: readonly { readonly name: string; readonly help: string }[]): LabPage {
  return {
    title: "Home",
    leave: () => undefined,
    view: () => html`
      <h1 tabindex="-1">Look into neural networks, on your own machine</h1>
      <p class="lead">
        Receptive fields, classic networks and attacks on them, language models, attention, adaptive filters: the numbers
        of the gradlab command, computed live in this page.
      </p>
      <ul class="cards">
        ${pages.map(
          ({ name, help }) => html`<li>
            <h2><a href=${`?page=${name}`}>${titleOf(name)}</a></h2>
            <p>${help}</p>
          </li>`,
        )}
        <li>
          <h2><a href="?page=report">Report</a></h2>
          <p>every known result, computed here and compared, verdict by verdict</p>
        </li>
      </ul>
    `,
  };
}
