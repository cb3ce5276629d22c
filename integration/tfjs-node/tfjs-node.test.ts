import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CandidateReport } from "@gradlab/backend-select";
import { expect, onTestFinished, test } from "vitest";
import { tfjsNodeFolder } from "./load-tfjs-node.js";

// The stand-ins in backend-select's own tests behave as these do.

const { version } = JSON.parse(readFileSync(new URL("wheel.json", import.meta.url), "utf8"));
const device = `CPU, TensorFlow ${version}`;
const run = promisify(execFile);

/** Runs an ES module in a process of its own, which sees the built packages. */
async function inNode(script: string, { args = [] as string[], folder = tfjsNodeFolder } = {}) {
  const argv = [...args, "--input-type=module", "--eval", script, folder];
  return run(process.execPath, argv, { cwd: import.meta.dirname, timeout: 50_000 });
}

const select = `
  import { selectBackend } from "@gradlab/backend-select";
  const selection = await selectBackend({ only: ["tfjs-node-gpu", "tfjs-node", "cpu"], resolveFrom: process.argv[1] });
  console.log(JSON.stringify(selection));`;

interface Selected {
  readonly backend: string;
  readonly device: string | null;
  readonly candidates: readonly CandidateReport[];
}

async function selected(folder: string, args: string[] = []): Promise<Selected> {
  const { stdout, stderr } = await inNode(select, { folder, args });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

/** A copy of the package without its library and binding: those of the original are linked, unless `without` names them. */
function variant(name: string, without?: "lib" | "deps"): string {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-tfjs-node-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [from, to] = [tfjsNodeFolder, folder].map((parent) => join(parent, "node_modules"));
  const original = join(from!, "@tensorflow/tfjs-node");
  const copy = join(to!, "@tensorflow", name);
  mkdirSync(copy, { recursive: true });
  for (const sibling of [
    "@mapbox",
    "google-protobuf",
    "progress",
    "@tensorflow/tfjs",
    "@tensorflow/tfjs-core",
  ]) {
    symlinkSync(join(from!, sibling), join(to!, sibling), "dir");
  }
  const manifest = JSON.parse(readFileSync(join(original, "package.json"), "utf8"));
  writeFileSync(join(copy, "package.json"), JSON.stringify({ ...manifest, name: `@tensorflow/${name}` }));
  cpSync(join(original, "dist"), join(copy, "dist"), { recursive: true });
  // The binding finds the library from where it lies itself: copied, it is small.
  if (without !== "lib") cpSync(join(original, "lib"), join(copy, "lib"), { recursive: true });
  if (without !== "deps") symlinkSync(join(original, "deps"), join(copy, "deps"), "dir");
  return folder;
}

test("it is selected with its device, prints nothing, and the process ends by itself", async () => {
  const { backend, device: got, candidates } = await selected(tfjsNodeFolder);
  expect([backend, got]).toEqual(["tfjs-node", device]);
  expect(candidates.find(({ name }) => name === "tfjs-node-gpu")).toMatchObject({ status: "absent" });
});

/** A file that makes a process lack what Node 23 removed from `util`. */
function withoutUtilFunctions(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "gradlab-node-23-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const preload = join(folder, "node-23.cjs");
  writeFileSync(preload, 'const util = require("util"); delete util.isNullOrUndefined; delete util.isArray;');
  return ["--require", preload];
}

test("as Node 23 and newer are, it cannot run an op by itself, and is selected all the same", async () => {
  const args = withoutUtilFunctions();
  const bare = `
    import { createRequire } from "node:module";
    const tf = createRequire(process.argv[1] + "/x.js")("@tensorflow/tfjs-node");
    tf.abs(tf.tensor1d([-1]));`;
  await expect(inNode(bare, { args })).rejects.toThrow("isNullOrUndefined) is not a function");
  expect((await selected(tfjsNodeFolder, args)).backend).toBe("tfjs-node");
});

test.each([
  ["binding", "lib", /native addon module \(tfjs_binding\.node\) can not be found at path/],
  ["TensorFlow library", "deps", /libtensorflow_cc\.so\.2: cannot open shared object file/],
] as const)("without its %s it is rejected, and says so", async (_, without, reason) => {
  const { backend, candidates } = await selected(variant("tfjs-node", without));
  expect(backend).toBe("cpu");
  expect(candidates.find(({ name }) => name === "tfjs-node")).toMatchObject({
    status: "rejected",
    reason: expect.stringMatching(reason),
  });
});

test("a -gpu build that finds no CUDA is rejected as such, and used as tfjs-node", async () => {
  const { backend, device: got, candidates } = await selected(variant("tfjs-node-gpu"));
  expect(candidates[0]).toMatchObject({
    name: "tfjs-node-gpu",
    status: "rejected",
    reason: "its TensorFlow found no CUDA device and computes on the CPU",
    device: null,
  });
  expect([backend, got]).toEqual(["tfjs-node", device]);
});
