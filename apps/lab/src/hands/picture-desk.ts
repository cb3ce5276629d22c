import { examples } from "virtual:pages";
import { html, type TemplateResult } from "lit";
import { builtFile } from "../needed-files.js";
import type { GivenFiles } from "../worker/messages.js";
import { DrawingPad } from "./drawing-pad.js";

/** Takes a picture, or none any more; not done while its stroke still grows. */
type TakePicture = (picture: GivenFiles | null, isDone: boolean) => void;

/** Where a picture is drawn, dropped, or taken from a few that are there. */
export class PictureDesk {
  private readonly pad: DrawingPad;
  private readonly take: TakePicture;
  /** What lies on the desk. */
  name: string | null = null;

  constructor(take: TakePicture) {
    this.take = take;
    this.pad = new DrawingPad((isDone) => {
      this.name = "drawn.png";
      void this.pad.picture().then((picture) => this.give("drawn.png", picture, isDone));
    });
  }

  view(changed: () => void): TemplateResult {
    const show = (name: string, picture: Blob) => {
      this.name = name;
      void this.pad.show(picture).then(changed, changed);
      this.give(name, picture, true);
    };
    return html`<div
      class="desk"
      @dragover=${(event: DragEvent) => event.preventDefault()}
      @drop=${(event: DragEvent) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file !== undefined) show(file.name, file);
      }}
    >
      ${this.pad.view(changed)}
      <div class="beside">
        <p class="note">Draw, drop a picture, or take one of these:</p>
        <div class="examples" role="group" aria-label="Pictures">
          ${examples.map(
            (name) => html`<button
              type="button"
              class="example"
              aria-label=${name.replace(".png", "")}
              title=${name.replace(".png", "")}
              aria-pressed=${this.name === name ? "true" : "false"}
              @click=${() => void fetch(builtFile(name)).then(async (response) => show(name, await response.blob()))}
            >
              <img src=${builtFile(name).href} alt="" width="28" height="28" loading="lazy" />
            </button>`,
          )}
        </div>
        <button
          type="button"
          ?disabled=${this.pad.isBlank}
          @click=${() => {
            this.pad.clear();
            this.name = null;
            this.take(null, true);
            changed();
          }}
        >
          Clear
        </button>
      </div>
    </div>`;
  }

  private give(name: string, picture: Blob, isDone: boolean): void {
    this.take({ label: name, names: [name], files: [[name, picture]] }, isDone);
  }
}
