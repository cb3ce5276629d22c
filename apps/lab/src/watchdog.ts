/** How often a worker at work is asked whether it hears, milliseconds. */
const interval = 1000;

/** What a watchdog needs. */
interface Watched {
  /** Resolves when the worker has answered. */
  readonly ping: () => Promise<unknown>;
  /** Told every time the silence has grown, and 0 when it is over. */
  readonly hear: (seconds: number) => void;
  /** How long a silence may be, seconds. */
  readonly patience: number;
}

/**
 * Watches a worker while it works: one that leaves a question open for longer than patience is said to be silent. It may
 * still be busy with one long step, so it is left alone.
 *
 * @returns Ends the watch.
 */
export function watchdog({ ping, hear, patience }: Watched): () => void {
  let asked: number | null = null;
  let isSilent = false;
  const look = () => {
    if (asked === null) {
      const now = performance.now();
      asked = now;
      void ping().then(() => {
        if (asked === now) asked = null;
        if (isSilent) hear(0);
        isSilent = false;
      });
      return;
    }
    const seconds = (performance.now() - asked) / 1000;
    if (seconds < patience) return;
    isSilent = true;
    hear(Math.round(seconds));
  };
  const timer = setInterval(look, interval);
  return () => {
    clearInterval(timer);
    if (isSilent) hear(0);
    isSilent = false;
  };
}
