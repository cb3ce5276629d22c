import type { LayerRow, Unit } from "@gradlab/receptive-field";
import { html, svg, type TemplateResult } from "lit";
import type { Hand, HandContext } from "./hand.js";

interface FieldRecord {
  readonly inputSize: readonly (number | null)[];
  readonly origin: "index" | "half" | "one";
  readonly layers: readonly LayerRow[];
  readonly unit?: Unit;
}

type Pair = readonly [y: number, x: number];

/** Where the first pixel's centre is, by the origin of the table. */
const offsets = { index: 0, half: 0.5, one: 1 } as const;

/** More units than these are not drawn one by one. */
const mostDrawn = 4096;

/** The input of a network, over which one points at units of a layer and sees what they see. */
export class UnitPicker implements Hand {
  private layer: string | null = null;
  private index: Pair = [0, 0];
  private unit: Unit | null = null;
  private picture: { readonly of: Blob; readonly url: string } | null = null;
  /** The newest question; older answers are dropped. */
  private asked = 0;

  leave(): void {
    if (this.picture !== null) URL.revokeObjectURL(this.picture.url);
  }

  view(context: HandContext): TemplateResult | string {
    if (context.record === null) return "";
    const { inputSize, layers, unit, origin } = context.record as FieldRecord;
    const [height, width] = inputSize;
    if (inputSize.length !== 2 || height == null || width == null) {
      return html`<p class="note">With an input size of two axes one can point at units here.</p>`;
    }
    const pickable = layers.filter(({ n, jump, start }) =>
      [n, jump, start].every((axes) => !axes.includes(null)),
    );
    if (pickable.length === 0) return "";
    const wanted = this.layer ?? unit?.layer;
    // The last layer of which there is more than one unit to point at.
    const row =
      pickable.find(({ name }) => name === wanted) ??
      pickable.findLast(({ n }) => n.every((count) => count! > 1)) ??
      pickable.at(-1)!;
    if (this.layer === null && unit !== undefined) {
      this.unit = unit;
      this.index = unit.index as Pair;
    }
    const offset = offsets[origin];
    const centre = (axis: 0 | 1, at: number) => row.start[axis]! - offset + 0.5 + row.jump[axis]! * at;
    const shown = this.unit?.layer === row.name ? this.unit : null;
    const point = (index: Pair) => this.point(context, row, index);
    const indexAt = (event: PointerEvent): Pair => {
      const box = (event.currentTarget as Element).getBoundingClientRect();
      const y = ((event.clientY - box.top) / box.height) * height;
      const x = ((event.clientX - box.left) / box.width) * width;
      return [
        nearest(row, 0, y - (row.start[0]! - offset + 0.5)),
        nearest(row, 1, x - (row.start[1]! - offset + 0.5)),
      ];
    };
    return html`<section class="hand" aria-label="Units">
      <h2>What a unit sees</h2>
      <label for="picked-layer">Layer</label>
      <select
        id="picked-layer"
        @change=${(event: Event) => {
          this.layer = (event.target as HTMLSelectElement).value;
          const chosen = pickable.find(({ name }) => name === this.layer)!;
          this.point(context, chosen, [Math.floor(chosen.n[0]! / 2), Math.floor(chosen.n[1]! / 2)]);
        }}
      >
        ${pickable.map(
          ({ name, n }) =>
            html`<option value=${name} ?selected=${name === row.name}>${name} (${n.join(" x ")} units)</option>`,
        )}
      </select>
      <svg
        class="field"
        viewBox="0 0 ${width} ${height}"
        role="img"
        aria-label=${shown === null ? "The input" : wordsOf(shown)}
        @pointermove=${(event: PointerEvent) => point(indexAt(event))}
        @click=${(event: PointerEvent) => context.choose({ layer: row.name, unit: indexAt(event) })}
      >
        ${this.pictureView(context, height, width)}
        ${
          row.n[0]! * row.n[1]! > mostDrawn
            ? ""
            : svg`<path class="units" d=${dots(row, centre)} stroke-width=${Math.max(0.4, Math.min(...(row.jump as number[])) / 5)}></path>`
        }
        ${shown === null ? "" : boxView(shown)}
      </svg>
      <div class="actions" role="group" aria-label="Move the unit">
        ${(
          [
            ["Up", -1, 0],
            ["Down", 1, 0],
            ["Left", 0, -1],
            ["Right", 0, 1],
          ] as const
        ).map(
          ([name, dy, dx]) =>
            html`<button
              type="button"
              @click=${() => point([within(row, 0, this.index[0] + dy), within(row, 1, this.index[1] + dx)])}
            >
              ${name}
            </button>`,
        )}
      </div>
      <p class="note" role="status">${shown === null ? "Point at the input, or move the unit." : wordsOf(shown)}</p>
    </section>`;
  }

  private point(context: HandContext, row: LayerRow, index: Pair): void {
    if (this.unit?.layer === row.name && this.index[0] === index[0] && this.index[1] === index[1]) return;
    this.layer = row.name;
    this.index = index;
    const asked = ++this.asked;
    void context.peek({ layer: row.name, unit: index }).then((record) => {
      if (record === null || asked !== this.asked) return;
      this.unit = (record as FieldRecord).unit ?? null;
      context.changed();
    });
  }

  private pictureView({ files }: HandContext, height: number, width: number): TemplateResult | string {
    const content = files.image?.files[0]?.[1];
    if (content === undefined) return svg`<rect class="blank" width=${width} height=${height}></rect>`;
    const blob = content instanceof Blob ? content : new Blob([content as Uint8Array<ArrayBuffer>]);
    if (this.picture?.of !== blob) {
      this.leave();
      this.picture = { of: blob, url: URL.createObjectURL(blob) };
    }
    return svg`<image href=${this.picture.url} width=${width} height=${height} preserveAspectRatio="xMidYMid slice"></image>`;
  }
}

const within = (row: LayerRow, axis: 0 | 1, at: number): number =>
  Math.min(Math.max(at, 0), row.n[axis]! - 1);

const nearest = (row: LayerRow, axis: 0 | 1, distance: number): number =>
  within(row, axis, Math.round(distance / row.jump[axis]!));

function dots(row: LayerRow, centre: (axis: 0 | 1, at: number) => number): string {
  const parts: string[] = [];
  for (let y = 0; y < row.n[0]!; y++) {
    for (let x = 0; x < row.n[1]!; x++) parts.push(`M${centre(1, x)} ${centre(0, y)}h0`);
  }
  return parts.join("");
}

function boxView({ axes }: Unit): TemplateResult | string {
  const [y, x] = axes;
  if (!y?.pixels || !x?.pixels) return "";
  return svg`<rect class="seen" x=${x.pixels[0]} y=${y.pixels[0]} width=${x.pixels[1] - x.pixels[0] + 1} height=${y.pixels[1] - y.pixels[0] + 1}></rect>`;
}

function wordsOf({ layer, index, axes, contributing }: Unit): string {
  const [y, x] = axes;
  if (!y?.clipped || !x?.clipped) return `Unit ${index.join(", ")} of ${layer} sees nothing of the input.`;
  const rows = y.clipped.join(" to ");
  const columns = x.clipped.join(" to ");
  const count = contributing === null ? "" : `; ${contributing} pixels contribute`;
  return `Unit ${index.join(", ")} of ${layer} sees rows ${rows} and columns ${columns}${count}.`;
}
