import type { Experiment } from "@gradlab/experiments";
import { checkTable } from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { drawnOnce } from "../drawn-once.js";
import type { LabPage, LabServices } from "../lab-page.js";
import { resultView } from "../result-view.js";
import type { ExperimentOutcome, Failed } from "../worker/messages.js";

/** The report of `reproduce`: every experiment, run here, verdict by verdict. */
export class ReportPage implements LabPage {
  readonly title = "Report";
  private readonly outcomes = new Map<string, ExperimentOutcome>();
  private readonly leftOut = new Set<string>();
  private under: string | null = null;
  private failure: Failed | null = null;
  private running: Promise<unknown> | null = null;

  private readonly experiments: readonly Experiment[];
  private readonly services: LabServices;

  constructor(experiments: readonly Experiment[], services: LabServices) {
    this.experiments = experiments;
    this.services = services;
  }

  leave(): void {
    if (this.running !== null) void this.services.worker.stop(this.running);
  }

  view(): TemplateResult {
    const packages = [...new Set(this.experiments.map(({ id }) => id.split("/")[0]!))];
    const checks = [...this.outcomes.values()].flatMap(({ result }) => result.checks);
    const held = checks.filter(({ ok }) => ok).length;
    return html`
      <h1 tabindex="-1">Report</h1>
      <p class="lead">Every known result, computed here and compared with what is known of it.</p>
      <div class="actions">
        <button class="main" type="button" ?disabled=${this.running !== null} @click=${() => void this.start(packages)}>
          Run all ${this.experiments.length}
        </button>
        ${
          this.running === null
            ? ""
            : html`<button type="button" @click=${() => void this.services.worker.stop(this.running!)}>Stop</button>`
        }
      </div>
      <p class="note">${checks.length === 0 ? "Nothing was computed yet." : `${held} of ${checks.length} values agree.`}</p>
      ${this.failure === null || this.failure.failed === "stopped" ? "" : html`<p class="failure" role="alert">${this.failure.text}</p>`}
      ${packages.map(
        (name) => html`<section>
          <h2>${name}</h2>
          ${this.experiments.filter(({ id }) => id.startsWith(`${name}/`)).map((one) => this.row(one))}
        </section>`,
      )}
    `;
  }

  private row(experiment: Experiment): TemplateResult {
    const { id, title, about } = experiment;
    const outcome = this.outcomes.get(id);
    const verdict =
      outcome === undefined ? "" : outcome.result.checks.every(({ ok }) => ok) ? "agrees" : "differs";
    const pending =
      this.under === id ? "running …" : this.leftOut.has(id) ? "left out: its files are not here" : "";
    const state =
      verdict === "agrees" ? `agrees, ${outcome!.result.seconds.toFixed(1)} s` : verdict || pending;
    return html`<details class="experiment">
      <summary><span>${title}</span> <span class="state ${verdict}">${state}</span></summary>
      <p>${about}</p>
      <button type="button" ?disabled=${this.running !== null} @click=${() => void this.start([id])}>Run this one</button>
      ${
        outcome === undefined
          ? ""
          : resultView(
              [checkTable(outcome.result.checks)],
              drawnOnce(outcome.record, "report", () => experiment.figures(outcome.record, { document })),
              title,
            )
      }
    </details>`;
  }

  private async start(only: readonly string[]): Promise<void> {
    this.failure = null;
    const run = this.services.worker.reproduce({ only, seed: 0 }, (event) => {
      if (event.kind === "started") this.under = event.id;
      else if (event.kind === "left-out") this.leftOut.add(event.id);
      else this.outcomes.set(event.result.id, event);
      this.services.changed();
    });
    this.running = run;
    this.services.changed();
    this.failure = await run.catch((error: unknown): Failed => ({ failed: "runtime", text: `${error}` }));
    this.running = null;
    this.under = null;
    this.services.announce("The report is done.");
    this.services.changed();
  }
}
