import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "./failure.js";
import { reasonOf } from "./files.js";

/** Lines of JSON that are written in bunches: at most a second after they are added, when another follows. */
export interface Log {
  readonly add: (entry: object) => Promise<void>;
  readonly flush: () => Promise<void>;
}

/**
 * A file of JSON lines; nothing where there is no name.
 *
 * @param after The step that a resumed training goes on after: what the file says of later ones, which were lost, is
 *   cut off. Null for a new training, whose file is empty at first.
 */
export async function openLog(file: string | undefined, after: number | null): Promise<Log> {
  if (file === undefined) return { add: async () => undefined, flush: async () => undefined };
  const write = async (step: () => Promise<void>) => {
    try {
      await step();
    } catch (error) {
      throw new Failure("runtime", `--log: cannot write ${file}: ${reasonOf(error)}`, { cause: error });
    }
  };
  await write(async () => {
    await mkdir(dirname(file), { recursive: true });
    const kept = after === null ? "" : upTo(after, await readFile(file, "utf8").catch(() => ""));
    await writeFile(`${file}.tmp`, kept);
    await rename(`${file}.tmp`, file);
  });
  let lines = "";
  let written = performance.now();
  const flush = async () => {
    const text = lines;
    lines = "";
    written = performance.now();
    if (text !== "") await write(() => appendFile(file, text));
  };
  return {
    add: async (entry) => {
      lines += `${JSON.stringify(entry)}\n`;
      if (performance.now() - written >= 1000) await flush();
    },
    flush,
  };
}

/** The lines of a log up to a step; one that a crash has cut off is none. */
function upTo(step: number, text: string): string {
  const kept = text.split("\n").filter((line) => {
    try {
      return (JSON.parse(line) as { step: number }).step <= step;
    } catch {
      return false;
    }
  });
  return kept.map((line) => `${line}\n`).join("");
}
