/** Thrown for a candidate that was not tried: it is not installed, or cannot be tried now. */
export class NotTriedError extends Error {
  readonly status: "absent" | "untried";

  constructor(status: "absent" | "untried", reason: string) {
    super(reason);
    this.status = status;
  }
}

/** Settings of a run that the parts of an attempt need. */
export interface AttemptSettings {
  readonly allowSoftwareGpu: boolean;
  readonly wasmPaths: string | Readonly<Record<string, string>> | undefined;
  readonly resolveFrom: string | undefined;
}

/**
 * One candidate being tried. What it changes on the way is undone in reverse
 * when it fails, is given up or is released, even if the change came late:
 * after a timeout, whatever a hanging candidate still brings is undone at once.
 */
export class Attempt {
  readonly settings: AttemptSettings;
  /** Aborted when the attempt ends, in time or not. */
  readonly signal: AbortSignal;
  /** What candidates of one run share: answers of child processes. */
  readonly memo: Map<string, unknown>;
  device: string | null = null;
  software: boolean | null = null;
  /** Resolves when the device fails after it was selected. */
  lost: Promise<Error> | null = null;
  readonly #undo: (() => void)[] = [];
  readonly #settle: (() => void)[] = [];
  #settled = false;
  #closed = false;

  constructor(settings: AttemptSettings, signal: AbortSignal, memo: Map<string, unknown>) {
    this.settings = settings;
    this.signal = signal;
    this.memo = memo;
  }

  /** Says how to undo a change that was just made. */
  onClose(undo: () => void): void {
    if (this.#closed) undo();
    else this.#undo.push(undo);
  }

  /** Says how to undo a change that is needed only until the candidate has been tested, whatever comes of it. */
  onSettled(undo: () => void): void {
    if (this.#settled) undo();
    else this.#settle.push(undo);
  }

  settle(): void {
    this.#settled = true;
    for (const undo of this.#settle.splice(0).reverse()) undo();
  }

  close(): void {
    this.#closed = true;
    for (const undo of this.#undo.splice(0).reverse()) undo();
  }

  /** Waits for a promise; throws when the attempt ended meanwhile, so that nothing is changed too late. */
  async during<T>(promise: Promise<T>): Promise<T> {
    const result = await promise;
    this.signal.throwIfAborted();
    return result;
  }
}

/** A backend that is registered with tfjs and ready to be set. */
export interface OpenedBackend {
  /** Its name in tfjs's registry. */
  readonly tfjsName: string;
  /** Looks at the initialized backend; throws when it must not be used. */
  readonly inspect?: () => void;
}

/** Loads a candidate and registers it with tfjs. */
export type OpenCandidate = (attempt: Attempt) => Promise<OpenedBackend>;
