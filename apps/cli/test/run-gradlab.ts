import { spawn } from "node:child_process";
import { once } from "node:events";
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
    columns = 100,
    signal = new AbortController().signal,
    onLog = () => undefined,
  }: {
    env?: Record<string, string>;
    experiments?: readonly Experiment[];
    live?: boolean;
    columns?: number;
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
      columns,
      live,
      signal,
    },
    experiments,
  );
  return { code, stdout, stderr };
}

/**
 * Runs the built command in a process of its own, as users do, with Node's defaults for signals.
 *
 * @returns What it printed, its exit code (null where it was ended after `timeout` ms), and for how long it
 *   went on after its last line, in ms: a timer or a worker that was forgotten keeps Node alive.
 */
export async function builtGradlab(
  argv: readonly string[],
  { env = {}, timeout = 60_000 }: { env?: Readonly<Record<string, string>>; timeout?: number } = {},
): Promise<Omit<Ran, "code"> & { readonly code: number | null; readonly lingered: number }> {
  const command = join(import.meta.dirname, "../dist/gradlab.js");
  const child = spawn(process.execPath, [command, ...argv], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
    timeout,
    killSignal: "SIGKILL",
  });
  const printed = { stdout: "", stderr: "" };
  let last = performance.now();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
      last = performance.now();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { ...printed, code, lingered: performance.now() - last };
}

/** A folder that is gone after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gradlab-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
