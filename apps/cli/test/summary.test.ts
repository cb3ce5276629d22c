import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { countingPolicies, network, summary, summaryText } from "@gradlab/classic-cnns/networks";
import { studies } from "@gradlab/studies";
import { expect, test } from "vitest";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

test("summary of small-cnn holds the known table, with weights apart from parameters", async () => {
  const { code, stdout, stderr } = await gradlab(["summary", "--net", "small-cnn", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: "summary",
    backend: { requested: "auto", actual: null },
    network: "small-cnn",
    input: { shape: [32, 32], channels: 3 },
    policy: "macs",
    params: 38_170,
    weights: 38_128,
    macs: 1_228_800 + 665_856 + 903_168 + 9_216 + 320,
  });
  const weighted = result.layers.filter(({ weights }: { weights: number }) => weights > 0);
  expect(weighted.map(({ weights, macs }: { weights: number; macs: number }) => [weights, macs])).toEqual([
    [1_200, 1_228_800],
    [2_304, 665_856],
    [25_088, 903_168],
    [9_216, 9_216],
    [320, 320],
  ]);
  expect(result.layers[0]).toEqual({
    name: "conv1",
    op: "conv",
    outputShape: [16, 32, 32],
    kernel: [5, 5],
    receptiveField: [5, 5],
    jump: [1, 1],
    params: 1_200,
    weights: 1_200,
    macs: 1_228_800,
  });
});

test("flags cut a network to size, and a policy counts otherwise", async () => {
  const shape = ["--input", "64", "--channels", "1", "--classes", "10", "--width", "16,32,64,128,128"];
  const { stdout } = await gradlab(["summary", "--net", "vgg11", ...shape, "--json"]);
  const { layers } = JSON.parse(stdout);
  expect(layers.find(({ name }: { name: string }) => name === "pool5").outputShape).toEqual([128, 2, 2]);
  expect(layers.at(-1).outputShape).toEqual([10]);
  const flops = await gradlab(["summary", "--net", "lenet", "--policy", "flops", "--json"]);
  // Two for each of 416,520 multiply-accumulates, one for each output: every layer has a bias.
  expect(JSON.parse(flops.stdout).macs).toBe(2 * 416_520 + 6 * 28 * 28 + 16 * 10 * 10 + 120 + 84 + 10);
});

test("the text table has grouped numbers and a line of totals; the CSV a row per layer", async () => {
  const { stdout } = await gradlab(["summary", "--net", "lenet-relu"]);
  expect(stdout).toBe(
    `lenet-relu on an input of 1 x 28 x 28\n\n${summaryText(summary(network("lenet-relu")))}\n`,
  );
  expect(stdout).toMatch(/^fc1 +dense +120 +– +32 +– +48,120 +48,000$/m);
  expect(stdout).toContain("61,706 parameters, 61,470 of them weights; 416,520 MACs for one image\n");
  const out = join(await temporaryFolder(), "table.csv");
  const { stderr } = await gradlab(["summary", "--net", "lenet-relu", "--out", out]);
  expect(stderr).toBe(`wrote ${out}\n`);
  const rows = (await readFile(out, "utf8")).trim().split("\n");
  expect(rows.slice(0, 2)).toEqual([
    "layer,op,output,kernel,receptive_field,jump,params,weights,macs",
    "conv1,conv,6x28x28,5,5,1,156,150,117600",
  ]);
});

test("a model of one's own gets the same table", async () => {
  const file = join(await temporaryFolder(), "graph.json");
  const graph = {
    input: { shape: [8, 8], channels: 3 },
    layers: [{ name: "conv", op: "conv", kernel: 3, filters: 4 }],
  };
  await writeFile(file, JSON.stringify(graph));
  const { stdout } = await gradlab(["summary", "--model", file, "--input", "10,12", "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({
    network: file,
    input: { shape: [10, 12], channels: 3 },
    layers: [{ outputShape: [4, 8, 10], params: 4 * 28, macs: 4 * 27 * 80 }],
  });
});

test("a model of tfjs has a row for every layer, in its own order of sizes, with what training changes", async () => {
  const file = join(await temporaryFolder(), "model.json");
  const layers = [
    {
      class_name: "Conv2D",
      config: {
        name: "a_name_that_is_too_long_for_a_column",
        filters: 2,
        kernel_size: [3, 3],
        batch_input_shape: [null, 8, 8, 3],
      },
    },
    { class_name: "BatchNormalization", config: { name: "bn", axis: -1 } },
    { class_name: "GlobalAveragePooling2D", config: { name: "pool" } },
    { class_name: "Mystery", config: { name: "odd" } },
    { class_name: "Dense", config: { name: "fc", units: 4 } },
  ];
  const topology = { class_name: "Sequential", config: { name: "s", layers } };
  await writeFile(file, JSON.stringify({ modelTopology: topology, weightsManifest: [] }));
  const { code, stdout, stderr } = await gradlab(
    ["summary", "--model", file, "--input", "10,12", "--policy", "everything"],
    { columns: 120 },
  );
  expect(code).toBe(0);
  expect(stderr).toContain('layer "odd": Mystery is not known here');
  expect(stdout).toContain(`${file} on an input of 10 x 12 x 3\n`);
  expect(stdout).toMatch(/^a_name_that_is_too_long_for_a_column +Conv2D +8x10x2 +3 +– +– +56 +8,800$/m);
  // 2 operations for each of 54 weights at 80 places, and a bias at each of 160 units; then 2 for each of 160.
  expect(stdout).toMatch(/^bn +BatchNormalization +8x10x2 +– +– +– +8 +320$/m);
  expect(stdout).toMatch(/^odd +Mystery +\? /m);
  expect(stdout).toContain("64 parameters, 60 of them trainable");
  const small = await gradlab(["summary", "--model", file], { columns: 70 });
  const table = small.stdout.split("\n").slice(2, 8);
  expect(Math.max(...table.map((line) => line.length))).toBe(70);
  expect(small.stdout).toMatch(/^a_n…a_column +Conv2D +/m);
  const wrong = await gradlab(["summary", "--model", file, "--channels", "1"]);
  expect(wrong).toMatchObject({ code: 2, stdout: "" });
  expect(wrong.stderr).toContain(": --channels: expected 3, which the model takes, got 1");
});

test("the policies of the flag are those of the package", () => {
  const { policy } = studies.find(({ name }) => name === "summary")!.options;
  expect(policy).toMatchObject({ choices: Object.keys(countingPolicies) });
});

// biome-ignore format: a table
test.each([
  ["no network", [], 2, "expected one of --net, --spec, --model and --weights, got none"],
  ["two of them", ["--net", "lenet", "--model", "x.json"], 2, "expected one of --net, --spec, --model and --weights, got 2"],
  ["an unknown network", ["--net", "lenet5"], 2, "--net: expected one of lenet, lenet-relu, alexnet"],
  ["an input that is too small", ["--net", "lenet", "--input", "10"], 2, '--net lenet: layer "pool2": its output would be empty'],
  ["three sizes", ["--net", "lenet", "--input", "1,2,3"], 2, "--net lenet: inputSize: expected one size or [height, width]"],
  ["a width of the wrong length", ["--net", "vgg11", "--width", "1,2"], 2, "width: expected a factor or a list of 5 or 7 numbers for vgg11, got [1,2]"],
  ["classes of a model", ["--model", "x.json", "--classes", "3"], 2, "--classes: expected beside --net, got it beside --model"],
  ["a missing model", ["--model", "no-such.json"], 1, "no-such.json: no such file"],
  ["a table of unknown kind", ["--net", "lenet", "--out", "x.xls"], 2, "--out: expected a name that ends in .json or .csv"],
])("%s is refused in one line with the right exit code", async (_, argv, code, message) => {
  const ran = await gradlab(["summary", ...argv]);
  expect(ran).toMatchObject({ code, stdout: "" });
  expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
  expect(ran.stderr).toContain(message);
});

test("every layer of a graph that receptive-field reads has a row; what is not known is a mark and a warning", async () => {
  const file = join(await temporaryFolder(), "graph.json");
  const layers = [
    { name: "c", op: "conv", kernel: 3, padding: 1, filters: 4 },
    { name: "p", op: "pointwise", fn: "PReLU" },
    { name: "l", op: "pointwise", fn: "leaky_relu" },
    { name: "n", op: "pointwise", fn: "layer-norm" },
    { name: "pad", op: "pad", padding: 1 },
    { name: "up", op: "resize", scale: 2 },
    { name: "t", op: "transposed-conv", kernel: 2, stride: 2, filters: 5 },
    { name: "odd", op: "pointwise", fn: "mystery" },
    { name: "open", op: "conv", kernel: 1 },
    { name: "d", op: "conv", kernel: 3, filters: 32 },
    { name: "g", op: "global-pool", mode: "avg" },
    { name: "fc", op: "dense", units: 10 },
    { name: "s", op: "pointwise", fn: "softmax" },
  ];
  await writeFile(file, JSON.stringify({ input: { shape: [8, 8], channels: 3 }, layers }));
  const { code, stdout, stderr } = await gradlab(["summary", "--model", file, "--json"]);
  expect(code).toBe(0);
  const result = JSON.parse(stdout);
  const rows = (result.layers as { name: string; outputShape: number[]; params: number; macs: number }[]).map(
    ({ name, outputShape, params, macs }) => [name, outputShape, params, macs],
  );
  expect(rows).toEqual([
    ["c", [4, 8, 8], 112, 108 * 64],
    ["p", [4, 8, 8], 4, 0],
    ["l", [4, 8, 8], 0, 0],
    ["n", [4, 8, 8], 8, 0],
    ["pad", [4, 10, 10], 0, 0],
    ["up", [4, 20, 20], 0, 0],
    ["t", [5, 40, 40], 85, 80 * 400],
    ["odd", [5, 40, 40], null, null],
    ["open", [null, 40, 40], null, null],
    ["d", [32, 38, 38], null, null],
    ["g", [32, 1, 1], 0, 0],
    ["fc", [10], 330, 320],
    ["s", [10], 0, 0],
  ]);
  expect(result.params).toBe(112 + 4 + 8 + 85 + 330);
  expect(result.warnings).toEqual([
    'layer "odd": mystery is not known here: its parameters are not counted',
    'layer "open": filters are not given, so that its parameters are not known',
  ]);
  expect(stderr.match(/warning: /g)).toHaveLength(2);
  expect((await gradlab(["summary", "--model", file])).stdout).toMatch(
    /^odd +mystery +5x40x40 .*\? {2,}\?$/m,
  );
});

test("one size stands for the only axis of a model on sequences, and for all three of one on volumes", async () => {
  for (const [rank, output] of [
    [1, [14, 2]],
    [3, [14, 14, 14, 2]],
  ] as const) {
    const file = join(await temporaryFolder(), "model.json");
    const config = {
      name: "c",
      filters: 2,
      kernel_size: 3,
      batch_input_shape: [null, ...Array(rank).fill(8), 3],
    };
    const layers = [{ class_name: `Conv${rank}D`, config }];
    const topology = { class_name: "Sequential", config: { name: "s", layers } };
    await writeFile(file, JSON.stringify({ modelTopology: topology, weightsManifest: [] }));
    const { stdout } = await gradlab(["summary", "--model", file, "--input", "16", "--json"]);
    expect(JSON.parse(stdout).layers[0]).toMatchObject({
      outputShape: output,
      params: 3 ** rank * 3 * 2 + 2,
    });
  }
});
