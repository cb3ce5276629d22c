/**
 * What the npm scripts do. Each task is a list of steps; `install` and
 * `build` are skipped when nothing changed, so that a second run starts at once.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { standingFolder } from "./standing-folder.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const windows = process.platform === "win32";
const command = join(root, "apps/cli/dist/gradlab.js");

class StepFailed extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * Runs a program of node_modules/.bin, or node itself. `quiet` keeps what it
 * prints to itself unless it fails.
 */
function exec(program, args, { cwd = process.cwd(), quiet = false, env = {} } = {}) {
  const result = spawnSync(program === "node" ? process.execPath : program, args, {
    cwd,
    shell: windows && program !== "node",
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    maxBuffer: 2 ** 26,
    env: {
      ...process.env,
      PATH: join(root, "node_modules/.bin") + delimiter + process.env.PATH,
      TURBO_TELEMETRY_DISABLED: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
      DO_NOT_TRACK: "1",
      ...env,
    },
  });
  if (result.error) throw new StepFailed(`${program}: ${result.error.message}`, 1);
  if (quiet && result.status !== 0) process.stderr.write(Buffer.concat([result.stdout, result.stderr]));
  if (result.signal) {
    const interrupted = result.signal === "SIGINT" || result.signal === "SIGTERM";
    throw new StepFailed(`${program} was stopped by ${result.signal}`, interrupted ? 130 : 1);
  }
  if (result.status !== 0) throw new StepFailed(`${[program, ...args].join(" ")} failed`, result.status);
}

const inRoot = (program, ...args) => exec(program, args, { cwd: root });
const say = (line) => console.error(line);

function workspaceFolders() {
  const children = (parent) => readdirSync(join(root, parent)).map((name) => join(parent, name));
  return [...children("packages"), ...children("apps"), "integration", "bench"].filter((folder) =>
    existsSync(join(root, folder, "package.json")),
  );
}

/** Installs with the pinned pnpm and the frozen lockfile, unless the same manifests are installed already. */
function install() {
  const manifests = ["package.json", ...workspaceFolders().map((folder) => join(folder, "package.json"))];
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    hash.update(file).update(readFileSync(join(root, file)));
  }
  const stamp = join(root, "node_modules/.gradlab-installed");
  const digest = hash.digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === digest) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  say(`Installing the workspace with ${packageManager} …`);
  exec(windows ? "npx.cmd" : "npx", ["--yes", packageManager, "install", "--frozen-lockfile"], {
    cwd: root,
    quiet: true,
  });
  writeFileSync(stamp, digest);
}

function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** True when a source is newer than what was last built from it. */
function isStale() {
  const stamp = join(root, "node_modules/.gradlab-built");
  if (!existsSync(stamp)) return true;
  const built = statSync(stamp).mtimeMs;
  const sources = ["tsconfig.base.json", "tsup.config.ts", "pnpm-lock.yaml"];
  for (const folder of workspaceFolders()) {
    if (existsSync(join(root, folder, "tsconfig.json")) || folder.startsWith("apps")) {
      if (!existsSync(join(root, folder, "dist"))) return true;
      sources.push(join(folder, "src"), join(folder, "package.json"));
      if (existsSync(join(root, folder, "assembly"))) sources.push(join(folder, "assembly"));
    }
  }
  return sources.some((source) => newest(join(root, source)) > built);
}

function build() {
  if (!isStale()) return;
  say("Building …");
  const started = Date.now();
  exec("turbo", ["run", "build", "--output-logs=errors-only"], { cwd: root, quiet: true });
  writeFileSync(join(root, "node_modules/.gradlab-built"), `${started}\n`);
}

function prepare() {
  install();
  build();
}

const results = join(root, ".test-results");

/** Runs every step, also after one that failed; the task fails at the end, with the first status. */
function all(...steps) {
  const failures = [];
  for (const step of steps) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof StepFailed) || error.status === 130) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) {
    throw new StepFailed(failures.map(({ message }) => message).join("\n"), failures[0].status);
  }
}

/**
 * A check that is no test (lint, types). What fails is left in `.test-results/`, where
 * the continuous integration counts it beside the failed tests.
 */
function check(task, program, ...args) {
  const record = join(results, `${fileName(task)}.${program}.failed`);
  mkdirSync(results, { recursive: true });
  rmSync(record, { force: true });
  try {
    inRoot(program, ...args);
  } catch (error) {
    writeFileSync(record, `${error.message}\n`);
    throw error;
  }
}

/** One vitest run; what came of every test is left in `.test-results/` for the continuous integration. */
function vitest(task, args, env = {}) {
  mkdirSync(results, { recursive: true });
  const json = join(results, `${fileName(task)}.json`);
  rmSync(json, { force: true });
  exec("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${json}`, ...args], {
    cwd: root,
    env,
  });
}

const fileName = (task) => task.replace(":", "-");

/** The tests that read one of these variables; `npm run test:slow` sets all of them. */
const slowVariables = ["GRADLAB_SLOW", "GRADLAB_MEMORY_STEPS", "GRADLAB_TORCH_FILES"];

function slowTests() {
  const read = (folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(folder, name).replaceAll("\\", "/"));
  const folders = workspaceFolders().map((folder) => join(folder, "test"));
  const files = folders.filter((folder) => existsSync(join(root, folder))).flatMap(read);
  const pattern = new RegExp(`\\b(${slowVariables.join("|")}|isSlow)\\b`);
  return files.filter(
    (file) => file.endsWith(".test.ts") && pattern.test(readFileSync(join(root, file), "utf8")),
  );
}

/**
 * Has PyTorch write a folder of `.pth` files, several GB, and gives it to `work`; where there is no PyTorch,
 * says so and the test that reads them is skipped.
 */
function withTorchFiles(work) {
  const given = process.env.GRADLAB_TORCH_FILES;
  if (given) return work({ GRADLAB_TORCH_FILES: given });
  const python = "/usr/bin/python3";
  const { status } = spawnSync(python, ["-c", "import torchvision"], { stdio: "ignore" });
  if (status !== 0) {
    say("No PyTorch (Debian's python3-torchvision): the test of files that it wrote is skipped.");
    return work({});
  }
  const folder = mkdtempSync(join(tmpdir(), "gradlab-torch-"));
  try {
    say("Writing files of PyTorch …");
    exec(python, ["packages/classic-cnns/scripts/golden/torch_states.py", folder], { cwd: root });
    work({ GRADLAB_TORCH_FILES: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const tasks = {
  start(args) {
    prepare();
    const cwd = standingFolder(process.env, process.cwd());
    const out = relative(cwd, join(root, "out"));
    exec("node", [command, "reproduce", "--out", out, ...args], { cwd });
  },
  build: prepare,
  test(args) {
    prepare();
    all(
      () => check("test", "biome", "check", "--error-on-warnings", "."),
      () => check("test", "tsc", "-p", "tsconfig.json"),
      () => vitest("test", args),
    );
  },
  "test:slow"(args) {
    prepare();
    withTorchFiles((env) =>
      vitest("test:slow", [...slowTests(), ...args], {
        GRADLAB_SLOW: "1",
        GRADLAB_MEMORY_STEPS: "10000",
        ...env,
      }),
    );
  },
  "test:packages"(args) {
    prepare();
    all(
      () => check("test:packages", "knip", "--no-progress"),
      () => vitest("test:packages", ["--config", "integration/vitest.config.ts", ...args]),
    );
  },
  /** What else training on wasm may run on; `npm test` has the companion module with all that the machine has. */
  "test:wasm"(args) {
    prepare();
    const names = ["op-parity", "geometry", "non-finite", "core-on-wasm", "layers-training"];
    const files = args.length > 0 ? args : names.map((name) => `integration/test/${name}.test.ts`);
    const run = (mode) => () =>
      vitest(`test:wasm-${mode}`, files, { GRADLAB_WASM: mode, GRADLAB_GEOMETRY_BACKEND: "wasm" });
    all(run("composition"), run("plain"));
  },
  "test:wasm-matrix"(args) {
    prepare();
    inRoot("node", "scripts/wasm-matrix.mjs", ...args);
  },
  "test:webgpu"(args) {
    prepare();
    vitest("test:webgpu", ["--config", "integration/webgpu/vitest.config.ts", ...args]);
  },
  "test:browser"(args) {
    prepare();
    vitest("test:browser", ["--config", "integration/browser/vitest.config.ts", ...args]);
  },
  /** With `--or-skip`, a machine on which tfjs-node cannot be built is counted as one skipped test. */
  "test:tfjs-node"(args) {
    prepare();
    const orSkip = args.includes("--or-skip");
    try {
      inRoot("node", "integration/tfjs-node/build.mjs");
    } catch (error) {
      if (error.status !== 75 || !orSkip) throw error;
      mkdirSync(results, { recursive: true });
      const skipped = { fullName: "TensorFlow's library could not be built here", status: "skipped" };
      const testResults = [{ name: join(root, "integration/tfjs-node"), assertionResults: [skipped] }];
      const report = { numPassedTests: 0, numFailedTests: 0, success: true, testResults };
      writeFileSync(join(results, "test-tfjs-node.json"), JSON.stringify(report));
      return;
    }
    const rest = args.filter((arg) => arg !== "--or-skip");
    vitest("test:tfjs-node", ["--config", "integration/tfjs-node/vitest.config.ts", ...rest]);
  },
  format(args) {
    install();
    inRoot("biome", "check", "--write", ".", ...args);
  },
  bench(args) {
    prepare();
    inRoot("node", "bench/run.mjs", ...args);
  },
  costs(args) {
    prepare();
    inRoot("node", "packages/wasm-training/scripts/costs.mjs", ...args);
  },
  mutate(args) {
    prepare();
    inRoot("node", "scripts/mutate.mjs", ...args);
  },
  "release:dry"(args) {
    prepare();
    inRoot("node", "scripts/release-dry.mjs", ...args);
  },
  lab(args) {
    prepare();
    exec(join(root, "apps/lab/node_modules/.bin/vite"), ["preview", ...args], {
      cwd: join(root, "apps/lab"),
    });
  },
  gradlab(args) {
    prepare();
    // What `npm run test:tfjs-node` built is found as if it were installed.
    const native = join(root, "node_modules/.gradlab-tfjs-node/node_modules");
    const cwd = standingFolder(process.env, process.cwd());
    exec("node", [command, ...args], { cwd, env: existsSync(native) ? { NODE_PATH: native } : {} });
  },
};

const [name, ...args] = process.argv.slice(2);
try {
  if (!Object.hasOwn(tasks, name)) {
    throw new StepFailed(
      `run: expected one of ${Object.keys(tasks).join(", ")}, got ${JSON.stringify(name)}`,
      2,
    );
  }
  tasks[name](args);
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  // The command and the test runner have said what is wrong; a failed installation may not have.
  if (name !== "gradlab" && name !== "start") say(error.message);
  process.exitCode = error.status;
}
