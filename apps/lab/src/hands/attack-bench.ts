import { imageRow, imageSource } from "@gradlab/figures";
import { type AttackRecord, type Study, studies } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { drawnOnce } from "../drawn-once.js";
import { figuresView } from "../result-view.js";
import { certificateWords } from "./certificate-words.js";
import type { Hand, HandContext } from "./hand.js";
import { PictureDesk } from "./picture-desk.js";
import { probabilityBars } from "./probability-bars.js";

const robustness = studies.find(({ name }) => name === "robustness") as Study;

/** How far the slider goes, in each norm. */
const farthest: Readonly<Record<string, number>> = { linf: 0.3, l2: 3, l1: 40 };

/** One image under attack: as it was, what was added to it, as it is now; and how accuracy falls with the radius. */
export class AttackBench implements Hand {
  private readonly desk = new PictureDesk((image, isDone) => {
    if (isDone) this.context?.choose({}, { image });
  });
  private context: HandContext | null = null;
  private of: object | null = null;
  private chosen = 0;
  private curve: {
    readonly state: "measuring" | "failed" | "there";
    readonly text: string;
    record?: object;
  } | null = null;

  leave(): void {
    this.context = null;
  }

  view(context: HandContext): TemplateResult {
    this.context = context;
    const record = context.record as AttackRecord | null;
    if (record !== this.of) {
      this.of = record;
      this.chosen = record === null ? 0 : firstFound(record);
    }
    return html`<section class="hand bench" aria-label="Attack">
      <h2>One image under attack</h2>
      ${this.desk.view(context.changed)}
      ${record === null ? html`<p class="note">Press Run, or give a picture.</p>` : this.benchView(context, record)}
      ${this.curveView(context)}
    </section>`;
  }

  private benchView(context: HandContext, record: AttackRecord): TemplateResult {
    const { samples, classes, norm, epsilon, beside } = record;
    const sample = samples[this.chosen]!;
    const picture = beside.pictures[this.chosen]!;
    const name = (k: number) => classes[k] ?? `${k}`;
    const share = (of: readonly number[], k: number) => `${name(k)}, ${(100 * of[k]!).toFixed(1)} %`;
    const { clean, adversarial } = picture.probabilities;
    const pixelated = picture.clean.width < 100;
    const shown = imageRow(
      [
        { ...imageSource(picture.clean), caption: share(clean, sample.cleanPrediction), pixelated },
        {
          ...imageSource(picture.difference),
          caption: `change × ${picture.factor.toPrecision(2)}`,
          pixelated,
        },
        { ...imageSource(picture.adversarial), caption: share(adversarial, sample.prediction), pixelated },
      ],
      { document },
    );
    const most = farthest[norm] ?? 1;
    return html`
      <div class="controls">
        <label
          >Image
          <select
            @change=${(event: Event) => {
              this.chosen = Number((event.target as HTMLSelectElement).value);
              context.changed();
            }}
          >
            ${samples.map(
              (each, i) =>
                html`<option value=${i} ?selected=${i === this.chosen}>
                  ${each.name}: ${name(each.label)}${each.success ? ` → ${name(each.prediction)}` : ", not found"}
                </option>`,
            )}
          </select></label
        >
        <label
          >Target
          <select
            @change=${(event: Event) => {
              const { value } = event.target as HTMLSelectElement;
              context.choose(
                value === "" ? { targeted: false, target: undefined } : { targeted: true, target: value },
              );
            }}
          >
            <option value="" ?selected=${!record.targeted}>any other class</option>
            ${classes.map(
              (each) =>
                html`<option value=${each} ?selected=${record.targeted && context.options.target === each}>${each}</option>`,
            )}
          </select></label
        >
        ${
          epsilon === null
            ? ""
            : html`<label
                ><span>ε in ${norm}: <output .textContent=${`${epsilon}`}></output></span>
                <input
                  type="range"
                  min="0"
                  max=${most}
                  step=${most / 60}
                  .value=${`${epsilon}`}
                  @input=${(event: Event) => {
                    const input = event.target as HTMLInputElement;
                    input.parentElement!.querySelector("output")!.textContent = input.value;
                  }}
                  @change=${(event: Event) =>
                    context.choose({ eps: Number((event.target as HTMLInputElement).value) })}
              /></label>`
        }
      </div>
      ${figuresView([{ caption: captionOf(record, sample.success), svg: shown }], "One image")}
      <p class="verdict" role="status">${certificateWords(sample, { norm, epsilon, name })}</p>
      ${probabilityBars("Probabilities", classes, [
        { title: "before", shares: clean },
        { title: "after", shares: adversarial },
      ])}
    `;
  }

  private curveView(context: HandContext): TemplateResult {
    const { curve } = this;
    return html`
      <h2>Accuracy by ε</h2>
      <button type="button" ?disabled=${curve?.state === "measuring"} @click=${() => void this.measure(context)}>
        Measure it
      </button>
      ${curve === null ? "" : html`<p class=${curve.state === "failed" ? "warning" : "note"} role="status">${curve.text}</p>`}
      ${curve?.record === undefined ? "" : this.curveFigure(curve.record)}
    `;
  }

  private readonly curveFigure = (record: object) =>
    figuresView(
      drawnOnce(record, "Curve", () => robustness.figures!(record, { document })),
      "Curve",
    );

  /** The study `robustness` with the network and the data of the form. */
  private async measure({ options, files, ask, changed }: HandContext): Promise<void> {
    const { image: _image, ...others } = files;
    const norm = `${options.norm ?? "linf"}`;
    const radii = [0.1, 0.2, 0.35, 0.5, 0.75, 1].map((part) =>
      Number((part * farthest[norm]!).toPrecision(3)),
    );
    const own = Object.fromEntries(Object.entries(options).filter(([name]) => name in robustness.options));
    this.curve = { state: "measuring", text: "Measuring with APGD and FAB …" };
    changed();
    const outcome = await ask(
      "robustness",
      { ...own, norm, attack: "quick", eps: radii, count: 20, resume: false },
      others,
    );
    this.curve =
      outcome === null || "failed" in outcome
        ? { state: "failed", text: outcome?.text ?? "Another run is under way." }
        : {
            state: "there",
            text: `The worst of APGD and FAB on 20 images, in ${norm}.`,
            record: outcome.record,
          };
    changed();
  }
}

const firstFound = ({ samples }: AttackRecord): number =>
  Math.max(
    0,
    samples.findIndex(({ success, by }) => success && by !== null),
  );

const captionOf = ({ attack, norm }: AttackRecord, found: boolean): string =>
  found
    ? `As it was, what ${attack} has added in ${norm} (grey is no change), and as it is now.`
    : `${attack} has found no adversarial image: the last picture is the first.`;
