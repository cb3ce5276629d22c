import { pages } from "virtual:pages";
import type { Study } from "@gradlab/studies";
import { render } from "lit";
import type { FirstResult } from "./first-result.js";
import type { LabPage, LabServices } from "./lab-page.js";
import { builtFile, builtNetworks, keptNetwork } from "./needed-files.js";
import { homePage } from "./pages/home-page.js";
import { waitingPage } from "./pages/waiting-page.js";
import { addressOf, type Place, placeOf } from "./place.js";
import { shell } from "./shell.js";
import type { BackendWish, GivenFiles } from "./worker/messages.js";
import { WorkerClient } from "./worker-client.js";

/** How often a screen reader is told something at most, milliseconds. */
const sayInterval = 2000;

/** The lab: one worker, one page at a time, and the address that says which. */
export class Lab {
  private readonly worker = new WorkerClient((seconds) => {
    this.silent = seconds;
    this.changed();
  });
  /** For how many seconds a worker at work has not answered. */
  private silent = 0;
  private readonly kept = new Map<string, Map<string, Uint8Array>>();
  private readonly firsts = new Map<string, Promise<FirstResult | null>>();
  private wish: BackendWish = { only: "auto", allowSoftwareGpu: false };
  private page: LabPage | null = null;
  private place: Place = { page: "home", settings: "" };
  private drawing = false;
  private said = { text: "", at: Number.NEGATIVE_INFINITY };
  private toSay: string | null = null;
  private readonly services: LabServices;
  private readonly root: HTMLElement;

  constructor(root: HTMLElement) {
    this.root = root;
    this.services = {
      worker: this.worker,
      kept: this.kept,
      wish: () => this.wish,
      changed: () => this.changed(),
      announce: (text) => this.announce(text),
      write: (place, how) => {
        if (addressOf(place) === addressOf(this.place)) return;
        this.place = place;
        history[how === "push" ? "pushState" : "replaceState"](null, "", addressOf(place));
      },
      trained: (name) => this.trained(name),
      firstResult: (name) => this.firstResult(name),
    };
  }

  async open(): Promise<void> {
    addEventListener("popstate", () => void this.go(placeOf(location), "stay"));
    addEventListener("hashchange", () => void this.go(placeOf(location), "stay"));
    // A file that misses its field would take the page away, and all that was computed.
    for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
    // Links inside of the lab keep the worker alive, and with it what runs have kept.
    this.root.addEventListener("click", (event) => {
      const link = (event.target as Element).closest("a");
      const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
      const address = link?.getAttribute("href");
      if (!plain || !(address === "./" || address?.startsWith("?page="))) return;
      event.preventDefault();
      void this.go(placeOf(new URL(address, document.baseURI)), "push");
    });
    await this.go(placeOf(location), "stay");
  }

  /** Goes to a page; `push` leaves the one before in the history. */
  async go(place: Place, how: "push" | "stay"): Promise<void> {
    if (how === "push") history.pushState(null, "", addressOf(place));
    else if (this.page !== null && addressOf(place) === addressOf(this.place)) return;
    else if (place.page === this.place.page && this.page?.turn !== undefined) {
      this.place = place;
      return this.page.turn(place.settings);
    }
    this.page?.leave();
    this.page = null;
    this.place = place;
    // What was made when the lab was built is there before the code of the page is.
    const known = pages.find(({ name }) => name === place.page);
    if (known !== undefined) {
      // A link is to a result of its own.
      const first = place.settings === "" ? this.firstResult(place.page) : Promise.resolve(null);
      this.page = waitingPage(known, first, () => this.changed());
      this.changed();
    }
    const page = await this.load(place);
    if (this.place !== place) return page.leave();
    this.page = page;
    this.changed();
    // On a phone the menu is one line that scrolls.
    setTimeout(() => {
      const link = this.root.querySelector<HTMLElement>('nav [aria-current="page"]');
      link?.closest("ul")?.scrollTo({ left: link.offsetLeft - 32 });
    });
    if (how === "push") this.root.querySelector<HTMLElement>("h1")?.focus();
  }

  private async load(place: Place): Promise<LabPage> {
    if (place.page === "report") {
      const [{ experiments }, { ReportPage }] = await Promise.all([
        import("@gradlab/experiments"),
        import("./pages/report-page.js"),
      ]);
      return new ReportPage(experiments, this.services);
    }
    if (!pages.some(({ name }) => name === place.page)) return homePage(pages);
    const [{ studies }, { StudyPage }] = await Promise.all([
      import("@gradlab/studies"),
      import("./pages/study-page.js"),
    ]);
    const study = studies.find(({ name }) => name === place.page) as Study;
    return new StudyPage(study, place.settings, this.services);
  }

  private async trained(study: string): Promise<GivenFiles> {
    const own = this.kept.get(study)?.get(keptNetwork);
    if (own !== undefined) return { label: keptNetwork, names: [keptNetwork], files: [[keptNetwork, own]] };
    const name = builtNetworks[study]!;
    const response = await fetch(builtFile(name));
    if (!response.ok) throw new Error(`${name}: expected a file beside the lab, got ${response.status}`);
    return { label: name, names: [name], files: [[name, new Uint8Array(await response.arrayBuffer())]] };
  }

  private firstResult(name: string): Promise<FirstResult | null> {
    const found =
      this.firsts.get(name) ??
      fetch(builtFile(`${name}.json`))
        .then((response) => (response.ok ? (response.json() as Promise<FirstResult>) : null))
        .catch(() => null);
    this.firsts.set(name, found);
    return found;
  }

  private changed(): void {
    if (this.drawing) return;
    this.drawing = true;
    // Not an animation frame: those sleep while the tab is hidden, and a training goes on.
    setTimeout(() => {
      this.drawing = false;
      this.draw();
    });
  }

  private draw(): void {
    document.title = this.page === null ? "gradlab" : `${this.page.title} – gradlab`;
    render(
      shell({
        pages,
        here: this.place.page,
        page: this.page?.view() ?? "",
        said: this.said.text,
        silent: this.silent,
        abandon: () => this.worker.abandon(),
        wish: this.wish,
        choose: (change) => {
          this.wish = { ...this.wish, ...change };
          this.worker.configure(this.wish);
          this.changed();
        },
      }),
      this.root,
    );
  }

  /** Says the newest of what there is to say, not too often. */
  private announce(text: string): void {
    const isWaiting = this.toSay !== null;
    this.toSay = text;
    if (isWaiting) return;
    const wait = Math.max(0, this.said.at + sayInterval - performance.now());
    setTimeout(() => {
      this.said = { text: this.toSay!, at: performance.now() };
      this.toSay = null;
      this.changed();
    }, wait);
  }
}
