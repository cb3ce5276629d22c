import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generateShapes, writeIdx } from "@gradlab/datasets";
import { readSafetensors } from "@gradlab/safetensors";
import { expect, test } from "vitest";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

/** 60 images in 3 steps an epoch: a second. */
const tiny = ["train-cnn", "--net", "lenet-relu", "--width", "2,3,8,6", "--count", "60", "--batch", "20"];
const wasm = ["--backend", "wasm"];

/** A folder of IDX files with generated images, as MNIST comes. */
async function idxFolder(): Promise<string> {
  const folder = await temporaryFolder();
  const { images, labels } = generateShapes({ seed: 1, size: 28, channels: 1, count: 30 });
  const write = (name: string, shape: number[], data: Uint8Array) =>
    writeFile(join(folder, name), writeIdx({ dtype: "uint8", shape, data }));
  for (const [part, from, to] of [
    ["train", 0, 20],
    ["t10k", 20, 30],
  ] as const) {
    const n = to - from;
    await write(`${part}-images-idx3-ubyte`, [n, 28, 28], images.subarray(from * 784, to * 784));
    await write(`${part}-labels-idx1-ubyte`, [n], Uint8Array.from(labels.subarray(from, to)));
  }
  return folder;
}

async function noteOf(file: string) {
  const { metadata } = readSafetensors(await readFile(file));
  const { step, extra } = JSON.parse(metadata.get("gradlab.training")!);
  return { step, ...extra["train-cnn"] };
}

test("the result, the log, the checkpoints and the figures of a training", async () => {
  const folder = await temporaryFolder();
  const [out, checkpoint, log] = ["out", "checkpoint", "deep/log.jsonl"].map((name) => join(folder, name));
  const files = ["--out", out!, "--checkpoint", checkpoint!, "--log", log!];
  const { code, stdout, stderr } = await gradlab([...tiny, ...wasm, "--epochs", "2", "--json", ...files]);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: "train-cnn",
    seed: 0,
    backend: { requested: "wasm", actual: "wasm" },
    network: { name: "lenet-relu", width: [2, 3, 8, 6], classes: 10, channels: 1 },
    data: { source: "shapes", kind: "shapes", classes: 10, train: 60, validation: 0, test: 500 },
    optimizer: { name: "adam", learningRate: 0.001 },
    steps: 6,
    stopped: "epochs",
    bestEpoch: null,
    training: { count: 60 },
    validation: null,
    test: { count: 500 },
    checkpoint: join(checkpoint!, "last.safetensors"),
    warnings: [],
  });
  expect(result.epochs.map(({ epoch, step }: Record<string, number>) => [epoch, step])).toEqual([
    [1, 3],
    [2, 6],
  ]);
  // The last look at the test images in training is the one that is reported.
  expect(result.epochs[1].validationLoss).toBe(result.test.loss);
  const { confusion, accuracy } = result.test;
  const right = confusion.reduce((sum: number, row: number[], label: number) => sum + row[label]!, 0);
  expect(right / 500).toBe(accuracy);
  expect(
    result.inspection.deadUnits.map(({ layer, of }: { layer: string; of: number }) => [layer, of]),
  ).toEqual([
    ["relu1", 2],
    ["relu2", 3],
    ["relu3", 8],
    ["relu4", 6],
  ]);
  expect(result.inspection.gradients.map(({ path }: { path: string }) => path)).toContain("fc3.kernel");
  expect(stderr).toMatch(
    /^epoch 1 of 2 · loss \d\.\d{4} · test loss \d\.\d{4}, accuracy \d+\.\d % · \d+\.\d s$/m,
  );

  const lines = (await readFile(log!, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ kind, step }) => `${kind} ${step}`)).toEqual([
    "step 1",
    "step 2",
    "step 3",
    "epoch 3",
    "step 4",
    "step 5",
    "step 6",
    "epoch 6",
  ]);
  expect(lines[3].loss).toBeCloseTo((lines[0].loss + lines[1].loss + lines[2].loss) / 3, 12);

  expect((await readdir(checkpoint!)).sort()).toEqual(["best.safetensors", "last.safetensors"]);
  expect((await readdir(out!)).sort()).toEqual([
    "activations.svg",
    "confusion.svg",
    "curves.svg",
    "histograms.svg",
    "index.html",
    "result.json",
  ]);
  expect(JSON.parse(await readFile(join(out!, "result.json"), "utf8"))).toEqual(result);
  const drawn = await readFile(join(out!, "activations.svg"), "utf8");
  // Two classes and noise, of the input, four ReLUs and the logits.
  expect(drawn.match(/<image /g)).toHaveLength(3 * 6);
  expect(drawn).toContain(">noise<");
  expect(await readFile(join(out!, "histograms.svg"), "utf8")).toMatch(/\d of 8 dead/);
  const page = await readFile(join(out!, "index.html"), "utf8");
  expect(page.match(/<figure>/g)).toHaveLength(4);
});

test("a training that is interrupted within an epoch and resumed ends in the same bytes", async () => {
  const folder = await temporaryFolder();
  const [whole, parts] = ["whole", "parts"].map((name) => join(folder, name)) as [string, string];
  const run = [...tiny, ...wasm, "--epochs", "3", "--augment", "affine", "--optimizer", "momentum"];
  await gradlab([...run, "--checkpoint", whole]);

  const log = join(folder, "log.jsonl");
  const interrupt = new AbortController();
  const first = await gradlab([...run, "--checkpoint", parts, "--log", log], {
    live: true,
    signal: interrupt.signal,
    // The first step is drawn as soon as it is done.
    onLog: (text) => void (text.includes("11 % · epoch 1 of 3") && interrupt.abort()),
  });
  expect(first).toMatchObject({ code: 130, stdout: "" });
  const last = join(parts, "last.safetensors");
  expect(await noteOf(last)).toMatchObject({ step: 1, history: [], unfinished: { steps: 1 } });
  expect(first.stderr).toContain(`gradlab: interrupted after step 1; ${last} holds it (--resume goes on)\n`);

  // What a crash has written after the checkpoint, half of a line among it, is cut off.
  await writeFile(log, `${await readFile(log, "utf8")}{"kind":"step","step":99}\n{"kind":"st`);
  const second = await gradlab([...run, "--checkpoint", parts, "--log", log, "--resume"]);
  expect(second.stderr).toContain("goes on after step 1, 0 epochs done\n");
  for (const name of ["last.safetensors", "best.safetensors"]) {
    expect((await readFile(join(parts, name))).equals(await readFile(join(whole, name)))).toBe(true);
  }
  const steps = (await readFile(log, "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(steps.filter(({ kind }) => kind === "step").map(({ step }) => step)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9,
  ]);
});

test("early stopping ends without progress and gives the parameters of the best epoch", async () => {
  const checkpoint = join(await temporaryFolder(), "checkpoint");
  const wild = ["--lr", "0.05", "--epochs", "40", "--patience", "2", "--validation", "0.3"];
  const run = [...tiny, ...wasm, ...wild, "--checkpoint", checkpoint, "--json", "--quiet"];
  const result = JSON.parse((await gradlab(run)).stdout);
  const losses: number[] = result.epochs.map(
    ({ validationLoss }: { validationLoss: number }) => validationLoss,
  );
  expect(result.stopped).toBe("patience");
  expect(losses.length).toBe(result.bestEpoch + 2);
  expect(losses[result.bestEpoch - 1]).toBe(Math.min(...losses));
  expect(result.validation.loss).toBe(losses[result.bestEpoch - 1]);
  expect(result.validation.loss).toBeLessThan(losses.at(-1)!);
  expect(await noteOf(join(checkpoint, "best.safetensors"))).toMatchObject({ step: result.bestEpoch * 3 });
  // Nothing is left to do; the best epoch is that of the earlier run.
  const again = JSON.parse((await gradlab([...run, "--resume"])).stdout);
  expect(again).toMatchObject({ stopped: "patience", bestEpoch: result.bestEpoch, test: result.test });
}, 40_000);

test("the same images with other labels are other images for a training that is resumed", async () => {
  const data = await idxFolder();
  const run = [
    "train-cnn",
    "--net",
    "lenet-relu",
    "--width",
    "2,3,8,6",
    "--data",
    data,
    "--batch",
    "20",
    ...wasm,
  ];
  const checkpoint = ["--checkpoint", join(await temporaryFolder(), "run")];
  expect((await gradlab([...run, ...checkpoint, "--epochs", "1"])).code).toBe(0);
  const again = await gradlab([...run, ...checkpoint, "--epochs", "2", "--resume"]);
  expect(again).toMatchObject({ code: 0 });
  const file = join(data, "train-labels-idx1-ubyte");
  const labels = await readFile(file);
  // Two labels exchanged: as many of each class as before, and not a pixel moved.
  const other = labels.subarray(9).findIndex((label) => label !== labels[8]);
  [labels[8], labels[9 + other]] = [labels[9 + other]!, labels[8]!];
  await writeFile(file, labels);
  const { code, stderr } = await gradlab([...run, ...checkpoint, "--epochs", "3", "--resume"]);
  expect(code).toBe(2);
  expect(stderr).toContain("--data: expected images with SHA-256");
});

test("resume wants the training that was begun, and says which flag differs", async () => {
  const folder = await temporaryFolder();
  const begun = [...tiny, ...wasm, "--checkpoint", folder];
  await gradlab([...begun, "--epochs", "1"]);
  const file = join(folder, "last.safetensors");
  const bytes = await readFile(file);
  // biome-ignore format: a table
  for (const [flags, message] of [
    [["--seed", "1"], "--seed: expected 0 as in FILE, got 1"],
    [["--batch", "30"], "--batch: expected 20 as in FILE, got 30"],
    [["--init", "he"], "--init: expected xavier-uniform as in FILE, got he-normal"],
    [["--augment", "flip"], "--augment: expected none as in FILE, got flip"],
    [["--lr", "0.5"], "--lr: expected 0.001 as in FILE, got 0.5"],
    [["--optimizer", "adamax", "--lr", "0.001"], "--optimizer: expected adam as in FILE, got adamax"],
    [["--net", "lenet"], "--net: expected lenet-relu as in FILE, got lenet"],
    [["--validation", "0.5"], "--validation: expected 0 as in FILE, got 0.5"],
    [["--width", "2,3,8,7"], "--width"],
    [["--count", "61"], "--data: expected images with SHA-256"],
  ] as const) {
    const ran = await gradlab([...begun, "--resume", ...flags]);
    expect(ran).toMatchObject({ code: 2, stdout: "" });
    expect(ran.stderr).toContain(message.replace("FILE", file));
  }
  expect((await readFile(file)).equals(bytes)).toBe(true);
  const none = await gradlab([...tiny, ...wasm, "--resume", "--checkpoint", join(folder, "other")]);
  expect(none).toMatchObject({ code: 1 });
  expect(none.stderr).toContain("last.safetensors: no such file");
  // A new training over an old one is said aloud.
  expect((await gradlab([...begun, "--epochs", "1"])).stderr).toContain(`warning: ${file} is written anew`);
}, 40_000);

test("a training that diverges says at which step and what to do", async () => {
  const ran = await gradlab([...tiny, ...wasm, "--optimizer", "sgd", "--lr", "1e12"]);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(
    /gradlab: the training diverged: the (loss|gradient norm) of step \d is (NaN|Infinity); try an --lr below 1000000000000\n$/,
  );
});

test("IDX files are found by their names, and their faults are told by file and byte", async () => {
  const data = await idxFolder();
  const run = [
    "train-cnn",
    "--net",
    "lenet-relu",
    "--width",
    "2,3,8,6",
    "--data",
    data,
    "--epochs",
    "1",
    ...wasm,
  ];
  const { stdout } = await gradlab([...run, "--json"]);
  expect(JSON.parse(stdout).data).toMatchObject({ kind: "idx", train: 20, test: 10 });

  const images = join(data, "train-images-idx3-ubyte");
  await writeFile(images, (await readFile(images)).subarray(0, 5_000));
  const checkpoint = join(await temporaryFolder(), "checkpoint");
  const cut = await gradlab([...run, "--checkpoint", checkpoint, "--log", join(checkpoint, "log.jsonl")]);
  expect(cut).toMatchObject({ code: 1, stdout: "" });
  expect(cut.stderr).toContain(images);
  expect(cut.stderr).toMatch(/5,?000/);
  await expect(readdir(checkpoint)).rejects.toThrow("ENOENT");
});

test("a folder of pictures for each class is a data set", async () => {
  const data = await temporaryFolder();
  for (const [part, count] of [
    ["train", 6],
    ["test", 3],
  ] as const) {
    for (let i = 0; i < count; i++) {
      await writeGrey(join(data, part, "dark", `${i}.png`), 20 + i, () => 5 * i);
      await writeGrey(join(data, part, "light", `${i}.png`), 20 + i, () => 255 - 5 * i);
    }
  }
  const run = ["train-cnn", "--net", "lenet-relu", "--width", "2,3,8,6", "--data", data, "--input", "28"];
  const { code, stdout } = await gradlab([...run, ...wasm, "--epochs", "20", "--lr", "0.01", "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    data: { kind: "pictures", labels: ["dark", "light"], train: 12, test: 6 },
    network: { channels: 3, classes: 2 },
    test: { accuracy: 1 },
  });
  await writeFile(join(data, "train", "dark", "0.png"), "no picture");
  const broken = await gradlab([...run, ...wasm]);
  expect(broken).toMatchObject({ code: 1 });
  expect(broken.stderr).toContain(`${join(data, "train", "dark", "0.png")}: not a picture`);
});

test("a network that a huge rate has killed is told, judged and drawn; without test images the training ones judge", async () => {
  const data = await idxFolder();
  await rm(join(data, "t10k-images-idx3-ubyte"));
  const out = join(await temporaryFolder(), "out");
  const huge = ["--lr", "3", "--epochs", "8", "--batch", "5", "--out", out];
  const net = ["--net", "lenet-relu", "--width", "2,3,8,6", "--data", data];
  const { code, stdout, stderr } = await gradlab(["train-cnn", ...net, ...wasm, ...huge]);
  expect(code).toBe(0);
  expect(stderr).toMatch(/^epoch 8 of 8 · loss \d+\.\d{4} · \d+\.\d s$/m);
  expect(stdout).toMatch(
    /^lenet-relu after 8 epochs, 32 steps, \d+ s\n\nimages +count +loss +accuracy\ntraining +20 /,
  );
  expect(stdout).toContain("6 of 6 in relu4");
  expect(stdout).not.toContain("most often taken for");
  expect(await readFile(join(out, "histograms.svg"), "utf8")).toContain(">6 of 6 dead<");
  expect(await readFile(join(out, "index.html"), "utf8")).toContain("of 20 training images are right");
});

// biome-ignore format: a table
test.each([
  ["no network", [], 2, "expected one of --net, --spec and --model, got none"],
  ["a folder that is not there", ["--net", "lenet", "--data", "no-such"], 1, "--data: no-such: no such folder"],
  ["an unknown network", ["--net", "lenet5"], 2, "--net: expected one of lenet, lenet-relu"],
  ["resume without a checkpoint", ["--net", "lenet", "--resume"], 2, "--resume: expected --checkpoint DIR beside it"],
  ["images to be made beside a folder", ["--net", "lenet", "--data", "x", "--count", "5"], 2, "--count: expected beside --data shapes"],
  ["patience without images to watch", ["--net", "lenet", "--patience", "1", "--validation", "0"], 2, "--patience: expected images to watch"],
  ["a share that leaves no image", ["--net", "lenet", "--count", "20", "--validation", "0.001"], 2, "--validation: expected a share that leaves images on both sides"],
  ["images too small for the network", ["--net", "alexnet", "--input", "28"], 2, "--net alexnet: "],
  ["a rate of 0", ["--net", "lenet", "--lr", "0"], 2, "Expected a number above 0"],
])("%s is refused in one line with the right exit code", async (_, argv, code, message) => {
  const ran = await gradlab(["train-cnn", ...argv]);
  expect(ran).toMatchObject({ code, stdout: "" });
  expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
  expect(ran.stderr).toContain(message);
});

test("Ctrl-C ends the built command in a checkpoint within an epoch", async () => {
  const folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  const command = join(import.meta.dirname, "../dist/gradlab.js");
  // 500 steps an epoch, of which nothing is read or written: the signal must be heard between two of them.
  const long = ["--net", "lenet-relu", "--count", "1000", "--batch", "2", "--epochs", "1000"];
  const log = join(folder, "log.jsonl");
  const child = spawn(process.execPath, [
    command,
    "train-cnn",
    ...long,
    ...wasm,
    "--checkpoint",
    folder,
    "--log",
    log,
  ]);
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    if (text.includes("parameters")) setTimeout(() => child.kill("SIGINT"), 700);
  });
  const [code] = await once(child, "exit");
  const last = join(folder, "last.safetensors");
  expect(code).toBe(130);
  const { step, unfinished } = await noteOf(last);
  expect(unfinished.steps).toBeGreaterThan(0);
  expect(stderr).toContain(`interrupted after step ${step}; ${last} holds it`);
}, 40_000);
