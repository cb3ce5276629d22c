import "@tensorflow/tfjs-backend-cpu";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { env, setBackend } from "@tensorflow/tfjs-core";
import { expect, onTestFinished, test, vi } from "vitest";
import { type ModelFiles, ownModels, writeFiles } from "./own-models.js";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

/*
 * Models with a fault or two put in at random: fields, wirings, shards. What the commands make of them is a result or a
 * clear error, soon. `GRADLAB_FUZZ_SECONDS=600` goes on for ten minutes, `GRADLAB_SEED` begins elsewhere.
 */

const seconds = Number(process.env.GRADLAB_FUZZ_SECONDS) || 20;
/** The case to begin with, so that one can be looked at again. */
const firstCase = Number(process.env.GRADLAB_FUZZ_FIRST) || 0;
const mostMs = 2000;

/** Integers below a bound, the same for a seed (mulberry32). */
function dice(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Place = readonly [parent: Record<string, Json>, key: string];

/** Every value in JSON by where it stands. */
function placesIn(value: Json): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const parent = value as Record<string, Json>;
  return Object.keys(parent).flatMap((key): Place[] => [[parent, key], ...placesIn(parent[key]!)]);
}

const strange: readonly Json[] = [
  null, true, false, 0, 1, -1, 2, 3, 1.5, 1e9, 2 ** 31, -(2 ** 31), 2 ** 53, "", "x", "__proto__", "constructor", "same",
  "channels_first", "linear", "float16", "uint8", "string", [], {}, [0], [-1, -1], [null], [[1, 2], [3]], [1e6, 1e6],
  { class_name: "Dense", config: {} }, "Conv2D", "LSTM", "MatMul", "NextIteration", "Placeholder", "x".repeat(3000),
]; // biome-ignore format: a list

/** Puts a fault in and says which. */
function mutate(json: Json, below: (n: number) => number): string {
  const places = placesIn(json);
  // Half of the faults in the wiring and the numbers of layers, which are few among all fields.
  const likely = places.filter(([, key]) =>
    /^(inbound_nodes|input|inputs|input_layers|output_layers|class_name|op|name|units|filters|kernel_size|strides|shape|batch_input_shape|padding|weights|dtype|axis|target_shape|size)$/.test(
      key,
    ),
  );
  const pool = below(2) === 0 && likely.length > 0 ? likely : places;
  let [parent, key] = pool[below(pool.length)]!;
  for (let depth = below(4); depth > 0; depth--) {
    const inner = placesIn(parent[key]!);
    if (inner.length > 0) [parent, key] = inner[below(inner.length)]!;
  }
  const other = places[below(places.length)]!;
  const copy = (place: Place): Json => structuredClone(place[0][place[1]]!);
  const before = parent[key]!;
  const kind = below(8);
  if (kind === 0) Array.isArray(parent) ? parent.splice(Number(key), 1) : delete parent[key];
  else if (kind === 1) parent[key] = copy(other);
  else if (kind === 2) {
    const kept = copy([parent, key]);
    parent[key] = copy(other);
    other[0][other[1]] = kept;
  } else if (kind === 3 && typeof before === "number") {
    parent[key] = [before + 1, before - 1, before * 2, -before, before * 1e6, before / 3][below(6)]!;
  } else if (kind === 4 && typeof before === "string") {
    const texts = places.map(([from, at]) => from[at]!).filter((text) => typeof text === "string");
    parent[key] = texts[below(texts.length)]!;
  } else if (kind === 5 && Array.isArray(before)) {
    if (before.length > 0 && below(2) === 0) before.push(structuredClone(before[below(before.length)]!));
    else before.reverse();
  } else parent[key] = structuredClone(strange[below(strange.length)]!);
  return `${key}: ${JSON.stringify(before)?.slice(0, 60)} -> ${JSON.stringify(parent[key])?.slice(0, 60)}`;
}

function mutateShards(shards: Map<string, Uint8Array>, below: (n: number) => number): string {
  const [name, bytes] = [...shards][below(shards.size)]!;
  const kind = below(5);
  if (kind === 0) shards.delete(name);
  else if (kind === 1) shards.set(name, bytes.slice(0, below(bytes.length)));
  else if (kind === 2) shards.set(name, new Uint8Array([...bytes, ...bytes.slice(0, 1 + below(9))]));
  else if (kind === 3)
    shards.set(
      name,
      bytes.map(() => below(256)),
    );
  else {
    const changed = bytes.slice();
    for (let i = 0; i < 8; i++) changed[below(changed.length)] = [0, 0xff, 0x7f, 0x80, below(256)][below(5)]!;
    shards.set(name, changed);
  }
  return `${name}: ${["gone", "cut", "longer", "noise", "some bytes"][kind]}`;
}

/** Ends the process, saying of what, when a case takes far too long: nothing else hears while it runs. */
function watch(): (about: string | null) => void {
  const shared = new SharedArrayBuffer(8 + 4096);
  const [clock, text] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
  const code = `
    const { workerData: shared } = require("node:worker_threads");
    const [clock, text] = [new Int32Array(shared, 0, 2), new Uint8Array(shared, 8)];
    let seen = -1, since = Date.now();
    setInterval(() => {
      if (clock[0] !== seen) { seen = clock[0]; since = Date.now(); return; }
      if (clock[1] === 0 || Date.now() - since < 15000) return;
      require("node:fs").writeSync(2, "hangs: " + Buffer.from(text.slice(0, clock[1])).toString() + "\\n");
      process.kill(process.pid, "SIGKILL");
    }, 500);`;
  const worker = new Worker(code, { eval: true, workerData: shared });
  worker.unref();
  onTestFinished(async () => void (await worker.terminate()));
  return (about) => {
    const bytes = new TextEncoder().encode(about ?? "").subarray(0, 4096);
    text.set(bytes);
    clock[1] = bytes.length;
    clock[0] = clock[0]! + 1;
  };
}

const unclear =
  /Cannot read prop|is not a function|not iterable|Maximum call stack|Invalid (typed )?array length|allocation|\n {2,}at |\w+Error:/;
// What tfjs itself says where it stumbles stands in brackets.
const told = (stderr: string) => stderr.replace(/fails on \(.*\)/g, "fails on");

test(
  `models with faults end in a result or a clear error, for ${seconds} s`,
  async () => {
    env().set("PROD", true);
    // tfjs advises on recurrent layers there.
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
    await setBackend("cpu");
    const folder = await temporaryFolder();
    const picture = join(folder, "waves.png");
    await writeGrey(picture, 8, (y, x) => (40 * y + 90 * x) % 256);
    const models = await Promise.all(Object.values(ownModels).map((make) => make()));
    const commands = (file: string) => [
      ["summary", "--model", file],
      ["receptive-field", "--model", file],
      ["classify", "--model", file, picture, "--backend", "cpu", "--range", "0,1"],
    ];
    const run = async (files: ModelFiles, begin: (command: string) => void) => {
      const place = join(folder, "model");
      await rm(place, { recursive: true, force: true });
      const file = await writeFiles(place, files);
      const failures: string[] = [];
      for (const argv of commands(file)) {
        begin(argv[0]!);
        const began = performance.now();
        const { code, stderr } = await gradlab(argv);
        let took = performance.now() - began;
        if (took > mostMs) {
          // Unless it was the machine that was busy.
          const again = performance.now();
          await gradlab(argv);
          took = Math.min(took, performance.now() - again);
        }
        const lines = stderr.trim().split("\n");
        const last = lines.at(-1)!;
        if (took > mostMs) failures.push(`${argv[0]}: ${Math.round(took)} ms`);
        if (![0, 1, 2].includes(code)) failures.push(`${argv[0]}: exit code ${code}`);
        if (code !== 0 && !last.startsWith("gradlab: ")) failures.push(`${argv[0]}: ${stderr}`);
        if (unclear.test(told(stderr))) failures.push(`${argv[0]}: ${stderr}`);
      }
      return failures;
    };
    // Whole, they have results, but for positions where there are none.
    for (const [place, files] of models.entries()) {
      const file = await writeFiles(join(folder, "whole"), files);
      for (const argv of commands(file)) {
        const { code, stderr } = await gradlab(argv);
        const isSequence = Object.keys(ownModels)[place] === "rows as a sequence";
        if (argv[0] === "receptive-field" && isSequence)
          expect(stderr).toContain("--output can end the graph");
        else expect([place, argv[0], code, stderr]).toEqual([place, argv[0], 0, expect.anything()]);
      }
    }
    const heartbeat = watch();
    const seed = Number(process.env.GRADLAB_SEED_GIVEN || 1);
    const all = new Map<string, string>();
    const end = performance.now() + 1000 * seconds;
    let cases = 0;
    for (; performance.now() < end && all.size < 20; cases++) {
      const number = firstCase + cases;
      const below = dice(seed + 7919 * number);
      const base = models[below(models.length)]!;
      const files = { json: structuredClone(base.json), shards: new Map(base.shards) };
      const faults = Array.from({ length: 1 + below(2) }, () =>
        below(8) === 0 && files.shards.size > 0
          ? mutateShards(files.shards, below)
          : mutate(files.json as Json, below),
      );
      const about = `seed ${seed}, case ${number}: ${faults.join("; ")}`;
      const failures = await run(files, (command) => heartbeat(`${about}: ${command}`));
      for (const failure of failures) all.set(failure.replace(/\d+/g, "#"), `${about}\n    ${failure}`);
    }
    heartbeat(null);
    expect([...all.values()].join("\n")).toBe("");
    expect(cases).toBeGreaterThan(seconds);
  },
  1000 * (seconds + 60),
);

test("deep and long JSON, and what is no JSON, are clear errors too", async () => {
  const folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  const picture = join(folder, "waves.png");
  await writeGrey(picture, 8, () => 9);
  const nested = (depth: number) => `${'{"modelTopology":'.repeat(depth)}{}${"}".repeat(depth)}`;
  const deepInputs = `{"modelTopology":{"class_name":"Model","config":{"name":"m","layers":[{"name":"a","class_name":"InputLayer","config":{},"inbound_nodes":${"[".repeat(5000)}${"]".repeat(5000)}}],"input_layers":[["a",0,0]],"output_layers":[["a",0,0]]}}}`;
  for (const text of ["", "{", "[]", "null", "5", '"text"', "\0\0", nested(1), nested(3000), deepInputs]) {
    const file = join(folder, "model.json");
    await writeFile(file, text);
    for (const command of ["summary", "receptive-field", "classify"]) {
      const ran = await gradlab([command, "--model", file, ...(command === "classify" ? [picture] : [])]);
      expect(ran).toMatchObject({ code: 1, stdout: "" });
      expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
      expect(told(ran.stderr)).not.toMatch(unclear);
    }
  }
});
