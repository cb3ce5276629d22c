import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";

/*
 * What the continuous integration says at its end, and the seed of the property tests: a count
 * that swallows a failure would turn red into green.
 */

const script = join(import.meta.dirname, "../../scripts/count-tests.mjs");

type Status = "passed" | "failed" | "pending" | "todo";

/** A report in vitest's form: the tests of its files, or null for a file that could not be loaded. */
function report(files: Record<string, readonly Status[] | null>): string {
  const statuses = Object.values(files).flatMap((tests) => tests ?? []);
  return JSON.stringify({
    numPassedTests: statuses.filter((status) => status === "passed").length,
    numFailedTests: statuses.filter((status) => status === "failed").length,
    success: !statuses.includes("failed") && !Object.values(files).includes(null),
    testResults: Object.entries(files).map(([name, tests]) => ({
      name: join(process.cwd(), name),
      status: tests === null || tests.includes("failed") ? "failed" : "passed",
      message: tests === null ? "Cannot find module" : "",
      assertionResults: (tests ?? []).map((status, i) => ({
        status,
        fullName: `case ${i}`,
        failureMessages: status === "failed" ? ["AssertionError: expected 1 to be 2\n    at a.ts:1:1"] : [],
      })),
    })),
  });
}

function count(files: Record<string, string>, ...failedSteps: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-count-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { stdout, status } = spawnSync(process.execPath, [script, folder, ...failedSteps], {
    encoding: "utf8",
  });
  const lines = stdout.trimEnd().split("\n");
  return { status, last: lines.at(-1), lines };
}

test("passed tests of all tasks are added up; none at all is a failure", () => {
  const green = report({ "a.test.ts": ["passed", "passed"], "b.test.ts": ["passed"] });
  expect(count({ "test.json": green, "test-packages.json": green })).toMatchObject({
    status: 0,
    last: "6 passed, 0 failed",
  });
  expect(count({})).toMatchObject({ status: 1, last: "0 passed, 0 failed" });
  expect(count({ "test.json": report({}) })).toMatchObject({ status: 1, last: "0 passed, 0 failed" });
});

test("a failed lint counts beside failed tests, and a step that failed otherwise beside both", () => {
  const red = report({ "a.test.ts": ["passed", "failed"] });
  const files = { "test.json": red, "test.biome.failed": "biome check . failed\n" };
  expect(count(files, "npm run test")).toMatchObject({ status: 1, last: "1 passed, 2 failed" });
  const all = count(files, "npm run test", "npm run test:packages", "npm run start -- --out out/ci");
  expect(all.last).toBe("1 passed, 4 failed");
  expect(all.lines).toEqual(
    expect.arrayContaining([
      "  biome check . failed",
      "  npm run test:packages",
      "  npm run start -- --out out/ci",
    ]),
  );
});

test("a step whose tests passed and that failed nevertheless is a failure", () => {
  const green = report({ "a.test.ts": ["passed"] });
  expect(count({ "test-packages.json": green }, "npm run test:packages").last).toBe("1 passed, 1 failed");
  // The same without a step: the run says of itself that it failed.
  const crashed = JSON.stringify({ ...JSON.parse(green), success: false });
  expect(count({ "test.json": crashed })).toMatchObject({ status: 1, last: "1 passed, 1 failed" });
  expect(count({ "test.json": crashed }, "npm run test").last).toBe("1 passed, 1 failed");
});

test("a file that could not be loaded counts once, also beside failed tests", () => {
  const files = { "test.json": report({ "a.test.ts": null, "b.test.ts": ["failed", "passed"] }) };
  const { last, lines } = count(files, "npm run test");
  expect(last).toBe("1 passed, 2 failed");
  expect(lines).toContain("  a.test.ts: Cannot find module");
});

test("every failed test is named beside its task and what it says, after the skipped ones", () => {
  const { lines } = count({
    "test.json": report({ "a.test.ts": ["passed", "pending"] }),
    "test-wasm.json": report({ "a.test.ts": ["passed", "failed"] }),
  });
  expect(lines).toEqual([
    "",
    "  Skipped:",
    "  a.test.ts: case 1",
    "",
    "  Failed:",
    "  test-wasm: a.test.ts: case 1",
    "      AssertionError: expected 1 to be 2",
    "",
    "1 skipped",
    "2 passed, 1 failed",
  ]);
});

test("every skipped test is named and counted", () => {
  const { status, lines } = count({
    "test.json": report({ "a.test.ts": ["passed", "pending"], "b.test.ts": ["todo"] }),
  });
  expect(status).toBe(0);
  expect(lines.slice(-5)).toEqual([
    "  a.test.ts: case 1",
    "  b.test.ts: case 0",
    "",
    "2 skipped",
    "1 passed, 0 failed",
  ]);
});

test("property tests have the seed that the run has said", () => {
  expect(fc.readConfigureGlobal().seed).toBe(Number(process.env.GRADLAB_SEED));
  const once = () => fc.sample(fc.integer(), { seed: Number(process.env.GRADLAB_SEED), numRuns: 5 });
  expect(fc.sample(fc.integer(), 5)).toEqual(once());
});
