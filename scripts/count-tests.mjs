/**
 * `node scripts/count-tests.mjs FOLDER [STEP …]`: adds up what the tasks left in a folder and prints which tests
 * were skipped, which failed and why, what failed that is no test, and "N passed, N failed" in the last line.
 *
 * The folder holds a report of vitest for each task (`test-packages.json`) and a file for each
 * check of a task that failed (`test.biome.failed`). A run of vitest that failed without a failed test (it crashed,
 * or a file could not be loaded), a failed check, and a failed step that left neither count as one failure each. Exits
 * with 1 unless tests ran and nothing failed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

const [folder, ...failedSteps] = process.argv.slice(2);
const files = existsSync(folder) ? readdirSync(folder).sort() : [];
const counts = { passed: 0, failed: 0 };
const skipped = [];
const failed = [];
const others = [];
/** Failures that a task's files tell of. */
const known = new Map();

for (const file of files) {
  const [task] = file.split(".");
  const text = readFileSync(join(folder, file), "utf8");
  let failures = 0;
  if (file.endsWith(".failed")) {
    others.push(text.trim());
    failures = 1;
  } else if (file.endsWith(".json")) {
    const result = JSON.parse(text);
    counts.passed += result.numPassedTests;
    failures = result.numFailedTests;
    for (const { name, assertionResults, status, message } of result.testResults) {
      const path = relative(process.cwd(), name);
      const tests = assertionResults.filter((one) => !["passed", "failed"].includes(one.status));
      skipped.push(...tests.map((one) => `${path}: ${one.fullName}`));
      for (const one of assertionResults) {
        if (one.status !== "failed") continue;
        const [why] = one.failureMessages.join("\n").trim().split("\n");
        failed.push(`${task}: ${path}: ${one.fullName}\n      ${why}`);
      }
      if (status === "failed" && !assertionResults.some((one) => one.status === "failed")) {
        others.push(`${path}: ${message.trim().split("\n")[0]}`);
        failures++;
      }
    }
    if (!result.success && failures === 0) {
      others.push(`${task}: the run failed, though no test did`);
      failures = 1;
    }
  }
  counts.failed += failures;
  known.set(task, (known.get(task) ?? 0) + failures);
}

for (const step of failedSteps) {
  const task = step.match(/^npm run (\S+)/)?.[1].replace(":", "-");
  if ((known.get(task) ?? 0) > 0) continue;
  others.push(step);
  counts.failed++;
}

if (skipped.length > 0) console.log(["", "Skipped:", ...skipped].join("\n  "));
if (failed.length > 0) console.log(["", "Failed:", ...failed].join("\n  "));
if (others.length > 0) console.log(["", "Failed beside the tests:", ...others].join("\n  "));
if (skipped.length > 0) console.log(`\n${skipped.length} skipped`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
