/**
 * Builds `@tensorflow/tfjs-node` where its install script cannot: TensorFlow's C library comes out of the wheel of
 * `wheel.json` by pip, the binding is compiled from the sources that the npm package carries. Prints the folder from which
 * the package is found; a second call takes what the first one made. Exits with 75 where the machine lacks something.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statfsSync,
  symlinkSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const here = import.meta.dirname;
const root = resolve(here, "../..");
const require = createRequire(import.meta.url);
const wheel = JSON.parse(readFileSync(join(here, "wheel.json"), "utf8"));
const compiler = process.env.CXX || "g++";
const cache = resolve(process.env.GRADLAB_CACHE || join(root, "node_modules/.cache"), "gradlab-tfjs-node");
const link = join(root, "node_modules/.gradlab-tfjs-node");

/** Something of the machine that is needed is not there: no fault of the sources. */
class NotHereError extends Error {}

const fromDisk = (name) => dirname(realpathSync(require.resolve(`${name}/package.json`)));
const packageFolder = fromDisk("@tensorflow/tfjs-node");

function run(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: "utf8", maxBuffer: 2 ** 26, ...options });
  return {
    ok: result.status === 0,
    said: `${result.error?.message ?? ""}${result.stdout ?? ""}${result.stderr ?? ""}`.trim(),
  };
}

/** What building needs and this machine lacks, as one would say it; empty where all is there. */
function missing() {
  const lacks = [];
  if (process.platform !== "linux" || process.arch !== "x64") {
    return [`Linux on x64 (the wheel is for it; this is ${process.platform} on ${process.arch})`];
  }
  if (!run("python3", ["-m", "pip", "--version"]).ok) lacks.push("python3 with pip");
  if (!run(compiler, ["--version"]).ok) lacks.push(`a C++ compiler (${compiler})`);
  mkdirSync(cache, { recursive: true });
  const { bavail, bsize } = statfsSync(cache);
  if (bavail * bsize < 2e9) lacks.push(`2 GB of disk (${cache} has ${((bavail * bsize) / 1e9).toFixed(1)})`);
  return lacks;
}

async function sha256(file) {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk);
  return hash.digest("hex");
}

/** The wheel's file, fetched by pip and checked. */
async function fetchWheel(folder) {
  const { ok, said } = run("python3", [
    ...["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"],
    ...["--only-binary=:all:", "--implementation", "cp", "--python-version", wheel.python],
    ...["--platform", wheel.platform, "--dest", folder, `${wheel.package}==${wheel.version}`],
  ]);
  const name = readdirSync(folder).find((file) => file.endsWith(".whl"));
  if (!ok || name === undefined) {
    throw new NotHereError(`pip that reaches ${wheel.package} ${wheel.version} (${said.split("\n").at(-1)})`);
  }
  const got = await sha256(join(folder, name));
  if (got !== wheel.sha256) throw new Error(`${name}: expected sha256 ${wheel.sha256}, got ${got}`);
  return join(folder, name);
}

/** Libraries and the headers that the binding includes, without the other 400 MB. */
const unpack = `
import sys, zipfile
wanted = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
headers = tuple("tensorflow/include/" + part for part in ("tensorflow/c/", "tensorflow/core/platform/", "tensorflow/tsl/", "tsl/"))
with zipfile.ZipFile(sys.argv[1]) as wheel:
    wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name in wanted or name.startswith(headers)])
`;

/** `node_modules` with the package, its binding and links to what it depends on, so that there is one tfjs-core. */
async function build(folder, say) {
  const modules = join(folder, "node_modules");
  const target = join(modules, "@tensorflow/tfjs-node");
  const library = join(target, "deps/lib");
  mkdirSync(library, { recursive: true });
  cpSync(packageFolder, target, { recursive: true, dereference: true });
  const store = resolve(packageFolder, "../..");
  for (const entry of readdirSync(store)) {
    if (entry !== "@tensorflow") symlinkSync(join(store, entry), join(modules, entry), "dir");
  }
  for (const entry of readdirSync(join(store, "@tensorflow"))) {
    if (entry !== "tfjs-node")
      symlinkSync(join(store, "@tensorflow", entry), join(modules, "@tensorflow", entry), "dir");
  }
  // It uses this one too without declaring it.
  symlinkSync(fromDisk("@tensorflow/tfjs-core"), join(modules, "@tensorflow/tfjs-core"), "dir");
  say(`Fetching ${wheel.package} ${wheel.version} with pip (200 MB) …`);
  const file = await fetchWheel(folder);
  say("Unpacking …");
  const unpacked = run("python3", ["-c", unpack, file, folder]);
  if (!unpacked.ok) throw new Error(`${wheel.package} could not be unpacked: ${unpacked.said}`);
  rmSync(file);
  const libraries = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
  for (const name of libraries) renameSync(join(folder, "tensorflow", name), join(library, name));
  say("Compiling the binding …");
  const binding = join(target, "lib/napi-v8");
  mkdirSync(binding, { recursive: true });
  const compiled = run(compiler, [
    ...["-std=c++17", "-O2", "-shared", "-fPIC", "-DNAPI_VERSION=8", "-w"],
    ...["-I", join(folder, "tensorflow/include"), "-I", join(fromDisk("node-api-headers"), "include")],
    ...["tfjs_backend.cc", "tfjs_binding.cc"].map((name) => join(target, "binding", name)),
    ...["-L", library, ...libraries.map((name) => `-l:${name}`), "-Wl,-rpath,$ORIGIN/../../deps/lib"],
    ...["-o", join(binding, "tfjs_binding.node")],
  ]);
  if (!compiled.ok) throw new Error(`the binding could not be compiled:\n${compiled.said}`);
  rmSync(join(folder, "tensorflow"), { recursive: true });
}

/**
 * Builds the package unless it is there: the folder whose `node_modules` has it.
 *
 * @throws {NotHereError} where the machine lacks something.
 */
async function buildTfjsNode(say) {
  const key = createHash("sha256")
    .update(readFileSync(fileURLToPath(import.meta.url)))
    .update(`${wheel.sha256} ${packageFolder}`)
    .digest("hex");
  const folder = join(cache, key.slice(0, 16));
  if (existsSync(folder)) return folder;
  const lacks = missing();
  if (lacks.length > 0) throw new NotHereError(lacks.join(" and "));
  const partial = mkdtempSync(join(cache, "partial-"));
  try {
    await build(partial, say);
    renameSync(partial, folder);
    for (const other of readdirSync(cache)) {
      const older = join(cache, other);
      if (older !== folder) rmSync(older, { recursive: true, force: true });
    }
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

try {
  const folder = await buildTfjsNode(console.error);
  // For `npm run gradlab`.
  rmSync(link, { force: true });
  symlinkSync(folder, link, "dir");
  console.log(folder);
} catch (error) {
  const lacking = error instanceof NotHereError;
  console.error(lacking ? `tfjs-node cannot be built here: it needs ${error.message}` : error);
  process.exitCode = lacking ? 75 : 1;
}
