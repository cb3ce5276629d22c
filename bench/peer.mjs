/** A process that answers lines: PyTorch, or this code with other settings. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/**
 * Starts a process that says a line when it is ready; null where it cannot. Each line that is asked has one for an
 * answer, given when the threads of the process, which wait for more work by spinning, are asleep.
 */
export async function startPeer(command, args) {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failed = new Promise((resolve) => child.on("error", () => resolve({ done: true })));
  const ready = await Promise.race([lines.next(), failed]);
  if (ready.done) return null;
  return {
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { value } = await lines.next();
      await pause(40);
      return value;
    },
    stop: () => child.kill(),
  };
}

/** A script of this folder in the system's own Python, where distributions put PyTorch; null without. */
export const startPython = (script, options) =>
  startPeer("/usr/bin/python3", [fileURLToPath(new URL(script, import.meta.url)), JSON.stringify(options)]);
