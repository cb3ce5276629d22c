#!/usr/bin/env node
import { exitCodes } from "./failure.js";
import { reasonOf } from "./files.js";
import { main } from "./main.js";

const interrupt = new AbortController();

process.once("SIGINT", () => {
  interrupt.abort();
  // A second Ctrl-C does not wait.
  process.once("SIGINT", () => process.exit(exitCodes.interrupted));
});

// A reader that has seen enough (`gradlab … | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.done);
  process.stderr.write(`gradlab: cannot write the result: ${reasonOf(error)}\n`);
  process.exit(exitCodes.runtime);
});

const colorful = (stream: NodeJS.WriteStream) =>
  process.env.NO_COLOR
    ? false
    : process.env.FORCE_COLOR
      ? process.env.FORCE_COLOR !== "0"
      : stream.isTTY === true;

process.exitCode = await main(process.argv.slice(2), {
  write: (text) => void process.stdout.write(text),
  log: (text) => void process.stderr.write(text),
  env: process.env,
  colors: { stdout: colorful(process.stdout), stderr: colorful(process.stderr) },
  // What is piped has no width; COLUMNS gives it one.
  columns: process.stdout.columns || Number(process.env.COLUMNS) || 100,
  live: process.stderr.isTTY === true,
  signal: interrupt.signal,
});
