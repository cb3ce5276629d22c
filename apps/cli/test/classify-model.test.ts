import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { flag, GraphModelFile } from "../../../packages/tfjs-models/test/graph-model-file.js";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Writes a model.json with its weights beside it. */
async function writeModel(topology: unknown, weights: readonly Weight[], format = "layers-model") {
  const folder = await temporaryFolder();
  await mkdir(folder, { recursive: true });
  const specs = weights.map(({ name, shape }) => ({ name, shape, dtype: "float32" }));
  const file = join(folder, "model.json");
  const weightsManifest = [{ paths: ["weights.bin"], weights: specs }];
  await writeFile(file, JSON.stringify({ format, modelTopology: topology, weightsManifest }));
  const numbers = Float32Array.from(weights.flatMap(({ values }) => values));
  await writeFile(join(folder, "weights.bin"), new Uint8Array(numbers.buffer));
  const picture = join(folder, "corner.png");
  await writeGrey(picture, 2, (y, x) => (y + x === 0 ? 255 : 0));
  return { folder, file, picture };
}

/** On the picture of one bright corner, the scores are the biases plus the first weights. */
function sequential(units: number, ...after: readonly object[]) {
  const layers = [
    { class_name: "Flatten", config: { name: "flat", batch_input_shape: [null, 2, 2, 1] } },
    { class_name: "Dense", config: { name: "fc", units, activation: "linear", use_bias: true } },
    ...after,
  ];
  return { class_name: "Sequential", config: { name: "s", layers } };
}

const activation = (name: string) => ({ class_name: "Activation", config: { name, activation: name } });

const dense = (scores: readonly number[]): Weight[] => [
  {
    name: "fc/kernel",
    shape: [4, scores.length],
    values: scores.map(() => 0).concat(Array(3 * scores.length).fill(0)),
  },
  { name: "fc/bias", shape: [scores.length], values: scores },
];

const logit = (p: number) => Math.log(p / (1 - p));
const run = (file: string, ...more: string[]) =>
  gradlab(["classify", "--model", file, ...more, "--backend", "cpu"]);

test("independent sigmoids print each its own share, a single one its own", async () => {
  const three = await writeModel(
    sequential(3, activation("sigmoid"), { class_name: "Reshape", config: { name: "r", target_shape: [3] } }),
    dense([0.881, 0.018, 0.953].map(logit)),
  );
  const { stdout } = await run(three.file, three.picture);
  expect(stdout).toMatch(/95\.3 % +2\s[\s\S]*88\.1 % +0\s[\s\S]*1\.8 % +1\s/);
  expect(stdout).toContain("scores: sigmoid (network)");
  const one = await writeModel(sequential(1, activation("sigmoid")), dense([logit(0.12)]));
  expect((await run(one.file, one.picture)).stdout).toMatch(/12\.0 % +0\s/);
});

test("--scores decides; without activation the scores are logits", async () => {
  const { file, picture } = await writeModel(sequential(2), dense([0.25, 0.75]));
  const share = 1 / (1 + Math.exp(-0.5));
  const json = JSON.parse((await run(file, picture, "--json")).stdout);
  expect(json.scores).toEqual({ kind: "logits", from: "network" });
  expect(json.images[0].predictions[0].probability).toBeCloseTo(share, 6);
  const said = JSON.parse((await run(file, picture, "--json", "--scores", "softmax")).stdout);
  expect(said.scores).toEqual({ kind: "softmax", from: "option" });
  expect(said.images[0].predictions[0].probability).toBe(0.75);
  expect((await run(file, picture, "--scores", "none")).stdout).toMatch(/score +class[\s\S]* 0\.75 +1/);
});

test("where the graph does not say what its scores are, the numbers are asked, with a warning", async () => {
  const { file, picture } = await writeModel(sequential(2, activation("tanh")), dense([0.2, 0.9]));
  const { code, stderr, stdout } = await run(file, picture, "--json");
  expect(code).toBe(0);
  expect(stderr).toContain("they look like logits (--scores says so)");
  expect(JSON.parse(stdout).scores).toEqual({ kind: "logits", from: "numbers" });
});

/** A model whose scores are the pixels of its picture, 2 x 2, in the order of rows. */
const pixelsThemselves = (shape: readonly number[]) => ({
  class_name: "Sequential",
  config: {
    layers: [{ class_name: "Flatten", config: { name: "flat", batch_input_shape: [null, ...shape] } }],
  },
});

const scoresByIndex = (stdout: string): number[] => {
  const { predictions } = JSON.parse(stdout).images[0] as {
    predictions: readonly { index: number; probability: number }[];
  };
  return predictions.toSorted((a, b) => a.index - b.index).map(({ probability }) => probability);
};

test("pixels become numbers as the flags say, and the result says how", async () => {
  const { file, picture } = await writeModel(pixelsThemselves([2, 2, 1]), []);
  const raw = ["--scores", "none", "--json"];
  const { stdout } = await run(
    file,
    picture,
    ...raw,
    "--range=0,255",
    "--mean",
    "5",
    "--std",
    "10",
    "--invert",
  );
  expect(scoresByIndex(stdout)).toEqual([-0.5, 25, 25, 25]);
  expect(JSON.parse(stdout).pixels).toEqual({
    fit: "crop",
    invert: true,
    bgr: false,
    range: [0, 255],
    mean: [5],
    std: [10],
  });
  const colour = await writeModel(pixelsThemselves([2, 2, 3]), []);
  const bgr = await run(colour.file, colour.picture, ...raw, "--top", "12", "--bgr", "--mean", "0.25,0.5,1");
  expect(scoresByIndex(bgr.stdout).slice(0, 6)).toEqual([0.75, 0.5, 0, -0.25, -0.5, -1]);
});

test("a picture of another shape is pressed into it, or laid on black", async () => {
  const { folder, file } = await writeModel(pixelsThemselves([2, 4, 1]), []);
  const square = join(folder, "square.png");
  await writeGrey(square, 2, (y) => (y === 0 ? 255 : 127));
  const raw = ["--scores", "none", "--json", "--top", "8"];
  const fit = async (how: string) => scoresByIndex((await run(file, square, ...raw, "--fit", how)).stdout);
  const [white, grey] = [1, 127 / 255].map(Math.fround) as [number, number];
  expect(await fit("stretch")).toEqual([...Array(4).fill(white), ...Array(4).fill(grey)]);
  expect(await fit("pad")).toEqual([0, white, white, 0, 0, grey, grey, 0]);
});

test("a model that rescales its input itself, and one of a known family, are named with what they take", async () => {
  const rescaling = {
    class_name: "Rescaling",
    config: { name: "scale", scale: 1 / 255, batch_input_shape: [null, 2, 2, 1] },
  };
  const flat = { class_name: "Flatten", config: { name: "flat" } };
  const own = await writeModel({ class_name: "Sequential", config: { layers: [rescaling, flat] } }, []);
  const told = await run(own.file, own.picture, "--scores", "none");
  expect(told.stderr).toContain('begins with a Rescaling layer ("scale")');
  expect((await run(own.file, own.picture, "--scores", "none", "--range=0,255")).stderr).toBe("");
  const family = await writeModel(
    {
      class_name: "Sequential",
      config: {
        name: "s",
        layers: [
          { class_name: "Flatten", config: { name: "mobilenet_flat", batch_input_shape: [null, 2, 2, 1] } },
        ],
      },
    },
    [],
  );
  expect((await run(family.file, family.picture, "--scores", "none")).stderr).toContain(
    "--preprocess symmetric",
  );
});

test.each([
  [["--range=0,0"], "--range: expected two different numbers LO,HI, got 0,0"],
  [["--std", "0"], "--std: expected numbers other than 0, got 0"],
  [["--mean", "1,2"], "--mean: expected 1 or 1 numbers, got 2"],
  [
    ["--preprocess", "imagenet", "--bgr"],
    "--bgr: expected beside --preprocess unit or symmetric, got it beside --preprocess imagenet",
  ],
])("%j is refused", async (flags, message) => {
  const { file, picture } = await writeModel(pixelsThemselves([2, 2, 1]), []);
  const ran = await run(file, picture, "--scores", "none", ...flags);
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toContain(message);
});

const functional = (layers: readonly object[], output = "fc") => ({
  class_name: "Model",
  config: { name: "m", layers, input_layers: [["x", 0, 0]], output_layers: [[output, 0, 0]] },
});
const node = (name: string, class_name: string, from: string | null, config: object = {}) => ({
  name,
  class_name,
  config: { name, ...config },
  inbound_nodes: from === null ? [] : [[[from, 0, 0, {}]]],
});
const x = node("x", "InputLayer", null, { batch_input_shape: [null, 2, 2, 1] });
const flat = node("flat", "Flatten", "x");
const fc = node("fc", "Dense", "flat", { units: 2 });

test("one of several outputs and inputs is named; without a name the error tells which there are", async () => {
  const topology = {
    class_name: "Model",
    config: {
      name: "m",
      layers: [
        x,
        node("other", "InputLayer", null, { batch_input_shape: [null, 3] }),
        flat,
        node("a", "Softmax", "flat"),
        node("b", "Softmax", "other"),
      ],
      input_layers: [
        ["x", 0, 0],
        ["other", 0, 0],
      ],
      output_layers: [
        ["a", 0, 0],
        ["b", 0, 0],
      ],
    },
  };
  const { file, picture } = await writeModel(topology, []);
  const bare = await run(file, picture);
  expect(bare.stderr).toContain('--input-node: expected one of "x", "other", got a model with 2 inputs');
  const half = await run(file, picture, "--input-node", "x");
  expect(half.stderr).toContain('--output: expected one of "a", "b", got a model with 2 outputs');
  const end = async (name: string) => {
    const ran = await run(file, picture, "--json", "--input-node", "x", "--output", name, "--scores", "none");
    return scoresByIndex(ran.stdout);
  };
  expect(await end("flat")).toEqual([1, 0, 0, 0]);
  expect((await end("a"))[0]).toBeCloseTo(Math.E / (Math.E + 3), 6);
  const wrong = await run(file, picture, "--input-node", "x", "--output", "gone");
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain('--output: expected one of "x", "flat", "other", "a", "b", got "gone"');
});

// biome-ignore format: a table
test.each([
  ["a layer that reads what is not there", functional([x, node("flat", "Flatten", "gone"), fc]), 'call 0 of "gone"'],
  ["such a layer that no output needs", functional([x, flat, fc, node("side", "Flatten", "gone")]), 'call 0 of "gone"'],
  ["layers in a circle", functional([x, flat, fc, node("a", "Flatten", "b"), node("b", "Flatten", "a")]), "no cycle"],
  ["a layer without a name of its own", functional([x, { ...flat, name: undefined }, fc]), 'name: expected a text, got nothing'],
  ["a layer of two names", functional([x, { ...flat, config: { name: "fc" } }, fc]), 'config.name: expected "flat", got "fc"'],
  ["wiring in one list too many", functional([x, { ...flat, inbound_nodes: [[[["x", 0, 0, {}]]]] }, fc]), 'expected a list of ["layer", call, output]'],
  ["an output that is not there", functional([x, flat, fc], "gone"), 'call 0 of "gone"'],
  ["no topology", null, "expected a model.json of tfjs"],
  ["a topology without layers", { class_name: "Model", config: {} }, "layers: expected a list, got nothing"],
])("%s: a clear error within 2 s, before a backend loads", async (_, topology, message) => {
  const { file, picture } = await writeModel(topology, dense([0, 0]));
  const begin = performance.now();
  const ran = await run(file, picture);
  expect(performance.now() - begin).toBeLessThan(2_000);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
  expect(ran.stderr).toContain(message);
});

test("missing and cut shards, a graph node that reads nothing, and another input size are named", async () => {
  const { folder, file, picture } = await writeModel(sequential(2), dense([0, 0]));
  const wrong = await run(file, picture, "--input", "3");
  expect(wrong).toMatchObject({
    code: 2,
    stderr: `gradlab: --input: expected 2 x 2, which ${file} takes, got 3 x 3\n`,
  });
  const shard = join(folder, "weights.bin");
  await writeFile(shard, (await readFile(shard)).subarray(0, 12));
  const cut = await run(file, picture);
  expect(cut.code).toBe(1);
  expect(cut.stderr).toContain(`${file}: weights: expected all shards, at least 32 bytes, got 12 bytes`);
  await writeFile(file, (await readFile(file, "utf8")).replace("weights.bin", "gone.bin"));
  expect(await run(file, picture)).toMatchObject({
    code: 1,
    stderr: `gradlab: ${join(folder, "gone.bin")}: no such file\n`,
  });
  const nodes = [
    { name: "x", op: "Placeholder" },
    { name: "y", op: "Relu", input: ["gone"] },
  ];
  const graph = await writeModel({ node: nodes }, [], "graph-model");
  expect((await run(graph.file, graph.picture)).stderr).toContain(
    'node "y" (Relu): expected inputs that are nodes of the graph, got "gone"',
  );
});

test("scores that are no numbers are an error that names the layer where they begin, not a class", async () => {
  const { file, picture } = await writeModel(sequential(2, activation("softmax")), dense([0, Number.NaN]));
  const ran = await run(file, picture);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/expected scores, got NaN for class \d of \S+, which begins at layer "fc"\n$/);
});

const data = process.env.GRADLAB_DATA ?? "";
const pretrained = join(data, "models");
const photographs = ["tiger", "snake", "lizard", "scorpion", "lion"].map((name) =>
  join(data, "images", `${name}.jpg`),
);

interface Known {
  readonly model: string;
  readonly labels: string;
  readonly flags: readonly string[];
  readonly kind: string;
  readonly top: readonly (readonly [label: RegExp, percent: number])[];
}

const mobilenet: Known["top"] = [
  [/^tiger/, 99.0],
  [/^water snake/, 39.2],
  [/^agama/, 56.3],
  [/^scorpion/, 33.8],
  [/^dhole/, 21.0],
];

// biome-ignore format: a table
const known: readonly Known[] = [
  { model: "mobilenet-v1-025-224", labels: "imagenet.txt", flags: ["--preprocess", "symmetric"], kind: "softmax", top: mobilenet },
  { model: "mobilenet-v1-025-graph", labels: "imagenet-1001.txt", flags: ["--preprocess", "symmetric"], kind: "logits", top: mobilenet },
  { model: "darknet-tiny", labels: "imagenet-darknet-order.txt", flags: [], kind: "logits",
    top: [[/^tiger/i, 99.5], [/^garter snake/i, 49.0], [/^agama/i, 45.7], [/^scorpion/i, 92.5], [/^lion/i, 78.7]] },
];

test.runIf(existsSync(pretrained)).each(known)(
  "$model gives the photographs their known classes",
  async ({ model, labels, flags, kind, top }) => {
    const names = ["--labels", join(pretrained, "labels", labels)];
    const file = join(pretrained, model, "model.json");
    const { code, stdout, stderr } = await run(file, ...photographs, ...names, ...flags, "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { images, scores } = JSON.parse(stdout);
    expect(scores).toEqual({ kind, from: "network" });
    for (const [i, [label, percent]] of top.entries()) {
      const [first] = images[i].predictions;
      expect(first.label).toMatch(label);
      expect(Math.abs(100 * first.probability - percent)).toBeLessThan(0.5);
    }
  },
  120_000,
);

test.runIf(existsSync(pretrained))(
  "a node of a graph is an output as well, and a wrong one is told the outputs",
  async () => {
    const file = join(pretrained, "mobilenet-v1-025-graph", "model.json");
    const flags = ["--preprocess", "symmetric", "--json"];
    const { stdout } = await run(
      file,
      photographs[0]!,
      ...flags,
      "--output",
      "MobilenetV1/Logits/SpatialSqueeze",
    );
    expect(JSON.parse(stdout).scores).toEqual({ kind: "logits", from: "network" });
    const [first] = JSON.parse(stdout).images[0].predictions;
    expect(Math.abs(100 * first.probability - 99.0)).toBeLessThan(0.5);
    const wrong = await run(file, photographs[0]!, ...flags, "--output", "gone");
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("--output: expected one of");
  },
);

test.runIf(existsSync(pretrained))(
  "the layers model and the graph model of one network agree to 1e-5",
  async () => {
    const scores = async (model: string) => {
      const file = join(pretrained, model, "model.json");
      const { stdout } = await run(
        file,
        photographs[1]!,
        "--preprocess",
        "symmetric",
        "--json",
        "--top",
        "1001",
      );
      return scoresByIndex(stdout);
    };
    const layers = await scores("mobilenet-v1-025-224");
    const [background, ...nodes] = await scores("mobilenet-v1-025-graph");
    expect(nodes).toHaveLength(layers.length);
    // The graph has one class more, whose share the others lack.
    const rest = 1 - background!;
    for (const [i, score] of nodes.entries()) expect(Math.abs(score / rest - layers[i]!)).toBeLessThan(1e-5);
  },
);

test.each([
  ["a network of torchvision", ["layer1.0.conv1", "fc"], "--preprocess imagenet"],
  ["a network of torchvision", ["features.0", "classifier"], "--preprocess imagenet"],
  ["a DenseNet of Keras", ["conv2_block1_0_bn", "conv5_block16_concat"], "--preprocess imagenet"],
  ["a ResNet V2 of Keras", ["conv2_block1_preact_bn", "x"], "--preprocess symmetric"],
  ["a ResNet of Keras", ["conv2_block1_1_conv", "x"], "--range 0,255 --bgr --mean 103.939,116.779,123.68"],
  ["a VGG of Keras", ["block1_conv1", "block5_conv3"], "--range 0,255 --bgr --mean 103.939,116.779,123.68"],
  ["an Inception, Xception or NASNet of Keras", ["mixed10", "x"], "--preprocess symmetric"],
])("%s is known by its layers (%j), and what it takes is proposed once", async (family, names, flags) => {
  const layers = names.map((name, i) => ({
    class_name: i === 0 ? "Flatten" : "Softmax",
    config: { name, ...(i === 0 && { batch_input_shape: [null, 2, 2, 1] }) },
  }));
  const { file, picture } = await writeModel({ class_name: "Sequential", config: { layers } }, []);
  const told = await run(file, picture, "--scores", "none");
  expect(told).toMatchObject({ code: 0 });
  expect(told.stderr).toContain(`looks like ${family}, which takes`);
  expect(told.stderr).toContain(flags);
  expect((await run(file, picture, "--scores", "none", "--preprocess", "unit")).stderr).toBe("");
});

/** A graph whose scores are the mean of each channel of a picture of 2 x 2. */
function meansOf(batch: number, before: (file: GraphModelFile) => string = () => "x") {
  const file = new GraphModelFile([batch, 2, 2, 3]);
  file.node("mean", "Mean", [before(file), file.integers("axes", [1, 2])], { keep_dims: flag(false) });
  return file;
}

async function writeGraph(file: GraphModelFile): Promise<{ file: string; picture: string }> {
  const folder = await temporaryFolder();
  const { json } = file;
  await writeFile(join(folder, "model.json"), JSON.stringify(json));
  const [first] = json.weightsManifest;
  const length = first!.weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
  await writeFile(join(folder, "group1-shard1of2.bin"), file.weightBytes.slice(0, length));
  await writeFile(join(folder, "group1-shard2of2.bin"), new Uint8Array(0));
  await writeFile(join(folder, "group2-shard1of1.bin"), file.weightBytes.slice(length));
  const picture = join(folder, "corner.png");
  await writeGrey(picture, 2, (y, x) => (y + x === 0 ? 255 : 0));
  return { file: join(folder, "model.json"), picture };
}

test.each([1, -1])("a graph with a batch of %d takes one picture", async (batch) => {
  const graph = meansOf(batch);
  graph.output("mean");
  const { file, picture } = await writeGraph(graph);
  const ran = await run(file, picture, "--json", "--scores", "none");
  expect(scoresByIndex(ran.stdout)).toEqual([0.25, 0.25, 0.25]);
});

test("scores with further dimensions of 1, or without a batch, are scores; a map is none", async () => {
  for (const target of [[1, 1, 1, 3], [3]]) {
    const graph = meansOf(1);
    graph.node("y", "Reshape", ["mean", graph.integers("shape", target)]);
    graph.output("y");
    const { file, picture } = await writeGraph(graph);
    const ran = await run(file, picture, "--json", "--scores", "none");
    expect(scoresByIndex(ran.stdout)).toEqual([0.25, 0.25, 0.25]);
  }
  const map = meansOf(1);
  map.output("x");
  map.node("y", "Relu", ["x"]);
  map.output("y");
  const { file, picture } = await writeGraph(map);
  const ran = await run(file, picture, "--output", "y");
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toContain("expected one output [batch, classes], got [1,2,2,3]");
});

test("a placeholder with a default needs nobody to feed it; of several outputs one is named", async () => {
  const graph = meansOf(-1, (file) => {
    file.node("rate", "PlaceholderWithDefault", [file.weights("half")], { shape: { shape: {} } });
    return file.node("scaled", "Mul", ["x", "rate"]);
  });
  graph.node("y", "Softmax", ["mean"]);
  graph.output("y");
  graph.output("mean");
  const { file, picture } = await writeGraph(graph);
  const bare = await run(file, picture);
  expect(bare).toMatchObject({ code: 2, stdout: "" });
  expect(bare.stderr).toMatch(/--output: expected one of "y(:0)?", "mean(:0)?", got a model with 2 outputs/);
  const means = await run(file, picture, "--json", "--output", "mean", "--scores", "none");
  // The default is the first of the positive weights, 0.5.
  for (const score of scoresByIndex(means.stdout)) expect(score).toBeCloseTo(0.125, 6);
  const shares = await run(file, picture, "--json", "--output", "y");
  expect(JSON.parse(shares.stdout).scores).toEqual({ kind: "softmax", from: "network" });
  for (const share of scoresByIndex(shares.stdout)) expect(share).toBeCloseTo(1 / 3, 6);
});

test("--maps shows what every layer of a model makes of the picture", async () => {
  const conv = {
    class_name: "Conv2D",
    config: { name: "c", filters: 2, kernel_size: [1, 1], use_bias: false },
  };
  const layers = [
    { ...conv, config: { ...conv.config, batch_input_shape: [null, 2, 2, 1] } },
    { class_name: "Flatten", config: { name: "flat" } },
    { class_name: "Dense", config: { name: "fc", units: 3, use_bias: false } },
    activation("sigmoid"),
  ];
  const { folder, file, picture } = await writeModel({ class_name: "Sequential", config: { layers } }, [
    { name: "c/kernel", shape: [1, 1, 1, 2], values: [3, -1] },
    { name: "fc/kernel", shape: [8, 3], values: Array.from({ length: 24 }, (_, i) => (i === 4 ? 5 : 0)) },
  ]);
  const out = join(folder, "maps.svg");
  const { code, stdout } = await run(file, picture, "--maps", "--json", "--out", out);
  expect(code).toBe(0);
  // One pixel is lit: 3 in the first channel, -1 in the second; the second unit takes five times the latter.
  expect(JSON.parse(stdout).layers).toMatchObject([
    { layer: "c", op: "Conv2D", shape: [2, 2, 2], least: -1, most: 3, mean: 0.25, zeros: 0.75 },
    { layer: "flat", op: "Flatten", shape: [8], least: -1, most: 3, zeros: 0.75 },
    { layer: "fc", op: "Dense", shape: [3], least: -5, most: 0 },
    { layer: "sigmoid", op: "sigmoid", shape: [3], most: 0.5, zeros: 0 },
  ]);
  expect((await readFile(out, "utf8")).match(/<image /g)).toHaveLength(5);
  // The end of the path is the layer that gives the scores.
  const half = await run(file, picture, "--maps", "--json", "--output", "flat", "--scores", "none");
  expect(JSON.parse(half.stdout).layers.map(({ layer }: { layer: string }) => layer)).toEqual(["c", "flat"]);
});

test("--maps shows the nodes of a graph between the picture and the scores that have units or places", async () => {
  const graph = meansOf(-1, (file) => {
    file.node("size", "Shape", ["x"]);
    file.node("lower", "Sub", ["x", file.weights("half")]);
    file.node("doubled", "Add", ["half", "half"]);
    return file.node("same", "Reshape", ["lower", "size"]);
  });
  graph.node("side", "Relu", ["lower"]);
  graph.output("mean");
  const { file, picture } = await writeGraph(graph);
  const ran = await run(file, picture, "--maps", "--json", "--scores", "none");
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(ran.stdout).layers).toMatchObject([
    { layer: "lower", op: "Sub", shape: [3, 2, 2], least: -0.5, most: 0.5 },
    { layer: "same", op: "Reshape", shape: [3, 2, 2], least: -0.5, most: 0.5 },
    { layer: "mean", op: "Mean", shape: [3], least: -0.25, most: -0.25 },
  ]);
});

test("of a model of very many layers 256 are shown, with the first and the last, and it says so", async () => {
  const graph = meansOf(-1, (file) => {
    let last = "x";
    for (let i = 0; i < 300; i++) last = file.node(`relu${i}`, "Relu", [last]);
    return last;
  });
  graph.output("mean");
  const { file, picture } = await writeGraph(graph);
  const { stdout, stderr } = await run(file, picture, "--maps", "--json", "--scores", "none");
  expect(stderr).toContain("--maps: 45 layers between those that are shown are passed over");
  const names = JSON.parse(stdout).layers.map(({ layer }: { layer: string }) => layer);
  expect(names).toHaveLength(256);
  expect([names[0], names.at(-1)]).toEqual(["relu0", "mean"]);
});

test("NaN in a graph is told by the node where it begins", async () => {
  const graph = meansOf(-1, (file) => {
    file.node("lower", "Sub", ["x", file.weights("one", 3)]);
    return file.node("root", "Sqrt", ["lower"]);
  });
  graph.output("mean");
  const { file, picture } = await writeGraph(graph);
  const ran = await run(file, picture, "--scores", "none");
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/got NaN for class \d of .*, which begins at layer "root"\n$/);
});

test("weights in 8 and 16 bits are read as tfjs reads them", async () => {
  const { folder, file, picture } = await writeModel(sequential(2), dense([0.25, 0.75]));
  const json = JSON.parse(await readFile(file, "utf8"));
  json.weightsManifest[0].weights = [
    {
      name: "fc/kernel",
      shape: [4, 2],
      dtype: "float32",
      quantization: { dtype: "uint8", scale: 0.5, min: -1 },
    },
    { name: "fc/bias", shape: [2], dtype: "float32", quantization: { dtype: "uint16", scale: 0.25, min: 0 } },
  ];
  await writeFile(file, JSON.stringify(json));
  // The first pixel alone is lit: weights 2 · 0.5 − 1 = 0 and 5 · 0.5 − 1 = 1.5; biases 0.25 and 0.75.
  const bytes = new Uint8Array([2, 5, 9, 9, 9, 9, 9, 9, 1, 0, 3, 0]);
  await writeFile(join(folder, "weights.bin"), bytes);
  const ran = await run(file, picture, "--json", "--scores", "none");
  expect(scoresByIndex(ran.stdout)).toEqual([0.25, 2.25]);
  const counts = await gradlab(["summary", "--model", file, "--json"]);
  expect(JSON.parse(counts.stdout)).toMatchObject({ params: 10, trainable: 10 });
});

test("an export of Keras 3 is read by summary and receptive-field, and classify says what to do", async () => {
  const tensorOf = (name: string) => ({
    class_name: "__keras_tensor__",
    config: { shape: [null, 8, 8, 3], dtype: "float32", keras_history: [name, 0, 0] },
  });
  const layer = (name: string, class_name: string, from: string, config: object = {}) => ({
    module: "keras.layers",
    class_name,
    config: {
      name,
      trainable: true,
      dtype: { module: "keras", class_name: "DTypePolicy", config: { name: "float32" } },
      ...config,
    },
    registered_name: null,
    name,
    inbound_nodes: [{ args: [tensorOf(from)], kwargs: {} }],
  });
  const topology = {
    class_name: "Functional",
    config: {
      name: "m",
      layers: [
        { module: "keras.layers", class_name: "InputLayer", name: "x", inbound_nodes: [], registered_name: null,
          config: { batch_shape: [null, 8, 8, 3], dtype: "float32", sparse: false, name: "x" } },
        layer("c", "Conv2D", "x", { filters: 4, kernel_size: [3, 3], strides: [2, 2], padding: "valid" }),
        layer("g", "GlobalAveragePooling2D", "c", { keepdims: false }),
        layer("fc", "Dense", "g", { units: 2 }),
      ],
      input_layers: ["x", 0, 0],
      output_layers: ["fc", 0, 0],
    },
  }; // biome-ignore format: as it is exported
  const values = (length: number) => Array(length).fill(0.5);
  const { file, picture } = await writeModel({ keras_version: "3.5.0", model_config: topology }, [
    { name: "c/kernel", shape: [3, 3, 3, 4], values: values(108) },
    { name: "c/bias", shape: [4], values: values(4) },
    { name: "fc/kernel", shape: [4, 2], values: values(8) },
    { name: "fc/bias", shape: [2], values: values(2) },
  ]);
  const summary = await gradlab(["summary", "--model", file, "--json"]);
  expect(JSON.parse(summary.stdout)).toMatchObject({ params: 122, trainable: 122 });
  const field = await gradlab(["receptive-field", "--model", file, "--json"]);
  expect(JSON.parse(field.stdout).layers[0]).toMatchObject({
    name: "c",
    n: [3, 3],
    size: [3, 3],
    jump: [2, 2],
  });
  const begin = performance.now();
  const ran = await run(file, picture);
  expect(performance.now() - begin).toBeLessThan(2_000);
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/Keras 3 .*save the model with tf_keras, or convert it to a graph model/);
});

test.runIf(existsSync(pretrained)).each([
  ["mobilenet-v1-025-224", 475_544, 470_072],
  ["mobilenet-v1-025-graph", 470_329, null],
  ["darknet-tiny", 1_046_488, 1_042_104],
  ["tiny-vgg", 19_920, 19_920],
])(
  "summary --model counts the parameters of %s exactly, in lines that fit",
  async (model, params, trainable) => {
    const file = join(pretrained, model, "model.json");
    const { code, stdout, stderr } = await gradlab(["summary", "--model", file, "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ params, trainable });
    const text = await gradlab(["summary", "--model", file], { columns: 90 });
    expect(
      Math.max(
        ...text.stdout
          .split("\n")
          .slice(1)
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(90);
    const fields = await gradlab(["receptive-field", "--model", file, "--json"]);
    expect(fields.code).toBe(0);
  },
);

test.runIf(existsSync(pretrained)).each([["mobilenet-v1-025-224"], ["mobilenet-v1-025-graph"]])(
  "the last map of %s sees 315 pixels in steps of 32, with a padding of 126",
  async (model) => {
    const file = join(pretrained, model, "model.json");
    const { stdout } = await gradlab(["receptive-field", "--model", file, "--input", "224", "--json"]);
    const maps = (
      JSON.parse(stdout).layers as { n: number[]; size: number[]; jump: number[]; padding: number[] }[]
    ).filter(({ n }) => n[0] === 7);
    expect(maps.at(-1)).toMatchObject({ n: [7, 7], size: [315, 315], jump: [32, 32], padding: [126, 126] });
  },
);

test.runIf(existsSync(pretrained))("tiny-vgg gives each of its ten classes a share", async () => {
  const file = join(pretrained, "tiny-vgg", "model.json");
  const ran = await run(file, photographs[0]!, "--json", "--top", "10");
  expect(ran.code).toBe(0);
  expect(JSON.parse(ran.stdout).scores).toEqual({ kind: "softmax", from: "network" });
  const shares = scoresByIndex(ran.stdout);
  expect(shares).toHaveLength(10);
  expect(shares.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
});
