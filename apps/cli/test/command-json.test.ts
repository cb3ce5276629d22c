import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

/*
 * What every command prints with `--json`, small settings, as `scripts/golden/command-json.mjs` recorded it by the
 * command before its middle was moved: the same keys, texts and integers, numbers up to rounding.
 */
const golden = join(import.meta.dirname, "golden");
const { cases }: { cases: { argv: string[]; result: unknown }[] } = JSON.parse(
  readFileSync(join(golden, "command-json.json"), "utf8"),
);

/** Times differ from run to run, versions from release to release, devices from machine to machine: wasm's is its threads. */
const notCompared = new Set(["seconds", "milliseconds", "versions", "device"]);

/**
 * What has been said since then: by `classify`, its values are known in `classify-model.test.ts` and `classify.test.ts`, by
 * `lms` of its bias, and of what was left out.
 */
const saidSince = new Set([
  ".options.ema",
  ".options.invert",
  ".options.bgr",
  ".options.maps",
  ".layers",
  ".pixels",
  ".scores",
  ".options.maps",
  ".layers",
  ".data.bias",
  ".leftOut",
]);

/** Where two results differ, by path: numbers by more than `relative` of the larger, or of 1e-3. */
function differences(got: unknown, known: unknown, relative: number, path = ""): string[] {
  if (typeof got === "number" && typeof known === "number") {
    // A number beside the end of a bin may be counted in the next one.
    const beside = relative > 1e-9 && /\.bins\.\d+$/.test(path) ? 2 : 0;
    const allowed = Math.max(beside, relative * Math.max(Math.abs(got), Math.abs(known), 1e-3));
    return Math.abs(got - known) <= allowed ? [] : [`${path}: ${got} instead of ${known}`];
  }
  if (isVector(got) && isVector(known) && got.length === known.length) {
    // Sums are rounded by their largest terms: so is the smallest of some logits.
    const allowed = relative * Math.max(...known.map(Math.abs), 1e-3);
    return got.flatMap((value, i) =>
      Math.abs(value - known[i]!) <= allowed ? [] : [`${path}.${i}: ${value} instead of ${known[i]}`],
    );
  }
  if (typeof got !== "object" || got === null || typeof known !== "object" || known === null) {
    return Object.is(got, known)
      ? []
      : [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(known)}`];
  }
  const entries = new Map(Object.entries(got));
  const keys = new Set([...entries.keys(), ...Object.keys(known)]);
  return [...keys].flatMap((key) => {
    if (notCompared.has(key)) return [];
    if (saidSince.has(`${path}.${key}`) && !Object.hasOwn(known, key)) return [];
    if (!entries.has(key) || !Object.hasOwn(known, key)) return [`${path}.${key}: in one of them only`];
    return differences(entries.get(key), (known as Record<string, unknown>)[key], relative, `${path}.${key}`);
  });
}

/** Numbers that are no counts. */
const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.some((one) => !Number.isInteger(one)) &&
  value.every((one) => typeof one === "number");

/** A result without the experiments that have come since. */
function withoutNewcomers(got: { experiments?: { id: string }[] }, known: unknown): unknown {
  const { experiments } = known as typeof got;
  if (got.experiments === undefined || experiments === undefined) return got;
  const ids = new Set(experiments.map(({ id }) => id));
  return { ...got, experiments: got.experiments.filter(({ id }) => ids.has(id)) };
}

test("every command prints the values that it printed before, in the same form", async () => {
  const out = await temporaryFolder();
  const commands = new Set(cases.map(({ argv }) => argv[0]));
  expect([...commands].sort()).toEqual([
    ...["backprop-check", "classify", "doctor", "gates", "lms", "receptive-field", "reproduce", "summary"],
    "train-cnn",
  ]);
  for (const { argv, result } of cases) {
    const words = argv.map((word) => word.replaceAll("$IN", golden).replaceAll("$OUT", out));
    const { code, stdout, stderr } = await gradlab([...words, "--json", "--quiet"]);
    expect({ argv, code, stderr }).toEqual({ argv, code: 0, stderr: "" });
    const got = withoutNewcomers(
      JSON.parse(stdout.replaceAll(golden, "$IN").replaceAll(out, "$OUT")),
      result,
    );
    // Tensors are of single precision, and engines differ in the last bit of exp and log.
    const isMeasured = /^(train-cnn|classify|reproduce)$/.test(argv[0]!) || argv.includes("--measure");
    expect([argv, differences(got, result, isMeasured ? 1e-4 : 1e-9)]).toEqual([argv, []]);
  }
}, 180_000);
