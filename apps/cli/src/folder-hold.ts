import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { Failure } from "./failure.js";
import { reasonOf } from "./files.js";

/** Stands in a folder while one command fills it. */
export const holdName = ".gradlab-hold";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as its system says; null where it does not. A pid alone may be another's by now. */
  readonly began: string | null;
  readonly since: string;
}

/** A folder that nobody else fills meanwhile. */
export interface FolderHold {
  /** The process that had it and is gone; null where there was none. */
  readonly takenFrom: number | null;
  readonly release: () => Promise<void>;
}

/**
 * Holds a folder for this process. A hold of a process that is gone is taken over.
 *
 * @param flag Begins the message where another process has it.
 * @throws {Failure} that says who holds it, or why nothing can be written there.
 */
export async function holdFolder(folder: string, flag: string): Promise<FolderHold> {
  const place = join(folder, holdName);
  const own = JSON.stringify({
    pid: process.pid,
    host: hostname(),
    began: await beginOf(process.pid),
    since: new Date().toISOString(),
  } satisfies Holder);
  let takenFrom: number | null = null;
  for (;;) {
    if (await put(place, own, folder)) {
      const release = async () => {
        if ((await textIn(place)) === own) await rm(place, { force: true });
      };
      return { takenFrom, release };
    }
    const text = await textIn(place);
    if (text === null) continue; // released meanwhile
    const holder = holderIn(text);
    if (holder !== null && (await isAlive(holder))) {
      const { pid, host, since } = holder;
      const where = host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
      throw new Failure(
        "runtime",
        `${flag}: expected a folder that nobody fills, got ${folder}, which ${where} has held since ${since} (if it is gone, remove ${place})`,
      );
    }
    if (await removed(place, text)) takenFrom = holder?.pid ?? null;
  }
}

/** Puts a file there whole, where there is none. */
async function put(place: string, text: string, folder: string): Promise<boolean> {
  const written = `${place}.${randomUUID()}`;
  try {
    await writeFile(written, text);
    try {
      await link(written, place);
    } finally {
      await rm(written, { force: true });
    }
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    // A file system without links.
    if (code === "EPERM" || code === "ENOTSUP" || code === "ENOSYS") return putPlain(place, text, folder);
    throw new Failure("runtime", `cannot write into ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

async function putPlain(place: string, text: string, folder: string): Promise<boolean> {
  try {
    await writeFile(place, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw new Failure("runtime", `cannot write into ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Takes a stale hold away, unless another process has done so and holds the folder now. */
async function removed(place: string, stale: string): Promise<boolean> {
  const aside = `${place}.${randomUUID()}`;
  try {
    await rename(place, aside);
  } catch {
    return false;
  }
  const isIt = (await textIn(aside)) === stale;
  if (!isIt) await link(aside, place).catch(() => undefined);
  await rm(aside, { force: true });
  return isIt;
}

const textIn = (file: string): Promise<string | null> => readFile(file, "utf8").catch(() => null);

function holderIn(text: string): Holder | null {
  try {
    const { pid, host, began = null, since } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) && typeof host === "string"
      ? { pid: pid!, host, began, since: `${since}` }
      : null;
  } catch {
    return null;
  }
}

/** On another machine nobody can tell, so that the hold counts. */
async function isAlive({ pid, host, began }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const now = await beginOf(pid);
  return began === null || now === null || now === began;
}

/** On Linux, the ticks since the start of the machine at which a process began, with the machine's own start. */
async function beginOf(pid: number): Promise<string | null> {
  const stat = await textIn(`/proc/${pid}/stat`);
  const boot = await textIn("/proc/sys/kernel/random/boot_id");
  // The name of the program, in brackets, may hold anything.
  const ticks = stat
    ?.slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .at(19);
  return ticks === undefined ? null : `${boot?.trim()} ${ticks}`;
}
