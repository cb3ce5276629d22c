import { randomUUID } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { access, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Failure } from "./failure.js";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "is a folder, not a file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "is a file, not a folder",
  ENOSPC: "no space left",
  EROFS: "the file system is read-only",
  EDQUOT: "the quota of disk space is used up",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
  EFBIG: "the file is too large for its file system",
  EIO: "the disk cannot be read or written",
};

/** What is wrong with a file, in words. */
export function reasonOf(error: unknown): string {
  const { code = "", message = String(error) } = error as NodeJS.ErrnoException;
  return reasons[code] ?? message;
}

export async function readInput(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new Failure("runtime", `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** A file piece by piece. */
export async function* readPieces(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) yield piece as Uint8Array;
  } catch (error) {
    throw new Failure("runtime", `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The first bytes of a file, fewer where it has no more. */
export async function readStart(file: string, length: number): Promise<Uint8Array> {
  try {
    const handle = await open(file);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw new Failure("runtime", `${file}: ${reasonOf(error)}`, { cause: error });
  }
}

export async function isFolder(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => null);
  return stats?.isDirectory() === true;
}

/** Writes one file, whole or not at all; makes its folder. */
export function writeOutput(file: string, content: string | Uint8Array): Promise<void> {
  return writeOutputs([[file, content]]);
}

/**
 * Writes files beside their places and renames them when all are written, so
 * that nobody ever sees half of one, or one without the other. Makes the folders.
 */
export async function writeOutputs(
  files: readonly (readonly [file: string, content: string | Uint8Array])[],
): Promise<void> {
  const written: { file: string; temporary: string }[] = [];
  let current = "";
  try {
    for (const [file, content] of files) {
      current = file;
      const temporary = `${file}.${randomUUID()}.tmp`;
      await mkdir(dirname(file), { recursive: true });
      await expectNoFolder(file);
      written.push({ file, temporary });
      await writeFile(temporary, content);
    }
    for (const { file, temporary } of written) {
      current = file;
      await rename(temporary, file);
    }
  } catch (error) {
    await Promise.all(written.map(({ temporary }) => rm(temporary, { force: true }).catch(() => undefined)));
    throw new Failure("runtime", `cannot write ${current}: ${reasonOf(error)}`, { cause: error });
  }
}

/** Makes a folder and sees that files can be written in it, before the work that fills it. */
export async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    throw new Failure("runtime", `cannot write into ${folder}: ${reasonOf(error)}`, { cause: error });
  }
}

async function expectNoFolder(file: string): Promise<void> {
  if (await isFolder(file)) throw Object.assign(new Error(), { code: "EISDIR" });
}
