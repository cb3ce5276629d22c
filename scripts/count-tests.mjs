/**
 * Adds up the results that the test runs left in `.test-results/` and prints
 * how many were skipped, then "N passed, N failed". A step that failed without a failed test
 * (lint, types, a crash) counts as one failure. Exits with 1 unless tests ran and
 * none failed.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../.test-results/", import.meta.url));
const failedSteps = Number(process.argv[2] ?? 0);
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const file of existsSync(folder) ? readdirSync(folder) : []) {
  const result = JSON.parse(readFileSync(folder + file, "utf8"));
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests + (result.success || result.numFailedTests > 0 ? 0 : 1);
  counts.skipped += result.numPendingTests + result.numTodoTests;
}
if (failedSteps > 0 && counts.failed === 0) counts.failed = failedSteps;
if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
