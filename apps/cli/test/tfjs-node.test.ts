import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { experiments } from "@gradlab/experiments";
import { expect, test } from "vitest";
import { temporaryFolder } from "./run-gradlab.js";

const command = join(import.meta.dirname, "../dist/gradlab.js");
const run = promisify(execFile);

/** Runs the command where tfjs-node is installed: `npm run test:tfjs-node` says where. */
const gradlab = (...argv: string[]) =>
  run(process.execPath, [command, ...argv, "--backend", "tfjs-node", "--json", "--quiet"], {
    cwd: process.env.GRADLAB_TFJS_NODE,
    timeout: 290_000,
    maxBuffer: 2 ** 26,
  });

const backend = {
  requested: "tfjs-node",
  actual: "tfjs-node",
  device: expect.stringMatching(/^CPU, TensorFlow \d/),
  software: null,
};

test("doctor says that tfjs-node would work, and on what", async () => {
  const { stdout, stderr } = await gradlab("doctor");
  expect(stderr).toBe("");
  const result = JSON.parse(stdout);
  expect(result.backend).toEqual(backend);
  expect(result.candidates).toMatchObject([{ name: "tfjs-node", status: "selected", reason: null }]);
});

/** Those that need files have others' tests. */
const chosen = experiments.filter(({ missing }) => !missing?.({}));

test("on tfjs-node every experiment comes to the verdicts it always has, and the command ends by itself", async () => {
  const only = chosen.map(({ id }) => id).join(",");
  const { stdout, stderr } = await gradlab("reproduce", "--only", only, "--out", await temporaryFolder());
  expect(stderr).toBe("");
  const report = JSON.parse(stdout);
  expect(report.backend).toEqual(backend);
  expect(report.experiments.map(({ id, backend }: { id: string; backend: string }) => [id, backend])).toEqual(
    chosen.map(({ id, usesBackend }) => [id, usesBackend ? "tfjs-node" : null]),
  );
  for (const { id, checks } of report.experiments) {
    for (const { name, ok } of checks) expect([id, name, ok]).toEqual([id, name, true]);
  }
  expect(chosen.length).toBe(experiments.length - 2);
}, 300_000);
