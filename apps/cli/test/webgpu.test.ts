import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { experiments } from "@gradlab/experiments";
import { expect, test } from "vitest";
import { builtGradlab, temporaryFolder } from "./run-gradlab.js";

/** A thousand steps on every picture, each of dozens of commands: an emulated GPU takes longer than a test may. */
const tooLong = "attacks/targets";

/** Those that need files have others' tests. */
const chosen = experiments.filter(({ id, missing }) => id !== tooLong && !missing?.({}));

// On the driver that VK_ICD_FILENAMES names: minutes where it emulates a GPU.
test("on webgpu every experiment but one comes to the verdicts that it always has, and the command ends by itself", async () => {
  const out = await temporaryFolder();
  const argv = [
    "reproduce",
    "--only",
    chosen.map(({ id }) => id).join(","),
    "--backend",
    "webgpu",
    "--allow-software-gpu",
    "--out",
    out,
    "--json",
    "--quiet",
  ];
  const { code, stdout, stderr, lingered } = await builtGradlab(argv, { timeout: 590_000 });
  expect([code, stderr]).toEqual([0, ""]);
  expect(lingered).toBeLessThan(10_000);
  const report = JSON.parse(stdout);
  expect(report.backend).toEqual({
    requested: "webgpu",
    actual: "webgpu",
    device: expect.stringMatching(/\S/),
    software: expect.any(Boolean),
  });
  expect(report.experiments.map(({ id, backend }: { id: string; backend: string }) => [id, backend])).toEqual(
    chosen.map(({ id, usesBackend }) => [id, usesBackend ? "webgpu" : null]),
  );
  for (const { id, checks } of report.experiments) {
    for (const { name, ok } of checks) expect([id, name, ok]).toEqual([id, name, true]);
  }
  const html = await readFile(join(out, "report.html"), "utf8");
  expect(html).toContain(`<dt>device</dt><dd>${report.backend.device}</dd>`);
  expect(html).toContain(`<dt>emulated in software</dt><dd>${report.backend.software ? "yes" : "no"}</dd>`);
  expect(html).toContain("--backend webgpu --allow-software-gpu");
  expect(chosen.length).toBe(experiments.length - 3);
}, 600_000);
