import { readFileSync } from "node:fs";
import { env } from "@tensorflow/tfjs-core";
import { expect, test, vi } from "vitest";

test("the example of the README is the one that runs, and prints the loss worked out by hand", async () => {
  env().set("PROD", true); // no advertisement on the console
  const source = readFileSync(new URL("../examples/minimal.ts", import.meta.url), "utf8");
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("../examples/minimal.js");
  const [, loss] = /^loss (.+)$/.exec(log.mock.calls[0]![0] as string)!;
  log.mockRestore();
  // -1 rises by 0.1 a step to -0.5; 2 shrinks by a fifth of itself a step.
  expect(Number(loss)).toBeCloseTo(0.5 + (2 * 0.8 ** 5) ** 2, 5);
});
