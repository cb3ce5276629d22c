import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
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
