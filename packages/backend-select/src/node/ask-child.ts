import { spawn } from "node:child_process";
import type { Attempt } from "../attempt.js";

const answer = "gradlab-probe:";

/** The answer of a child process, or how it ended without one. What it printed to stderr is in `errors`. */
export type ChildAnswer<T> =
  | { readonly value: T; readonly errors: string }
  | { readonly value: null; readonly reason: string; readonly errors: string };

/**
 * Runs a program in a Node of its own, where native libraries may print, crash and register what they like. It is ended
 * with the attempt.
 *
 * @param program CommonJS, the body of an async function; what it returns comes back as JSON, `args` are `process.argv`
 *   from 1 on.
 */
export function askChild<T>(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  attempt: Attempt,
): Promise<ChildAnswer<T>> {
  const code = `(async () => {${program}})().then(
    (value) => ({ value }),
    (error) => ({ value: null, reason: String((error && error.message) || error).split("\\n")[0] }),
  ).then((result) => process.stdout.write("\\n${answer}" + JSON.stringify(result) + "\\n", () => process.exit()));`;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["-e", code, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    attempt.onSettled(() => child.kill("SIGKILL"));
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      errors = (errors + text).slice(-4000);
    });
    child.on("error", (error) => resolve({ value: null, reason: error.message, errors }));
    child.on("close", (status, signal) => {
      const line = output.split("\n").find((one) => one.startsWith(answer));
      if (line !== undefined)
        resolve({ ...(JSON.parse(line.slice(answer.length)) as ChildAnswer<T>), errors });
      else {
        const last = errors.trim().split("\n").at(-1);
        const how = `its process ended with ${signal ?? `code ${status}`}`;
        resolve({ value: null, reason: last ? `${how}: ${last}` : how, errors });
      }
    });
  });
}
