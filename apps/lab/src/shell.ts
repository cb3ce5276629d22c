import { html, type TemplateResult } from "lit";
import type { BackendWish } from "./worker/messages.js";

export interface Shell {
  readonly pages: readonly { readonly name: string; readonly help: string }[];
  readonly here: string;
  readonly page: unknown;
  /** For screen readers. */
  readonly said: string;
  /** For how many seconds a worker at work has not answered; 0 where it does. */
  readonly silent: number;
  readonly abandon: () => void;
  readonly wish: BackendWish;
  readonly choose: (change: Partial<BackendWish>) => void;
}

const backends = ["auto", "webgpu", "webgl", "wasm", "cpu"] as const;

/** What stands around every page: the menu, the choice of a backend, and the line that screen readers read. */
export function shell({ pages, here, page, said, silent, abandon, wish, choose }: Shell): TemplateResult {
  const link = (name: string, text: string) => html`<li>
    <a
      href=${name === "home" ? "./" : `?page=${name}`}
      aria-current=${name === here ? "page" : "false"}
      >${text}</a
    >
  </li>`;
  return html`
    <a class="skip" href="#main" @click=${skip}>Skip to the page</a>
    <header>
      <p class="name">gradlab</p>
      <div class="backend">
        <label for="backend">Backend</label>
        <select
          id="backend"
          @change=${(event: Event) =>
            choose({ only: (event.target as HTMLSelectElement).value as BackendWish["only"] })}
        >
          ${backends.map((name) => html`<option value=${name} ?selected=${name === wish.only}>${name}</option>`)}
        </select>
        <label class="check" title="Take a GPU too that is computed in software"
          ><input
            type="checkbox"
            .checked=${wish.allowSoftwareGpu}
            @change=${(event: Event) =>
              choose({ allowSoftwareGpu: (event.target as HTMLInputElement).checked })}
          />
          software GPU</label
        >
      </div>
      <nav aria-label="Pages">
        <ul>
          ${link("home", "Home")} ${pages.map(({ name }) => link(name, titleOf(name)))}
          ${link("report", "Report")}
        </ul>
      </nav>
    </header>
    ${
      silent === 0
        ? ""
        : html`<div class="warning silent" role="alert">
            <p>The worker has not answered for ${silent} s: it is busy with one long step, or it hangs.</p>
            <button type="button" @click=${abandon}>End it</button>
          </div>`
    }
    <main id="main" tabindex="-1">${page}</main>
    <footer>
      <p>Everything is computed in this page. Nothing leaves this machine.</p>
    </footer>
    <p class="said" role="status" aria-live="polite">${said}</p>
  `;
}

/** `train-cnn` as a title: `Train cnn`. */
export function titleOf(name: string): string {
  const words = name.replaceAll("-", " ").replace(/\b(cnn|lms|lm|gpt)\b/g, (word) => word.toUpperCase());
  return words[0]!.toUpperCase() + words.slice(1);
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}
