import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { io, setBackend, tensor } from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { layers, sequential } from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const golden = join(import.meta.dirname, "golden");
const narrow = ["--net", "lenet-relu", "--width", "2,3,8,6", "--classes", "4"];
const wasm = ["--backend", "wasm"];

/** The picture of which `golden/lenet.json` says what PyTorch makes of it. */
async function goldenPicture(folder: string): Promise<string> {
  const file = join(folder, "waves.png");
  await writeGrey(file, 28, (y, x) => Math.round(127.5 + 127.5 * Math.sin(0.37 * y + 0.11 * x * y)));
  return file;
}

test("a .pth of PyTorch gives PyTorch's probabilities, the most probable class first, with names", async () => {
  const folder = await temporaryFolder();
  const picture = await goldenPicture(folder);
  const labels = join(folder, "labels.txt");
  await writeFile(labels, "ant\nbee\ncat\ndog\n");
  const weights = ["--weights", join(golden, "lenet.pth")];
  const out = join(folder, "out.json");
  const argv = ["classify", ...narrow, ...weights, "--labels", labels, "--top", "3", ...wasm, picture];
  const { code, stdout, stderr } = await gradlab([...argv, "--json", "--out", out]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: `wrote ${out}\n` });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: "classify",
    backend: { requested: "wasm", actual: "wasm" },
    network: "lenet-relu",
    preprocess: "unit",
  });
  expect(JSON.parse(await readFile(out, "utf8"))).toEqual(result);
  const { probabilities } = JSON.parse(await readFile(join(golden, "lenet.json"), "utf8"));
  const names = ["ant", "bee", "cat", "dog"];
  const order = [0, 1, 2, 3].sort((a, b) => probabilities[b] - probabilities[a]).slice(0, 3);
  expect(result.images).toHaveLength(1);
  const [{ file, predictions }] = result.images;
  expect(file).toBe(picture);
  expect(predictions.map(({ index, label }: { index: number; label: string }) => [index, label])).toEqual(
    order.map((index) => [index, names[index]]),
  );
  // Sums of at most 75 float32 products of size 1 in each of five layers.
  for (const { index, probability } of predictions) {
    expect(Math.abs(probability - probabilities[index])).toBeLessThan(1e-5);
  }
  const text = await gradlab(argv);
  expect(text.stdout).toMatch(
    /^lenet-relu on wasm on .* SIMD\n\n.*waves\.png\nprobability {2}class {2}name\n +\d+\.\d % +\d {2}\w{3}\n/,
  );
});

test("--maps: what every layer makes of the picture, up to the logits of PyTorch's probabilities", async () => {
  const folder = await temporaryFolder();
  const picture = await goldenPicture(folder);
  const out = join(folder, "maps.svg");
  const argv = ["classify", ...narrow, "--weights", join(golden, "lenet.pth"), "--maps", ...wasm, picture];
  const { code, stdout } = await gradlab([...argv, "--json", "--out", out]);
  expect(code).toBe(0);
  const { layers } = JSON.parse(stdout);
  const { probabilities } = JSON.parse(await readFile(join(golden, "lenet.json"), "utf8"));
  // Logits are further apart by the logarithm of how much more probable; see above for the tolerance.
  const apart = Math.log(Math.max(...probabilities) / Math.min(...probabilities));
  expect(layers.at(-1).most - layers.at(-1).least).toBeCloseTo(apart, 4);
  const rectified = layers.filter(({ op }: { op: string }) => op === "relu");
  expect(rectified).toHaveLength(4);
  for (const { least } of rectified) expect(least).toBeGreaterThanOrEqual(0);
  const svg = await readFile(out, "utf8");
  expect(svg.match(/<image /g)).toHaveLength(layers.length + 1);
});

test("a checkpoint of train-cnn, or its folder, says itself what network it is of and what classes are called", async () => {
  const folder = await temporaryFolder();
  const data = join(folder, "data");
  for (let i = 0; i < 6; i++) {
    await writeGrey(join(data, "dark", `${i}.png`), 28, () => 5 * i);
    await writeGrey(join(data, "light", `${i}.png`), 28, () => 255 - 5 * i);
  }
  const run = join(folder, "run");
  const net = ["--net", "lenet-relu", "--width", "2,3,8,6", "--input", "28"];
  const training = ["--epochs", "20", "--lr", "0.01", "--checkpoint", run];
  await gradlab(["train-cnn", ...net, "--data", data, ...training, ...wasm]);
  const pictures = [join(data, "dark", "0.png"), join(data, "light", "5.png")];
  const { stdout } = await gradlab(["classify", "--weights", run, ...pictures, "--json", ...wasm]);
  const best = join(run, "best.safetensors");
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ network: `lenet-relu of ${best}`, preprocess: "unit" });
  expect(
    result.images.map(({ predictions }: { predictions: { label: string }[] }) => predictions[0]!.label),
  ).toEqual(["dark", "light"]);
  // The same file as weights of a network that is named.
  const named = await gradlab([
    "classify",
    ...net,
    "--channels",
    "3",
    "--classes",
    "2",
    "--weights",
    best,
    ...pictures,
    "--json",
    ...wasm,
  ]);
  const probabilities = (of: { images: { predictions: object[] }[] }) =>
    of.images.map(({ predictions }) => predictions.map((one) => ({ ...one, label: undefined })));
  expect(probabilities(JSON.parse(named.stdout))).toEqual(probabilities(result));

  const summary = await gradlab(["summary", "--weights", run, "--json"]);
  expect(JSON.parse(summary.stdout)).toMatchObject({
    network: `lenet-relu of ${best}`,
    input: { shape: [28, 28], channels: 3 },
  });
  expect(JSON.parse(summary.stdout).layers.at(-1).outputShape).toEqual([2]);
  const both = await gradlab(["summary", "--weights", best, "--input", "32"]);
  expect(both).toMatchObject({
    code: 2,
    stderr: `gradlab: --input: expected beside --net, got it beside the checkpoint ${best}\n`,
  });
}, 40_000);

/** Writes a model.json with its weights beside it. */
async function writeModel(
  folder: string,
  { weightData, weightSpecs, ...json }: io.ModelArtifacts,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, "model.json");
  const weightsManifest = [{ paths: ["weights.bin"], weights: weightSpecs }];
  await writeFile(file, JSON.stringify({ ...json, weightsManifest }));
  await writeFile(join(folder, "weights.bin"), new Uint8Array(weightData as ArrayBuffer));
  return file;
}

/** 2 x 2 pixels by a matrix: class 0 is the first pixel, class 1 the mean of all, class 2 nothing. */
const kernel = [1, 0.25, 0, 0, 0.25, 0, 0, 0.25, 0, 0, 0.25, 0];

test("a LayersModel of tfjs: probabilities stay what they are, and --preprocess symmetric shifts its input", async () => {
  const folder = await temporaryFolder();
  await setBackend("cpu");
  const model = sequential({
    layers: [layers.flatten({ inputShape: [2, 2, 1] }), layers.dense({ units: 3, activation: "softmax" })],
  });
  const weights = [tensor(kernel, [4, 3]), tensor([0, 0, 0.5])];
  model.setWeights(weights);
  let file = "";
  await model.save(
    io.withSaveHandler(async (artifacts) => {
      file = await writeModel(folder, artifacts);
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  model.dispose();
  for (const one of weights) one.dispose();
  const picture = join(folder, "corner.png");
  await writeGrey(picture, 2, (y, x) => (y + x === 0 ? 255 : 0));
  for (const [flags, scores] of [
    [[], [1, 0.25, 0.5]],
    [
      ["--preprocess", "symmetric"],
      [1, -0.5, 0.5],
    ],
  ] as const) {
    const { stdout } = await gradlab([
      "classify",
      "--model",
      file,
      picture,
      "--json",
      "--backend",
      "cpu",
      ...flags,
    ]);
    const { images, network } = JSON.parse(stdout);
    expect(network).toBe(file);
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    for (const { index, probability } of images[0].predictions) {
      expect(probability).toBeCloseTo(Math.exp(scores[index]!) / total, 6);
    }
    expect(images[0].predictions.map(({ index }: { index: number }) => index)).toEqual([0, 2, 1]);
  }
});

test("a GraphModel of tfjs: logits become probabilities", async () => {
  const folder = await temporaryFolder();
  const constant = (name: string, dtype: string, shape: number[]) => ({
    name,
    op: "Const",
    attr: {
      dtype: { type: dtype },
      value: { tensor: { dtype, tensorShape: { dim: shape.map((size) => ({ size: `${size}` })) } } },
    },
  });
  const float = { T: { type: "DT_FLOAT" } };
  const size = ["-1", "2", "2", "1"].map((text) => ({ size: text }));
  const file = await writeModel(folder, {
    format: "graph-model",
    modelTopology: {
      node: [
        {
          name: "x",
          op: "Placeholder",
          attr: { dtype: { type: "DT_FLOAT" }, shape: { shape: { dim: size } } },
        },
        constant("flat", "DT_INT32", [2]),
        constant("w", "DT_FLOAT", [4, 3]),
        {
          name: "rows",
          op: "Reshape",
          input: ["x", "flat"],
          attr: { ...float, Tshape: { type: "DT_INT32" } },
        },
        {
          name: "y",
          op: "MatMul",
          input: ["rows", "w"],
          attr: { ...float, transpose_a: { b: false }, transpose_b: { b: false } },
        },
      ],
      library: {},
      versions: {},
    },
    signature: {
      inputs: { x: { name: "x:0", dtype: "DT_FLOAT", tensorShape: { dim: size } } },
      outputs: {
        y: { name: "y:0", dtype: "DT_FLOAT", tensorShape: { dim: [{ size: "-1" }, { size: "3" }] } },
      },
    },
    weightSpecs: [
      { name: "flat", shape: [2], dtype: "int32" },
      { name: "w", shape: [4, 3], dtype: "float32" },
    ],
    weightData: Uint8Array.from(
      Buffer.concat([
        new Uint8Array(Int32Array.of(-1, 4).buffer),
        new Uint8Array(Float32Array.from(kernel).buffer),
      ]),
    ).buffer,
  });
  const picture = join(folder, "corner.png");
  await writeGrey(picture, 2, (y, x) => (y + x === 0 ? 255 : 0));
  const { code, stdout, stderr } = await gradlab([
    "classify",
    "--model",
    file,
    picture,
    "--json",
    "--backend",
    "cpu",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const total = Math.exp(1) + Math.exp(0.25) + 1;
  const [{ predictions }] = JSON.parse(stdout).images;
  expect(predictions.map(({ index }: { index: number }) => index)).toEqual([0, 1, 2]);
  expect(predictions[0].probability).toBeCloseTo(Math.exp(1) / total, 6);
});

test("what cannot be classified is said in one line: which file, and why", async () => {
  const folder = await temporaryFolder();
  const picture = await goldenPicture(folder);
  const [text, three, short] = ["text.png", "three.txt", "short.pth"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await writeFile(text, "no picture");
  await writeFile(three, "a\nb\nc\n");
  const pth = join(golden, "lenet.pth");
  await writeFile(short, (await readFile(pth)).subarray(0, 3_000));
  const graph = join(folder, "model.json");
  await writeFile(graph, "{}");
  const own = [...narrow, "--weights", pth];
  // biome-ignore format: a table
  for (const [argv, code, message] of [
    [[...narrow, picture], 2, "expected one of --weights and --model, got neither"],
    [[...own, "--model", graph, picture], 2, "expected one of --weights and --model, got both"],
    [["--weights", pth, picture], 2, `--net: expected the network that ${pth} has weights for, got none`],
    [[...narrow, "--weights", "no-such.pth", picture], 1, "no-such.pth: no such file"],
    [[...narrow, "--weights", short, picture], 1, short],
    [["--net", "lenet-relu", "--weights", pth, picture], 1, pth],
    [["--net", "alexnet", "--weights", pth, picture], 1, pth],
    [[...narrow, "--weights", text, picture], 1, text],
    [[...own, text], 1, `${text}: not a picture that can be read`],
    [[...own, "no-such.png"], 1, "no-such.png: no such file"],
    [[...own, "--labels", three, picture], 1, three],
    [["--model", graph, picture], 1, `${graph}: expected a model.json of tfjs`],
    [["--model", graph, "--classes", "3", picture], 2, "--classes: expected beside --weights, got it beside --model"],
    [[...own, "--preprocess", "imagenet", picture], 2, "--preprocess imagenet: expected a square input of 3 channels"],
    [[...own], 2, "missing required argument 'image'"],
  ] as const) {
    const ran = await gradlab(["classify", ...argv, ...wasm]);
    expect(ran, message).toMatchObject({ code, stdout: "" });
    expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
    expect(ran.stderr).toContain(message);
  }
});
