import {
  addressOptions,
  type InputOption,
  isInput,
  labelName,
  type Study,
  type StudyEvent,
  studyCommandLine,
  withOptionNames,
} from "@gradlab/studies";
import { html, type TemplateResult } from "lit";
import { drawnOnce } from "../drawn-once.js";
import { exportButtons } from "../export-buttons.js";
import { type Filled, filledWith, read } from "../fields.js";
import { firstOptions, generatedOnly } from "../first-options.js";
import type { FirstResult } from "../first-result.js";
import { formView } from "../form-view.js";
import type { Hand } from "../hands/hand.js";
import { handOf } from "../hands/hands.js";
import type { LabPage, LabServices } from "../lab-page.js";
import { neededFiles } from "../needed-files.js";
import { pageWords } from "../page-words.js";
import { progressView } from "../progress-view.js";
import type { Result } from "../result.js";
import { resultView, shownView } from "../result-view.js";
import { begunRun, ended, heard, type RunState } from "../run-state.js";
import { titleOf } from "../shell.js";
import { givenOptions, studyPlace } from "../study-place.js";
import type { Failed, GivenFiles, RunOutcome } from "../worker/messages.js";

/** The page of a study: a form, a run, a result; the same for every study. */
export class StudyPage implements LabPage {
  readonly title: string;
  private filled: Filled;
  private first: FirstResult | null = null;
  /** Whether the page has begun with its first settings, and not with those of a link. */
  private isFirst = true;
  private run: RunState | null = null;
  private ended: Promise<unknown> = Promise.resolve();
  private result: Result | null = null;
  /** Kept to be compared with. */
  private pinned: Result | null = null;
  /** The newest results by their address, to come back to. */
  private readonly results = new Map<string, Result>();
  /** What is shown is that of the address: the next change begins another one. */
  private isOfAddress = true;
  private told = "";
  private isCurrent = true;
  private isPeeking = false;
  private isStarting = false;
  /** Settings have changed meanwhile, and were meant to be run. */
  private isWantedAgain = false;
  /** The network that the page begins with is on its way. */
  private beginning: Promise<void> = Promise.resolve();
  /** That network; one of the visitor's own takes its place. */
  private brought: GivenFiles | null = null;
  private readonly hand: Hand | null;
  /** Options that few need. */
  private readonly aside: ReadonlySet<string>;

  private readonly study: Study;
  private readonly services: LabServices;

  constructor(study: Study, settings: string, services: LabServices) {
    this.study = study;
    this.services = services;
    this.title = titleOf(study.name);
    this.hand = handOf(study.name);
    this.filled = this.settle(settings, {});
    this.aside = optionsAside(study, this.filled);
    this.beginning = this.begin();
  }

  turn(settings: string): void {
    if (this.isBusy) this.stop();
    else this.run = null;
    this.filled = this.settle(settings, this.filled.files);
    this.services.changed();
  }

  /** The form of an address, with the result that was computed with it where there is one. */
  private settle(settings: string, files: Filled["files"]): Filled {
    const { study, services } = this;
    const given = givenOptions(study.options, settings);
    this.told =
      settings !== "" && given === null ? "This link is of another version; these are the defaults." : "";
    this.isOfAddress = true;
    this.result = this.results.get(settings) ?? null;
    // A link is to a result of its own; the first one would be of other settings.
    this.isFirst = given === null;
    if (this.isFirst && this.first === null) {
      void services.firstResult(study.name).then((found) => {
        this.first = found;
        services.changed();
      });
    }
    return { ...filledWith(study.options, given ?? firstOptions(study)), files };
  }

  leave(): void {
    this.isCurrent = false;
    this.hand?.leave();
    if (this.isBusy || this.isPeeking) void this.services.worker.stop(this.ended);
  }

  /** Takes the network that the study needs, where one was trained. */
  private async begin(): Promise<void> {
    const needed = neededFiles[this.study.name];
    if (needed === undefined) return;
    const found = await this.services.trained(needed.from).catch(() => null);
    const { files } = this.filled;
    const isThere = [needed.option, needed.instead].some((name) => name && files[name] !== undefined);
    if (found === null || isThere) return;
    this.brought = found;
    this.filled = { ...this.filled, files: { ...files, [needed.option]: found } };
    this.services.changed();
  }

  view(): TemplateResult {
    const { study, run } = this;
    const reading = read(study.options, this.filled);
    const isFine = Object.keys(reading.errors).length === 0;
    return html`
      <h1 tabindex="-1">${this.title}</h1>
      <p class="lead">${study.help}</p>
      ${study.about === undefined ? "" : html`<details><summary>More about it</summary><p class="about">${pageWords(study.about)}</p></details>`}
      <form
        @submit=${(event: Event) => {
          event.preventDefault();
          if (!this.isBusy) void this.start();
        }}
        @keydown=${(event: KeyboardEvent) => {
          if (event.key === "Escape" && this.isBusy) this.stop();
        }}
      >
        ${formView(study, this.filled, reading.errors, {
          kept: this.services.kept,
          aside: this.aside,
          type: (name, text) => this.fill({ ...this.filled, texts: { ...this.filled.texts, [name]: text } }),
          give: (name, files) => this.give(name, files),
        })}
        <div class="actions">
          <button class="main" type="submit" ?disabled=${this.isBusy || !isFine}>Run</button>
          ${this.isBusy ? this.controls(run!) : ""}
          <button type="button" @click=${() => this.copy(location.href, "The link was copied.")}>Copy link</button>
          <button type="button" ?disabled=${!isFine} @click=${() => this.copy(this.command(), "The command was copied.")}>
            Copy command
          </button>
        </div>
        <p class="command"><code>${isFine ? this.command() : ""}</code></p>
        ${this.told === "" ? "" : html`<p class="told" role="status">${this.told}</p>`}
      </form>
      ${run === null ? "" : progressView(run, performance.now())}
      ${this.handView()}
      ${this.resultSection()}
    `;
  }

  private controls(run: RunState): TemplateResult {
    const { worker } = this.services;
    const hold = (phase: "paused" | "running", action: "pause" | "resume") => () => {
      worker.control(action);
      this.run = { ...this.run!, phase };
      this.services.changed();
    };
    return html`
      ${
        run.phase === "paused"
          ? html`<button type="button" @click=${hold("running", "resume")}>Go on</button>
              <button type="button" @click=${() => worker.control("step")}>One step</button>`
          : html`<button type="button" @click=${hold("paused", "pause")}>Pause</button>`
      }
      <button type="button" @click=${() => this.stop()}>Stop</button>
    `;
  }

  private resultSection(): TemplateResult {
    const { result, pinned, first, run } = this;
    if (result === null) {
      if (this.isBusy || (this.isFirst && first === null)) return html``;
      if (!this.isFirst || first?.shown == null) {
        return run === null ? html`<p class="note">Nothing was computed yet: press Run.</p>` : html``;
      }
      return html`<section aria-label="First result">
        <p class="note">Computed with the settings that this page begins with, when it was built; Run computes yours here.</p>
        ${shownView(first.shown)}
      </section>`;
    }
    const pin = html`<button type="button" @click=${() => this.pin(result)}>Keep for comparison</button>`;
    return html`
      <section class=${pinned === null ? "results" : "results two"} aria-label="Result">
        ${
          pinned === null
            ? ""
            : html`<div class="result">
                <h2>Kept</h2>
                ${this.oneResult(pinned, "Kept", html`<button type="button" @click=${() => this.pin(null)}>Let go</button>`)}
              </div>`
        }
        <div class="result">
          <h2>Result</h2>
          ${this.oneResult(result, "", pin)}
        </div>
      </section>
    `;
  }

  private handView(): unknown {
    const { study, result, services } = this;
    return (
      this.hand?.view({
        record: result?.outcome.record ?? null,
        options: result?.options ?? read(study.options, this.filled).options,
        files: this.filled.files,
        choose: (chosen, files = {}) => {
          const { options } = read(study.options, this.filled);
          const given = Object.entries({ ...this.filled.files, ...files });
          this.fill({
            texts: filledWith(study.options, { ...options, ...chosen }).texts,
            files: Object.fromEntries(given.filter((one): one is [string, GivenFiles] => one[1] !== null)),
          });
          void this.restart();
        },
        peek: (chosen) => this.peek({ ...result?.options, ...chosen }),
        ask: (name, options, files) => this.ask(name, options, files),
        trained: services.trained,
        changed: services.changed,
      }) ?? ""
    );
  }

  /** A record beside the one that is shown; pictures that are only drawn over are left out. */
  private async peek(options: Readonly<Record<string, unknown>>): Promise<object | null> {
    const { study } = this;
    const files = Object.fromEntries(
      Object.entries(this.filled.files).filter(([name]) => {
        const option = study.options[name]!;
        return !(isInput(option) && option.drawn);
      }),
    );
    const outcome = await this.ask(study.name, options, files);
    return outcome === null || "failed" in outcome ? null : outcome.record;
  }

  /** Runs a study beside what is shown; null where one is under way. */
  private async ask(
    study: string,
    options: Readonly<Record<string, unknown>>,
    files: Readonly<Record<string, GivenFiles>>,
  ): Promise<RunOutcome | Failed | null> {
    if (this.isBusy || this.isPeeking) return null;
    this.isPeeking = true;
    const asked = this.services.worker
      .start({ study, options, files }, () => undefined)
      .catch((error: unknown): Failed => ({ failed: "runtime", text: `${error}` }));
    this.ended = asked;
    const outcome = await asked;
    this.isPeeking = false;
    return outcome;
  }

  private oneResult(result: Result, of: string, button: TemplateResult): TemplateResult {
    const { study } = this;
    const { record, backend, warnings } = result.outcome;
    const figures = drawnOnce(record, of, () => figuresOf(study, record));
    const verdict = study.verdict?.(record) ?? null;
    return html`
      <p class="note"><code>${result.command}</code></p>
      ${verdict === null ? "" : html`<p class="failure" role="alert">${verdict}</p>`}
      ${warnings.map((text) => html`<p class="warning">${withOptionNames(text, labelName)}</p>`)}
      ${resultView(study.tables(record, backend?.name), figures, of)}
      <div class="actions">
        ${exportButtons(study, result, figures, { wish: this.services.wish(), kept: this.services.kept.get(study.name) })}
        ${button}
      </div>
    `;
  }

  private get isBusy(): boolean {
    const phase = this.run?.phase;
    return phase === "running" || phase === "paused" || phase === "stopping";
  }

  private fill(filled: Filled): void {
    this.filled = filled;
    this.told = "";
    const { options, errors } = read(this.study.options, filled);
    if (Object.keys(errors).length === 0) this.write(options, false);
    this.services.changed();
  }

  /** Writes the address of settings; one whose result is shown stays in the history. */
  private write(options: Readonly<Record<string, unknown>>, isOfAddress: boolean): string {
    const place = studyPlace(this.study.name, this.study.options, options);
    this.services.write(place, this.isOfAddress ? "push" : "replace");
    this.isOfAddress = isOfAddress;
    return place.settings;
  }

  private give(name: string, given: GivenFiles | null): void {
    const files = new Map(Object.entries(this.filled.files));
    if (given === null) files.delete(name);
    else files.set(name, given);
    const needed = neededFiles[this.study.name];
    if (needed !== undefined && needed.instead === name) {
      if (given === null) this.beginning = this.begin();
      else if (files.get(needed.option) === this.brought) files.delete(needed.option);
    }
    const dropped = (given && generatedOnly[this.study.name]?.[name]) ?? [];
    const texts = Object.entries(this.filled.texts).filter(([option]) => !dropped.includes(option));
    this.fill({ texts: Object.fromEntries(texts), files: Object.fromEntries(files) });
  }

  private command(): string {
    const { options } = read(this.study.options, this.filled);
    const given = Object.fromEntries(
      Object.entries(this.filled.files).map(([name, { label }]) => [name, label] as const),
    );
    return studyCommandLine(this.study, options, given);
  }

  /** Runs with what the form says now, after what is under way has been stopped. */
  private async restart(): Promise<void> {
    this.isWantedAgain = true;
    if (this.isStarting) return;
    if (this.isBusy) this.stop();
    else await this.start();
  }

  private async start(): Promise<void> {
    if (this.isStarting) return;
    this.isStarting = true;
    const { study, services } = this;
    await this.beginning;
    if (this.isPeeking) await services.worker.stop(this.ended);
    this.isStarting = false;
    this.isWantedAgain = false;
    const { options } = read(study.options, this.filled);
    const command = this.command();
    const address = this.write(options, true);
    this.run = begunRun(performance.now());
    this.told = "";
    services.announce(`${this.title} is running.`);
    services.changed();
    const folder = options.resume === true ? services.kept.get(study.name) : undefined;
    const files = { ...keptFolders(study, folder), ...this.filled.files };
    const run = services.worker.start({ study: study.name, options, files }, (events) => this.hear(events));
    this.ended = run;
    const outcome = await run.catch((error: unknown) => ({ failed: "runtime" as const, text: `${error}` }));
    this.run = ended(this.run!, outcome);
    if (!("failed" in outcome)) {
      this.result = { outcome, options, command };
      this.results.delete(address);
      this.results.set(address, this.result);
      if (this.results.size > mostResults) this.results.delete([...this.results.keys()][0]!);
    }
    services.announce(
      "failed" in outcome
        ? `It failed: ${withOptionNames(outcome.text, labelName)}`
        : `${this.title} is done.`,
    );
    if (!this.isCurrent) return;
    services.changed();
    if (this.isWantedAgain) await this.start();
  }

  private hear(events: readonly StudyEvent[]): void {
    const now = performance.now();
    for (const event of events) {
      if (event.kind === "file") {
        const kept = this.services.kept.get(this.study.name) ?? new Map<string, Uint8Array>();
        kept.set(event.name, event.bytes);
        this.services.kept.set(this.study.name, kept);
      }
      // What was said before it was stopped comes late.
      if (this.run !== null && this.isBusy) this.run = heard(this.run, event, now);
      if (event.kind === "progress") {
        this.services.announce(`${event.text}, ${event.done} of ${event.total}`);
      }
    }
    if (this.isCurrent) this.services.changed();
  }

  private stop(): void {
    if (this.run === null) return;
    this.run = { ...this.run, phase: "stopping" };
    void this.services.worker.stop(this.ended);
    this.services.changed();
  }

  private pin(result: Result | null): void {
    this.pinned = result;
    this.services.changed();
  }

  /** A page that is not from a secure origin has no clipboard, and one may be refused: then the text is shown. */
  private async copy(text: string, done: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      this.tell(done);
    } catch {
      this.tell(text);
    }
  }

  private tell(text: string): void {
    this.told = text;
    this.services.changed();
  }
}

/** How many results are kept to come back to. */
const mostResults = 5;

/** How many options with a default stand in the form, the first ones. */
const mostDefaults = 6;

/** Options that few need: those without a value when the page is opened, and most of those with their default. */
function optionsAside({ options }: Study, { texts }: Filled): ReadonlySet<string> {
  const defaults = filledWith(options, addressOptions(options, "") ?? {}).texts;
  let shown = 0;
  return new Set(
    Object.entries(options).flatMap(([name, option]) => {
      if (isInput(option)) return [];
      if (texts[name] === undefined) return [name];
      return texts[name] !== defaults[name] || ++shown <= mostDefaults ? [] : [name];
    }),
  );
}

/** Folders that a study keeps files in are there, so that it keeps them: empty, or with what it goes on from. */
function keptFolders(study: Study, kept: ReadonlyMap<string, Uint8Array> = new Map()) {
  return Object.fromEntries(
    Object.entries(study.options)
      .filter((entry): entry is [string, InputOption] => isInput(entry[1]) && entry[1].kept === true)
      .map(([name]) => [name, { label: "this page", names: [...kept.keys()], files: [...kept] }] as const),
  );
}

/** The figures of a record; a study says itself what would help where there is nothing to draw. */
function figuresOf(study: Study, record: object) {
  if (study.figures === undefined) return [];
  try {
    return study.figures(record, { document });
  } catch {
    return [];
  }
}
