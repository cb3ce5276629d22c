import type { InputOption } from "@gradlab/studies";
import type { GivenFiles } from "./worker/messages.js";

/** Files that were dropped, chosen or pasted, as the option wants them. */
export function givenFiles(option: InputOption, files: readonly File[]): GivenFiles | null {
  const visible = files
    .map((file) => [pathOf(file), file] as const)
    .filter(([path]) => !path.split("/").some((part) => part.startsWith(".")));
  if (visible.length === 0) return null;
  if (option.kind === "folder") {
    const [first] = visible[0]![0].split("/");
    const inside = visible.map(([path, file]) => [path.slice(path.indexOf("/") + 1), file] as const);
    const sorted = inside.sort(([a], [b]) => (a < b ? -1 : 1));
    return { label: first!, names: sorted.map(([path]) => path), files: sorted };
  }
  // A model is its JSON, with the shards beside it; the file that is meant comes first.
  const main = visible.find(([path]) => path.endsWith(option.inFolder ?? ".json")) ?? visible[0]!;
  const names = option.kind === "pictures" ? visible.map(([path]) => path) : [main[0]];
  return { label: main[0], names, files: visible };
}

const pathOf = (file: File): string => file.webkitRelativePath || file.name;
