import { type ClassifyRecord, labelName, type Study, studies, withOptionNames } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { drawnOnce } from "../drawn-once.js";
import { figuresView } from "../result-view.js";
import type { GivenFiles } from "../worker/messages.js";
import type { Hand, HandContext } from "./hand.js";
import { Latest } from "./latest.js";
import { PictureDesk } from "./picture-desk.js";
import { probabilityBars } from "./probability-bars.js";

const classify = studies.find(({ name }) => name === "classify") as Study;

/** Options of the page that the study `classify` has too. */
const shared = (options: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name in classify.options));

/** A picture is drawn, and one sees at once what every layer of a trained network makes of it. */
export class LiveLook implements Hand {
  private readonly desk = new PictureDesk((picture) => this.look(picture));
  private readonly latest = new Latest();
  private readonly own: boolean;
  private context: HandContext | null = null;
  private looked: ClassifyRecord | null = null;
  private failure = "";
  private picture: GivenFiles | null = null;
  /** The network that has looked, or the training that it comes of; null where the look was cut off. */
  private by: object | null | undefined;

  /** @param own Whether the network and its settings are those of the page's form, instead of what was trained. */
  constructor(own: boolean) {
    this.own = own;
  }

  leave(): void {
    this.context = null;
  }

  view(context: HandContext): TemplateResult {
    this.context = context;
    const { looked } = this;
    if (this.picture !== null && this.by !== this.networkOf(context)) this.look(this.picture);
    return html`<section class="hand" aria-label="Live">
      <h2>What the network sees, live</h2>
      <div class="live">
        ${this.desk.view(context.changed)} ${looked === null ? "" : predictionView(looked)}
      </div>
      ${this.failure === "" ? "" : html`<p class="warning">${this.failure}</p>`}
      ${
        looked === null
          ? ""
          : figuresView(
              drawnOnce(looked, "Live", () => classify.figures!(looked, { document })),
              "Live",
            )
      }
    </section>`;
  }

  private networkOf({ files, record }: HandContext): object | undefined {
    return this.own ? networkIn(files) : (record ?? undefined);
  }

  private look(picture: GivenFiles | null): void {
    this.picture = picture;
    if (this.context !== null) this.by = this.networkOf(this.context);
    if (picture === null) {
      this.looked = null;
      return;
    }
    void this.latest.do(async () => {
      const { context } = this;
      if (context === null) return;
      const files = this.own
        ? context.files
        : await context.trained("train-cnn").then(
            (weights) => ({ weights }),
            () => ({}),
          );
      if (networkIn(files) === undefined) {
        this.failure = "Expected weights of a network, got none.";
        this.looked = null;
        return context.changed();
      }
      const options = { ...(this.own && shared(context.options)), maps: true, top: 1000, seed: 0 };
      const outcome = await context.ask("classify", options, { ...files, image: picture });
      if (outcome === null || ("failed" in outcome && outcome.failed === "stopped")) {
        // A run of the page goes first; when it is over, the page is drawn again.
        this.by = null;
        return;
      }
      this.failure = "failed" in outcome ? withOptionNames(outcome.text, labelName) : "";
      this.looked = "failed" in outcome ? null : (outcome.record as ClassifyRecord);
      context.changed();
    });
  }
}

const networkIn = ({ model, weights }: Readonly<Record<string, GivenFiles>>) => model ?? weights;

function predictionView({ network, images, scores }: ClassifyRecord): TemplateResult {
  const { predictions } = images[0]!;
  const areShares = scores.kind !== "none";
  const shares: number[] = [];
  const classes: string[] = [];
  for (const { index, label, probability } of predictions) {
    shares[index] = probability;
    classes[index] = label ?? `${index}`;
  }
  const [first] = predictions;
  const score = first!.probability;
  return html`<div class="seen-as">
    <p class="verdict" role="status">
      <strong>${first!.label ?? first!.index}</strong>, ${areShares ? `${(100 * score).toFixed(1)} %` : Number(score.toPrecision(4))}
      <span class="hint">by ${network}</span>
    </p>
    ${areShares ? probabilityBars("Probabilities", classes, [{ title: "probability", shares }]) : ""}
  </div>`;
}
