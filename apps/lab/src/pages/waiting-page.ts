import { html } from "lit";
import type { FirstResult } from "../first-result.js";
import type { LabPage } from "../lab-page.js";
import { shownView } from "../result-view.js";
import { titleOf } from "../shell.js";

/** A page whose code is not there yet: what was computed when the lab was built. */
export function waitingPage(
  { name, help }: { readonly name: string; readonly help: string },
  first: Promise<FirstResult | null>,
  changed: () => void,
): LabPage {
  let result: FirstResult | null = null;
  void first.then((found) => {
    result = found;
    changed();
  });
  return {
    title: titleOf(name),
    leave: () => undefined,
    view: () => html`
      <h1 tabindex="-1">${titleOf(name)}</h1>
      <p class="lead">${help}</p>
      ${result?.shown ? shownView(result.shown) : ""}
    `,
  };
}
