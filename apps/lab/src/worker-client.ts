import type { StudyEvent } from "@gradlab/studies";
import { proxy, type Remote, wrap } from "comlink";
import { watchdog } from "./watchdog.js";
import type {
  BackendWish,
  Failed,
  LabWorker,
  ReportEvent,
  RunOutcome,
  RunRequest,
} from "./worker/messages.js";

/** How long a run that was stopped may take to end by itself; then the worker is ended, milliseconds. */
const patience = 1500;

/** How long a worker at work may leave a question open before that is said, seconds. */
const silence = 6;

interface Living {
  readonly worker: Worker;
  readonly remote: Remote<LabWorker>;
  /** Ends every wait for the worker. */
  readonly died: Promise<Failed>;
  readonly kill: (reason: Failed) => void;
}

/** The page's side of the worker: begins it, ends it, and begins another where one has died. */
export class WorkerClient {
  private living: Living | null = null;
  private wish: BackendWish = { only: "auto", allowSoftwareGpu: false };
  private readonly hearSilence: (seconds: number) => void;

  /** @param hearSilence Told for how many seconds a worker at work has not answered, and 0 when it does again. */
  constructor(hearSilence: (seconds: number) => void) {
    this.hearSilence = hearSilence;
  }

  /** The backend of all runs from now on: a backend is chosen once in a worker, so another one begins. */
  configure(wish: BackendWish): void {
    this.wish = wish;
    this.end({ failed: "stopped", text: "another backend was chosen" });
  }

  start(request: RunRequest, hear: (events: readonly StudyEvent[]) => void): Promise<RunOutcome | Failed> {
    return this.watched<RunOutcome>((remote) => remote.start(request, proxy(hear)));
  }

  reproduce(
    request: { readonly only: readonly string[]; readonly seed: number },
    hear: (event: ReportEvent) => void,
  ): Promise<null | Failed> {
    return this.watched<null>((remote) => remote.reproduce(request, proxy(hear)));
  }

  control(action: "pause" | "resume" | "step"): void {
    void this.living?.remote.control(action);
  }

  /** Asks the run to end; a worker that does not hear is ended. */
  async stop(ended: Promise<unknown>): Promise<void> {
    void this.living?.remote.control("stop");
    const late = Symbol("late");
    const first = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, patience, late))]);
    if (first === late)
      this.end({ failed: "stopped", text: "the worker was ended, since it did not answer" });
  }

  /** Ends the worker, whatever it does; the next run begins another one. */
  abandon(): void {
    this.end({ failed: "runtime", text: "the worker was ended; the next run begins another one" });
  }

  private async watched<T>(work: (remote: Remote<LabWorker>) => Promise<T | Failed>): Promise<T | Failed> {
    const { remote, died } = this.worker();
    const rest = watchdog({ ping: () => remote.ping(), hear: this.hearSilence, patience: silence });
    try {
      return await Promise.race([work(remote), died]);
    } finally {
      rest();
    }
  }

  private end(reason: Failed): void {
    this.living?.kill(reason);
  }

  private worker(): Living {
    if (this.living !== null) return this.living;
    const worker = new Worker(new URL("./worker/lab-worker.ts", import.meta.url), { type: "module" });
    let settle: (reason: Failed) => void = () => undefined;
    const died = new Promise<Failed>((resolve) => {
      settle = resolve;
    });
    const kill = (reason: Failed) => {
      worker.terminate();
      if (this.living?.worker === worker) this.living = null;
      settle(reason);
    };
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      const cause = event.message ? `: ${event.message}` : "";
      kill({ failed: "runtime", text: `the worker has died${cause}; the next run begins another one` });
    });
    const remote = wrap<LabWorker>(worker);
    void remote.configure(this.wish);
    this.living = { worker, remote, died, kill };
    return this.living;
  }
}
