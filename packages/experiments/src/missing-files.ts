import type { ExperimentInputs } from "./experiment.js";

/** What of some files a data folder lacks, in words; null where nothing is missing. */
export function missingFiles(
  { data }: ExperimentInputs,
  paths: readonly string[],
  /** What the files are, where there is no folder at all. */
  what: string,
): string | null {
  if (data === undefined) return `there is no data folder with ${what}`;
  const names = new Set(data.names);
  const lacking = paths.filter((path) => !names.has(path));
  if (lacking.length === 0) return null;
  const others = lacking.length > 1 ? ` and ${lacking.length - 1} other files` : "";
  return `${data.label} lacks ${lacking[0]}${others}`;
}
