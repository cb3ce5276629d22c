import { duration } from "@gradlab/studies";
import type { Terminal } from "./terminal.js";

export interface ProgressOptions {
  /** How many steps there are in all. */
  readonly total: number;
  /** How many are done already: a resumed training. */
  readonly done?: number;
  /** What one step works through, for the rate: 50 images. */
  readonly perStep: number;
  /** Its name: `images`. */
  readonly unit: string;
  readonly quiet: boolean;
  /** Milliseconds, for tests. */
  readonly now?: () => number;
}

/** A line that tells how far long work is; lines that stay are said beside it. */
export interface Progress {
  /** One step is done; `text` says what came of it. */
  readonly step: (text: string) => void;
  /** A line that stays. */
  readonly say: (line: string) => void;
  /** Takes the moving line away. */
  readonly end: () => void;
}

/**
 * Progress on stderr: a line that rewrites itself at most ten times a second on a terminal, and a line that stays once a
 * minute elsewhere. Rate and time left come from the steps after the first, which prepares kernels and caches.
 */
export function startProgress(
  terminal: Terminal,
  { total, done = 0, perStep, unit, quiet, now = () => performance.now() }: ProgressOptions,
): Progress {
  const live = !quiet && terminal.live;
  let steps = 0;
  let warm = 0;
  let drawn = live ? Number.NEGATIVE_INFINITY : now();
  let shown = false;
  const clear = () => {
    if (shown) terminal.log("\r\u001b[2K");
    shown = false;
  };
  return {
    step(text) {
      const time = now();
      steps++;
      if (steps === 1) warm = time;
      if (quiet || time - drawn < (live ? 100 : 60_000)) return;
      drawn = time;
      const at = done + steps;
      const perMs = steps > 1 ? (steps - 1) / Math.max(time - warm, 1e-3) : null;
      const rate = perMs === null ? "" : ` · ${Math.round(perMs * 1000 * perStep)} ${unit}/s`;
      const left = perMs === null ? "" : ` · ${duration((total - at) / perMs / 1000)} left`;
      const line = `${Math.floor((100 * at) / total)} % · ${text}${rate}${left}`;
      // Less than 80 characters: a line that wraps cannot be taken back.
      terminal.log(live ? `\r\u001b[2K${line}` : `${line}\n`);
      shown = live;
    },
    say(line) {
      if (quiet) return;
      clear();
      terminal.log(`${line}\n`);
    },
    end: clear,
  };
}
