import { stackFigures, svgText } from "@gradlab/figures";
import { type Figure, recordJson, type Study } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import type { Result } from "./result.js";
import type { BackendWish } from "./worker/messages.js";

/** Buttons that save a result: as JSON, as a picture, as a table, and the files that the run has kept. */
export function exportButtons(
  study: Study,
  result: Result,
  figures: readonly Pick<Figure, "svg">[],
  { wish, kept }: { readonly wish: BackendWish; readonly kept: ReadonlyMap<string, Uint8Array> | undefined },
): TemplateResult {
  const { record } = result.outcome;
  const picture = () => {
    // Copies: those on the page stay as they are.
    const drawn = figures.map(({ svg }) => svg.cloneNode(true) as SVGSVGElement);
    return svgText(drawn.length === 1 ? drawn[0]! : stackFigures(drawn, { document }));
  };
  const button = (text: string, work: () => void) =>
    html`<button type="button" @click=${work}>${text}</button>`;
  return html`
    ${button("JSON", () => save(`${study.name}.json`, "application/json", jsonOf(study, result, wish)))}
    ${
      figures.length === 0
        ? ""
        : html`${button("SVG", () => save(`${study.name}.svg`, "image/svg+xml", picture()))}
          ${button("PNG", () => void pngOf(picture()).then((png) => save(`${study.name}.png`, "image/png", png)))}`
    }
    ${study.csv === undefined ? "" : button("CSV", () => save(`${study.name}.csv`, "text/csv", study.csv!(record)))}
    ${[...(kept ?? [])].map(([name, bytes]) =>
      button(name, () =>
        save(name, "application/octet-stream", new Blob([bytes as Uint8Array<ArrayBuffer>])),
      ),
    )}
  `;
}

/** The JSON that the command gives with `--json`. */
function jsonOf(study: Study, { outcome, options }: Result, wish: BackendWish): string {
  const { record, backend, warnings } = outcome;
  const { seed = 0, ...own } = options;
  const around = {
    schemaVersion: 1,
    command: study.name,
    options: own,
    seed,
    backend: {
      requested: wish.only,
      actual: backend?.name ?? null,
      device: backend?.device ?? null,
      software: backend?.software ?? null,
    },
    versions: LAB_VERSIONS,
    warnings,
  };
  return `${JSON.stringify({ ...around, ...recordJson(record) }, null, 2)}\n`;
}

function save(name: string, type: string, content: string | Blob): void {
  const url = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A picture of an SVG, twice as many pixels as CSS pixels, on white. */
async function pngOf(svg: string): Promise<Blob> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = 2 * image.width;
  canvas.height = 2 * image.height;
  const context = canvas.getContext("2d")!;
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error("no picture could be made")) : resolve(blob)));
  });
}
