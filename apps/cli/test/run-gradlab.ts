import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Experiment } from "@gradlab/experiments";
import { onTestFinished } from "vitest";
import { main } from "../src/main.js";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in this process, without colours and with an environment of its own. */
export async function gradlab(
  argv: readonly string[],
  {
    env = {},
    experiments,
    live = false,
    signal = new AbortController().signal,
    onLog = () => undefined,
  }: {
    env?: Record<string, string>;
    experiments?: readonly Experiment[];
    live?: boolean;
    signal?: AbortSignal;
    /** Sees what goes to stderr as it comes. */
    onLog?: (text: string) => void;
  } = {},
): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const code = await main(
    argv,
    {
      write: (text) => {
        stdout += text;
      },
      log: (text) => {
        stderr += text;
        onLog(text);
      },
      env,
      colors: { stdout: false, stderr: false },
      live,
      signal,
    },
    experiments,
  );
  return { code, stdout, stderr };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gradlab-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
