import { readFileSync } from "node:fs";
import { env } from "@tensorflow/tfjs";
import { expect, test, vi } from "vitest";

test("the example of the README is the one that runs, and its loss falls", async () => {
  env().set("PROD", true); // no advertisement on the console
  const source = readFileSync(new URL("../examples/minimal.ts", import.meta.url), "utf8");
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(`\`\`\`ts\n${source}\`\`\``);
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import("../examples/minimal.js");
  const [, before, after] = /^loss (.+) → (.+)$/.exec(log.mock.calls[0]![0] as string)!;
  log.mockRestore();
  expect(Number(after)).toBeLessThan(Number(before) / 2);
});
