import { spawn } from "node:child_process";
import { messageOf } from "../backend-registry.js";

/** What came of a script in a child process: its answer, or why there is none. */
export type ChildAnswer = { readonly answer: unknown } | { readonly failure: string };

/**
 * Runs a script (an ES module, which calls `answer(value)` once) in a process of
 * its own: what it loads may crash, hang or print without harm.
 */
export function askChild(
  script: string,
  options: { readonly signal: AbortSignal; readonly environment?: Readonly<Record<string, string>> },
): Promise<ChildAnswer> {
  const { signal, environment = {} } = options;
  const source = `
const answer = (value) => process.send({ answer: value }, () => process.exit(0));
const refuse = (error) => process.send({ failure: String(error?.message ?? error) }, () => process.exit(1));
process.on("uncaughtException", refuse);
process.on("unhandledRejection", refuse);
try {
${script}
} catch (error) { refuse(error); }`;
  return new Promise((resolve) => {
    let result: ChildAnswer | undefined;
    let said = "";
    const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: { ...process.env, ...environment },
      signal,
      killSignal: "SIGKILL",
      windowsHide: true,
    });
    child.stderr?.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000);
    });
    child.on("message", (message) => {
      result = message as ChildAnswer;
    });
    child.on("error", (error) => resolve({ failure: `no child process (${messageOf(error)})` }));
    child.on("close", (code, killedBy) => {
      const end = killedBy === null ? `ended with code ${code}` : `was ended by ${killedBy}`;
      const last = said.trim().split("\n").at(-1) ?? "";
      resolve(result ?? { failure: `a process that loaded it ${end}${last === "" ? "" : `: ${last}`}` });
    });
  });
}
