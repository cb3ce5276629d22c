import { join } from "node:path";
import { flagName, type StudyEvent, withOptionNames } from "@gradlab/studies";
import type { CommonOptions } from "./command.js";
import { writeOutput } from "./files.js";
import { type Log, openLog } from "./log.js";
import { type Progress, startProgress } from "./progress.js";
import { painter, type Terminal } from "./terminal.js";

/** Hears what a study says while it runs: progress and warnings to stderr, files and the log to the disk. */
export interface StudyListener {
  readonly hear: (event: StudyEvent) => Promise<void>;
  readonly warnings: readonly string[];
  readonly end: () => Promise<void>;
}

/**
 * @param flags `log` names the file that lines of a log go to.
 * @param keep The folder that files go to.
 */
export function startListener(
  flags: CommonOptions & Readonly<Record<string, unknown>>,
  terminal: Terminal,
  keep: string | null,
): StudyListener {
  const { quiet, color } = flags;
  const paint = painter(terminal.colors.stderr && color);
  const warnings: string[] = [];
  let progress: Progress | null = null;
  let log: Log | null = null;
  const say = (line: string) => {
    if (progress !== null) progress.say(line);
    else if (!quiet) terminal.log(`${line}\n`);
  };
  const hear = async (event: StudyEvent): Promise<void> => {
    switch (event.kind) {
      case "warning": {
        const text = withOptionNames(event.text, flagName);
        warnings.push(text);
        return say(`${paint("yellow", "warning:")} ${text}`);
      }
      case "note":
        // What has been logged stands in the file when the line is there.
        await log?.flush();
        return say(event.text);
      case "progress": {
        const { total, done, per = { count: 1, unit: "steps" } } = event;
        const { count: perStep, unit } = per;
        progress ??= startProgress(terminal, { total, done: done - 1, perStep, unit, quiet });
        return progress.step(event.text);
      }
      case "file":
        if (keep !== null) await writeOutput(join(keep, event.name), event.bytes);
        return;
      case "log-start":
        log = await openLog(flags.log as string | undefined, event.after);
        return;
      case "log":
        return log?.add(event.entry);
    }
  };
  const end = async () => {
    progress?.end();
    await log?.flush();
  };
  return { hear, warnings, end };
}
