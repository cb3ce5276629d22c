import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateShapes, writeIdx } from "@gradlab/datasets";
import { courseData } from "@gradlab/lms";
import sharp from "sharp";
import { expect, onTestFinished, test } from "vitest";
import { writeGrey } from "./pictures.js";
import { builtGradlab, gradlab, temporaryFolder } from "./run-gradlab.js";

/*
 * That what is given counts: seeds, labels, the order and the margins of images, a second Ctrl-C. Only through the command line.
 */

const wasm = ["--backend", "wasm"];
const narrow = ["--net", "lenet-relu", "--width", "2,3,8,6"];
const tiny = ["train-cnn", ...narrow, "--count", "60", "--batch", "20", "--epochs", "1", ...wasm];

async function json(...argv: readonly string[]) {
  const { code, stdout } = await gradlab([...argv, "--json", "--quiet"]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

test("lms --seed decides which data are generated, and no flag is the documented one", async () => {
  for (const seed of [0, 1]) {
    const { seed: said, wiener, runs, data } = await json("lms", "--seed", `${seed}`);
    expect(said).toBe(seed);
    // Least squares by the normal equations, of the data with this seed.
    const { X, d } = courseData({ seed });
    const residual = (weights: readonly number[], k: number) =>
      weights.reduce((rest, weight, i) => rest - weight * X.data[3 * k + i]!, d[k]!);
    for (let i = 0; i < 3; i++) {
      let dot = 0;
      for (let k = 0; k < X.rows; k++) dot += X.data[3 * k + i]! * residual(wiener.weights, k);
      expect(Math.abs(dot)).toBeLessThan(1e-12 * X.rows);
    }
    expect(data.rows).toBe(100);
    expect(runs[0]).toMatchObject({ algorithm: "lms", parameters: { mu: 0.01 }, epochs: 20 });
  }
  const parameters = async (algorithm: string) =>
    (await json("lms", "--algorithm", algorithm)).runs[0].parameters;
  expect(await parameters("rls")).toEqual({ lambda: 1, delta: 0.01 });
  expect(await parameters("leaky-lms")).toMatchObject({ mu: 0.01, leak: 0.01 });
  expect(await parameters("affine-projection")).toMatchObject({ mu: 0.01, order: 2 });
  expect(await json("lms")).toEqual(await json("lms", "--seed", "0"));
});

test("train-cnn --seed decides the images, the weights and the order, and the same one gives the same run", async () => {
  const run = async (...flags: readonly string[]) => {
    const { epochs, test: judged, training } = await json(...tiny, ...flags);
    return { losses: epochs.map(({ loss }: { loss: number }) => loss), judged, training };
  };
  const [none, zero, one] = [await run(), await run("--seed", "0"), await run("--seed", "1")];
  expect(zero).toEqual(none);
  expect(one.losses).not.toEqual(zero.losses);
  expect(one.judged.loss).not.toBe(zero.judged.loss);
}, 40_000);

/** A folder of IDX files with 30 images that come class after class, as they are in many a data set. */
async function sortedFolder(labelOf: (sorted: number) => number = (label) => label): Promise<string> {
  const folder = await temporaryFolder();
  const { images, labels } = generateShapes({ seed: 1, size: 28, channels: 1, count: 40, classes: 2 });
  const order = [0, 1].flatMap((label) => [...labels.keys()].filter((i) => labels[i] === label).slice(0, 15));
  const pixels = Uint8Array.from(order.flatMap((i) => [...images.subarray(784 * i, 784 * (i + 1))]));
  const sorted = Uint8Array.from(order, (i) => labelOf(labels[i]!));
  const write = (name: string, shape: number[], data: Uint8Array) =>
    writeFile(join(folder, name), writeIdx({ dtype: "uint8", shape, data }));
  await write("train-images-idx3-ubyte", [30, 28, 28], pixels);
  await write("train-labels-idx1-ubyte", [30], sorted);
  return folder;
}

test("images sorted by class are dealt out evenly, to validation and to batches, in another order each epoch", async () => {
  const folder = await temporaryFolder();
  const log = join(folder, "log.jsonl");
  const data = await sortedFolder();
  // A rate that moves nothing: the loss of a step is that of the images in its batch.
  const still = ["--optimizer", "sgd", "--lr", "1e-30", "--batch", "6", "--epochs", "3"];
  const result = await json(
    "train-cnn",
    ...narrow,
    ...wasm,
    "--data",
    data,
    ...still,
    "--validation",
    "0.2",
    "--log",
    log,
  );
  expect(result.data).toMatchObject({ train: 24, validation: 6 });
  expect(result.validation.confusion.map((row: number[]) => row.reduce((a, b) => a + b, 0))).toEqual([3, 3]);
  const lines = (await readFile(log, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const steps: number[] = lines.filter(({ kind }) => kind === "step").map(({ loss }) => loss);
  expect(steps).toHaveLength(12);
  const epochs = [0, 1, 2].map((epoch) => steps.slice(4 * epoch, 4 * epoch + 4));
  const means = epochs.map((losses) => losses.reduce((a, b) => a + b, 0) / 4);
  for (const mean of means) expect(mean).toBeCloseTo(means[0]!, 6); // every image once
  expect(epochs[1]).not.toEqual(epochs[0]);
  expect(epochs[2]).not.toEqual(epochs[1]);
}, 40_000);

test("train-cnn --seed decides the weights at the start and the order of the images, each of them", async () => {
  const folder = await temporaryFolder();
  // Ten black images and ten white ones, one a step, and a rate that moves nothing: two losses, in the order of the images.
  const write = (name: string, shape: number[], data: Uint8Array) =>
    writeFile(join(folder, name), writeIdx({ dtype: "uint8", shape, data }));
  const pixels = Uint8Array.from({ length: 20 * 784 }, (_, i) => (i < 10 * 784 ? 0 : 255));
  await write("train-images-idx3-ubyte", [20, 28, 28], pixels);
  await write(
    "train-labels-idx1-ubyte",
    [20],
    Uint8Array.from({ length: 20 }, (_, i) => +(i >= 10)),
  );
  const still = ["--optimizer", "sgd", "--lr", "1e-30", "--batch", "1", "--epochs", "1", "--quiet"];
  const run = async (seed: string) => {
    const log = join(folder, `${seed}.jsonl`);
    await gradlab([
      "train-cnn",
      ...narrow,
      ...wasm,
      "--data",
      folder,
      ...still,
      "--seed",
      seed,
      "--log",
      log,
    ]);
    const lines = (await readFile(log, "utf8")).trim().split("\n");
    const steps = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
    const losses: number[] = steps.map(({ loss }) => loss);
    expect(losses).toHaveLength(20);
    return {
      kinds: [...new Set(losses)].sort(),
      changes: losses.map((loss, i) => loss !== losses[i - 1]),
    };
  };
  const [zero, one] = [await run("0"), await run("1")];
  expect([zero.kinds.length, one.kinds.length]).toEqual([2, 2]);
  expect(one.kinds).not.toEqual(zero.kinds);
  expect(one.changes).not.toEqual(zero.changes);
}, 40_000);

test("a training is not resumed with other labels of the same images", async () => {
  const checkpoint = join(await temporaryFolder(), "run");
  const begun = ["train-cnn", ...narrow, ...wasm, "--checkpoint", checkpoint, "--epochs", "1", "--quiet"];
  const first = await gradlab([...begun, "--data", await sortedFolder()]);
  expect(first.code).toBe(0);
  const other = await gradlab([...begun, "--data", await sortedFolder((label) => 1 - label), "--resume"]);
  expect(other).toMatchObject({ code: 2, stdout: "" });
  expect(other.stderr).toContain("--data: expected images with SHA-256");
  const same = await gradlab([...begun, "--data", await sortedFolder(), "--resume"]);
  expect(same.code).toBe(0);
}, 40_000);

/** A colour picture of 32 x 32 with a frame of another grey, `frame` pixels wide. */
async function framed(folder: string, name: string, frame: number, grey: number): Promise<string> {
  const size = 32;
  const data = Uint8Array.from({ length: size * size * 3 }, (_, i) => {
    const [y, x] = [Math.floor(i / 3 / size), Math.floor(i / 3) % size];
    const outside = Math.min(y, x, size - 1 - y, size - 1 - x) < frame;
    return outside ? grey : (7 * y + 11 * x + 50 * (i % 3)) % 256;
  });
  const file = join(folder, `${name}.png`);
  await sharp(data, { raw: { width: size, height: size, channels: 3 } })
    .png()
    .toFile(file);
  return file;
}

test("--preprocess imagenet looks at the middle 28 of 32 pixels, unit at all of them", async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  await mkdir(data);
  for (let i = 0; i < 3; i++) {
    await writeGrey(join(data, "dark", `${i}.png`), 28, () => 5 * i);
    await writeGrey(join(data, "light", `${i}.png`), 28, () => 255 - 5 * i);
  }
  const run = join(folder, "run");
  const net = [...narrow, "--input", "28"];
  await gradlab(["train-cnn", ...net, "--data", data, "--epochs", "1", "--checkpoint", run, ...wasm]);
  const weights = ["--channels", "3", "--classes", "2", "--weights", join(run, "last.safetensors")];
  const pictures = [
    await framed(folder, "plain", 0, 0),
    await framed(folder, "black", 2, 0),
    await framed(folder, "white", 2, 255),
    await framed(folder, "thick", 3, 255),
  ];
  const probabilities = async (preprocess: string) => {
    const flags = ["--preprocess", preprocess, "--top", "2", ...wasm];
    const { images } = await json("classify", ...net, ...weights, ...flags, ...pictures);
    return images.map(
      ({ predictions }: { predictions: { index: number; probability: number }[] }) =>
        predictions.find(({ index }) => index === 0)!.probability,
    );
  };
  const [plain, black, white, thick] = await probabilities("imagenet");
  expect([black, white]).toEqual([plain, plain]);
  expect(thick).not.toBe(plain);
  const whole = await probabilities("unit");
  expect(new Set(whole).size).toBe(4);
  // Other numbers for the same pixels.
  expect(await probabilities("symmetric")).not.toEqual(whole);
  expect((await probabilities("googlenet"))[0]).not.toBe(plain);
}, 40_000);

test("NO_COLOR is stronger than FORCE_COLOR, FORCE_COLOR=0 says no, and a pipe has no colours", async () => {
  const argv = ["receptive-field", "--spec", "conv1 3/2"];
  const colorful = async (env: Readonly<Record<string, string>>, ...flags: readonly string[]) => {
    const { code, stdout } = await builtGradlab([...argv, ...flags], {
      env: { NO_COLOR: "", FORCE_COLOR: "", ...env },
    });
    expect(code).toBe(0);
    return stdout.includes("\u001b[");
  };
  expect(
    await Promise.all([
      colorful({}),
      colorful({ FORCE_COLOR: "1" }),
      colorful({ FORCE_COLOR: "0" }),
      colorful({ FORCE_COLOR: "1", NO_COLOR: "1" }),
      colorful({ FORCE_COLOR: "1" }, "--no-color"),
    ]),
  ).toEqual([false, true, false, false, false]);
}, 60_000);

test("a stack trace comes with --verbose alone, also in JSON", async () => {
  const argv = ["lms", "--data-file", "no-such.csv"];
  const plain = await gradlab(argv);
  expect([plain.code, plain.stderr]).toEqual([1, "gradlab: no-such.csv: no such file\n"]);
  const verbose = await gradlab([...argv, "--verbose"]);
  expect(verbose.stderr).toMatch(/^gradlab: no-such\.csv: no such file\n.*\n {4}at .*\n$/s);
  const error = async (...flags: readonly string[]) =>
    JSON.parse((await gradlab([...argv, "--json", ...flags])).stderr).error;
  const expected = { kind: "runtime", exitCode: 1, message: "no-such.csv: no such file" };
  expect(await error()).toEqual(expected);
  expect(await error("--verbose")).toEqual({ ...expected, stack: expect.stringMatching(/\n {4}at /) });
});

test("--quiet takes away what comes beside the result, and nothing of it", async () => {
  const out = join(await temporaryFolder(), "lms.json");
  const loud = await gradlab(["lms", "--out", out]);
  expect(loud).toMatchObject({ code: 0, stderr: `wrote ${out}\n` });
  expect(await gradlab(["lms", "--out", out, "--quiet"])).toEqual({ ...loud, stderr: "" });
});

test("a first Ctrl-C ends the work in order, a second one the process at once, both with exit code 130", async () => {
  const folder = await temporaryFolder();
  // What a driver or a library may do: keep Node alive when all work is done.
  const preload = join(folder, "never-ends.cjs");
  await writeFile(preload, "setInterval(() => {}, 1000);");
  const command = join(import.meta.dirname, "../dist/gradlab.js");
  const long = ["train-cnn", ...narrow, "--count", "60", "--batch", "2", "--epochs", "100000", ...wasm];
  const child = spawn(process.execPath, ["--require", preload, command, ...long], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const ended = once(child, "exit");
  await expect.poll(() => stderr, { timeout: 30_000 }).toContain("60 images");
  child.kill("SIGINT");
  await expect.poll(() => stderr, { timeout: 10_000 }).toContain("gradlab: interrupted");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect([child.exitCode, child.signalCode]).toEqual([null, null]);
  const asked = performance.now();
  child.kill("SIGINT");
  expect(await ended).toEqual([130, null]);
  expect(performance.now() - asked).toBeLessThan(10_000);
}, 60_000);
