import { learningCurves } from "@gradlab/figures";
import { duration, labelName, withOptionNames } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { type RunState, secondsLeft } from "./run-state.js";

/** How far a run is, what it has said, and its loss as it comes. */
export function progressView(run: RunState, now: number): TemplateResult {
  const { phase, progress, notes, failure } = run;
  if (phase === "failed") {
    return failure!.failed === "stopped"
      ? html`<p class="told" role="status">Stopped.</p>`
      : html`<p class="failure" role="alert">${withOptionNames(failure!.text, labelName)}</p>`;
  }
  if (phase === "done") return html``;
  const left = secondsLeft(run, now);
  const bar =
    progress === null
      ? html`<progress aria-label="Progress"></progress>`
      : html`<progress aria-label="Progress" max=${progress.total} value=${progress.done}></progress>`;
  const text = phase === "stopping" ? "stopping …" : phase === "paused" ? "paused" : (progress?.text ?? "…");
  return html`<section class="progress" aria-label="Run">
    <p>
      ${bar} ${text}${progress === null ? "" : html` · ${progress.done} of ${progress.total}`}${
        left === null || phase !== "running" ? "" : ` · ${duration(left)} left`
      }
    </p>
    ${liveCurve(run)}
    ${notes.slice(-6).map((note) => html`<p class="note">${withOptionNames(note, labelName)}</p>`)}
  </section>`;
}

interface LoggedStep {
  readonly step?: unknown;
  readonly loss?: unknown;
}

/** The loss of every logged step, drawn as it comes. */
function liveCurve({ log }: RunState): TemplateResult | string {
  const points = (log as readonly LoggedStep[]).flatMap(({ step, loss }) =>
    typeof step === "number" && typeof loss === "number" && loss > 0 && Number.isFinite(loss)
      ? [[step, loss] as const]
      : [],
  );
  if (points.length < 2) return "";
  const curve = learningCurves([{ name: "loss", points }], {
    document,
    height: 260,
    timeLabel: "step",
    errorLabel: "loss",
  });
  return html`<div class="picture">${curve}</div>`;
}
