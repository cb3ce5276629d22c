/**
 * `npm run mutate -- PACKAGE [--lines N] [--seed S] [FILE …]`: how many small wrong changes of a package its tests notice.
 *
 * StrykerJS swaps operators, conditions and blocks, one at a time, and runs the tests that reach the place. What it
 * prints last are the changes that no test noticed. `--lines` takes a sample of about N lines, in runs of 12, in place of all; FILE
 * (`integer.ts`) takes these files of `src` alone. Changes of texts are left out. It takes minutes to hours, so it is no
 * part of the continuous integration; the tool is installed beside the workspace when it is first needed.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const stryker = "9.6.1";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { lines: { type: "string" }, seed: { type: "string", default: "1" } },
});
const [name, ...only] = positionals;
const source = `packages/${name}/src`;
if (name === undefined || !existsSync(join(root, source))) {
  console.error("mutate: expected the folder of a package, as in: npm run mutate -- random");
  process.exit(2);
}

/** Where the tool lives: outside of the lockfile, with the workspace's own versions of what it works on. */
const home = join(root, "node_modules/.cache/gradlab-mutate");
const versionOf = (dependency) => createRequire(import.meta.url)(`${dependency}/package.json`).version;
const tools = [
  ...["core", "vitest-runner"].map((part) => `@stryker-mutator/${part}@${stryker}`),
  ...["vitest", "typescript"].map((dependency) => `${dependency}@${versionOf(dependency)}`),
];
const stamp = join(home, "installed");
if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== tools.join(" ")) {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), "{}");
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund", ...tools], {
    cwd: home,
    stdio: "inherit",
  });
  if (status !== 0) process.exit(1);
  writeFileSync(stamp, tools.join(" "));
}

const files = readdirSync(join(root, source), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith("index.ts"))
  .filter((file) => only.length === 0 || only.includes(file))
  .sort();

/** A sample of runs of lines, without replacement, in the order of a small generator (Park and Miller). */
function sample(wanted) {
  const run = 12;
  const runs = files.flatMap((file) => {
    const lines = readFileSync(join(root, source, file), "utf8")
      .trimEnd()
      .split("\n").length;
    return Array.from(
      { length: Math.ceil(lines / run) },
      (_, i) => `${file}:${1 + i * run}-${(i + 1) * run}`,
    );
  });
  let state = Number(values.seed) * 48271 + 1;
  const chosen = [];
  while (runs.length > 0 && chosen.length * run < wanted) {
    state = (state * 48271) % 2147483647;
    chosen.push(...runs.splice(state % runs.length, 1));
  }
  return chosen.sort();
}

const config = {
  testRunner: "vitest",
  plugins: [join(home, "node_modules/@stryker-mutator/vitest-runner/dist/src/index.js")],
  vitest: { configFile: "scripts/vitest.mutate.config.ts", related: false },
  mutate: (values.lines === undefined ? files : sample(Number(values.lines))).map(
    (range) => `${source}/${range}`,
  ),
  mutator: { excludedMutations: ["StringLiteral"] },
  coverageAnalysis: "perTest",
  // What runs on import alone would run all tests anew each time.
  ignoreStatic: true,
  concurrency: 1,
  // A loop without end is found out; a busy machine is not taken for one.
  timeoutMS: 15_000,
  dryRunTimeoutMinutes: 60,
  disableTypeChecks: false,
  tsconfigFile: "none.json",
  ignorePatterns: ["**/dist", "/out", "**/.turbo", "**/.test-results"],
  tempDirName: join(home, `${name}.sandbox`),
  reporters: ["clear-text", "progress-append-only", "json"],
  jsonReporter: { fileName: join(home, `${name}.json`) },
  clearTextReporter: { allowColor: false, allowEmojis: false, logTests: false, reportTests: false },
};
const file = join(home, `${name}.config.json`);
writeFileSync(file, JSON.stringify(config, null, 2));
const { status } = spawnSync(join(home, "node_modules/.bin/stryker"), ["run", file], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, GRADLAB_MUTATE: name, GRADLAB_SEED: process.env.GRADLAB_SEED || "2" },
});
process.exitCode = status ?? 1;
