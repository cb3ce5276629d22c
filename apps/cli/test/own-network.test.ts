import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { initNetwork, network, ownNetwork } from "@gradlab/classic-cnns";
import { writeWeights } from "@gradlab/classic-cnns/weights";
import { parseNetwork } from "@gradlab/receptive-field";
import { studies } from "@gradlab/studies";
import { expect, test } from "vitest";
import { writeGrey } from "./pictures.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const wasm = ["--backend", "wasm"];
const lenet =
  "conv1 5 p2 f6, relu, pool1 2/2, conv2 5 f16, relu, pool2 2/2, flatten, fc1 dense 120, relu, fc2 dense 84, relu, fc3 dense";
/** Everything that has randomness or a state of its own: dropout, batch norm, a branch. */
const branched =
  "conv1 5/2 p2 f3 nobias, bn, tanh, a 3 p1 f3, sum = a + tanh1, pool1 2/2, global max, flatten, dense 8, relu, dropout 0.3, dense";
const data = ["--count", "60", "--batch", "20"];

const json = async (...argv: string[]) => {
  const { code, stdout, stderr } = await gradlab([...argv, "--json", "--quiet"]);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout);
};

test("LeNet in words has the table of lenet-relu, to the last parameter and operation", async () => {
  const size = ["--input", "28", "--channels", "1", "--classes", "10"];
  const own = await json("summary", "--spec", lenet, ...size);
  const known = await json("summary", "--net", "lenet-relu");
  expect(own).toMatchObject({ network: "own network", params: 61_706, weights: 61_470, macs: 416_520 });
  const rows = (record: { layers: { name: string }[] }) => record.layers.map(({ name: _, ...row }) => row);
  expect(rows(own)).toEqual(rows(known));
  expect(own.layers.map(({ name }: { name: string }) => name)).toEqual(
    known.layers.map(({ name }: { name: string }) => (name === "flatten" ? "flatten1" : name)),
  );
  const seen = await json("receptive-field", "--spec", lenet, "--input", "28");
  const net = await json("receptive-field", "--net", "lenet-relu", "--input", "28");
  expect(rows(seen)).toEqual(rows(net));
  const { stdout } = await gradlab(["summary", "--spec", lenet, ...size]);
  expect(stdout).toMatch(/^own network on an input of 1 x 28 x 28$/m);
  expect(stdout).toContain("61,706 parameters, 61,470 of them weights; 416,520 MACs for one image\n");
});

test("LeNet in words trains to the same numbers as lenet-relu", async () => {
  let count = 0;
  const run = [...data, ...wasm, "--epochs", "1"];
  const own = await json("train-cnn", "--spec", lenet, ...run);
  const known = await json("train-cnn", "--net", "lenet-relu", ...run);
  const numbers = ({ epochs, training, test: judged }: Record<string, unknown>) => ({
    epochs,
    training,
    judged,
  });
  expect(numbers(own)).toEqual(numbers(known));
  expect(own.network).toEqual({
    name: "own network",
    inputSize: [28, 28],
    channels: 1,
    classes: 10,
    spec: lenet
      .replace(/relu/g, () => `relu${++count} relu`)
      .replace("flatten", "flatten1 flatten")
      .replace(/dense$/, "dense 10"),
    params: 61_706,
  });
}, 40_000);

test("a training of words is resumed to the bit, by words or by the same layers as JSON", async () => {
  const folder = await temporaryFolder();
  const [whole, parts] = ["whole", "parts"].map((name) => join(folder, name)) as [string, string];
  const run = ["train-cnn", ...data, ...wasm, "--optimizer", "adamw", "--weight-decay", "0.1"];
  const spec = ["--spec", branched];
  await json(...run, ...spec, "--epochs", "2", "--checkpoint", whole);
  await json(...run, ...spec, "--epochs", "1", "--checkpoint", parts);
  const graph = join(folder, "graph.json");
  const layers = parseNetwork(branched.replace(/dense$/, "dense 10")).layers;
  await writeFile(graph, JSON.stringify({ input: { shape: [28, 28], channels: 1 }, layers }));
  const record = await json(...run, "--model", graph, "--epochs", "2", "--checkpoint", parts, "--resume");
  expect(record.optimizer).toMatchObject({ name: "adamw", weightDecay: 0.1 });
  for (const name of ["last.safetensors", "best.safetensors"]) {
    expect((await readFile(join(parts, name))).equals(await readFile(join(whole, name)))).toBe(true);
  }

  const file = join(parts, "last.safetensors");
  const again = [...run, "--epochs", "3", "--checkpoint", parts, "--resume"];
  for (const [flags, message] of [
    [["--spec", branched.replace("5/2", "3/2")], `--spec or --model: layer 1: expected conv1 5/2 p2 f3 nobias as in ${file}, got conv1 3/2 p2 f3 nobias`],
    [["--spec", `${branched} 10, relu`], `--spec or --model: layer 13: expected none as in ${file}, got relu2 relu`],
    [["--spec", branched.replace("relu, ", "")], `--spec or --model: layer 10: expected relu1 relu as in ${file}, got dropout1 dropout 0.3`],
    [["--net", "lenet"], `--net: expected own network as in ${file}, got lenet`],
    [["--spec", branched, "--weight-decay", "0.2"], `--weight-decay: expected 0.1 as in ${file}, got 0.2`],
  ] as const) {
    const { code, stdout, stderr } = await gradlab([...again, ...flags]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
  } // biome-ignore format: a table
}, 60_000);

test("classify, summary and attack know the network of such a checkpoint by themselves", async () => {
  const folder = await temporaryFolder();
  const checkpoint = join(folder, "run");
  await json("train-cnn", "--spec", branched, ...data, ...wasm, "--epochs", "1", "--checkpoint", checkpoint);
  const picture = join(folder, "a.png");
  await writeGrey(picture, 28, (x, y) => (x * y) % 256);
  const seen = await json("classify", "--weights", checkpoint, picture, ...wasm);
  expect(seen.network).toBe(`own network of ${join(checkpoint, "best.safetensors")}`);
  expect(seen.images[0].predictions).toHaveLength(5);
  const table = await json("summary", "--weights", checkpoint);
  const written = ["--input", "28", "--channels", "1", "--classes", "10"];
  expect(table.layers).toEqual((await json("summary", "--spec", branched, ...written)).layers);
  const named = await json(
    "classify",
    "--spec",
    branched,
    ...written,
    "--weights",
    checkpoint,
    picture,
    ...wasm,
  );
  expect(named.images[0].predictions.map(({ index }: { index: number }) => index)).toEqual(
    seen.images[0].predictions.map(({ index }: { index: number }) => index),
  );
  const attacked = await json("attack", "--weights", checkpoint, "--count", "2", "--steps", "2", ...wasm);
  expect(attacked.network).toContain("own network");
}, 60_000);

test("weights alone need the words, and an input, channels and classes beside them", async () => {
  const folder = await temporaryFolder();
  const spec = "conv1 5 f2, relu, flatten, dense";
  const net = ownNetwork(parseNetwork(spec), { inputSize: 8, channels: 1, classes: 3 });
  const weights = join(folder, "own.safetensors");
  await writeFile(weights, await writeWeights(net, initNetwork(net, { seed: 1 })));
  const picture = join(folder, "a.png");
  await writeGrey(picture, 8, (x, y) => 30 * x + y);
  const run = ["classify", "--spec", spec, "--weights", weights, picture, ...wasm];
  const { images } = await json(...run, "--input", "8", "--channels", "1", "--classes", "3");
  expect(images[0].predictions).toHaveLength(3);
  for (const [flags, message] of [
    [["--channels", "1", "--classes", "3"], "--input: expected the size of the images beside --spec, got none"],
    [["--input", "8", "--classes", "3"], "--channels: expected those of the images beside --spec, got none"],
    [["--input", "8", "--channels", "1"], '--spec: layer "dense1": units: expected a number of them such as dense 120, or --classes beside it, got none'],
    [["--input", "8", "--channels", "1", "--classes", "3", "--net", "lenet"], "--spec: expected either --net or --spec, got both"],
    [["--input", "9", "--channels", "1", "--classes", "3"], `${weights}: tensors: `],
  ] as const) {
    const ran = await gradlab([...run, ...flags]);
    expect(ran.stderr).toContain(message);
    expect([1, 2]).toContain(ran.code);
  } // biome-ignore format: a table
});

test("a graph of a file says the size and the channels of generated images, unless an option says another size", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "graph.json");
  const { layers } = parseNetwork("conv1 3/2 f4, relu, flatten, dense");
  await writeFile(file, JSON.stringify({ input: { shape: [20, 20], channels: 3 }, layers }));
  const run = ["train-cnn", "--model", file, ...data, ...wasm, "--epochs", "1"];
  expect((await json(...run)).network).toMatchObject({ inputSize: [20, 20], channels: 3, classes: 10 });
  expect((await json(...run, "--input", "16")).network).toMatchObject({ inputSize: [16, 16], channels: 3 });
  const wrong = await gradlab([...run, "--channels", "1"]);
  expect(wrong.stderr).toContain(
    `${file}: input.channels: expected those of the images, 3, got images with 1`,
  );
  expect(wrong.code).toBe(1);
}, 30_000);

const refused: [what: string, argv: string[], code: number, message: string][] = [
  ["an unknown word", ["--spec", "conv1 5 f6, act rleu, flatten, dense"], 2, '--spec: layer "act": expected kernel or kernel/stride, or one of relu, relu6, sigmoid, tanh, lrn, dropout, bn, flatten, dense, global, adaptive, pad, up, got "rleu" (character 17)'],
  ["an unknown modifier", ["--spec", "conv1 5 x6"], 2, 'got "x6" (character 9)'],
  ["a missing number of filters", ["--spec", "conv1 5, flatten, dense"], 2, '--spec: layer "conv1": filters: expected a number of them such as f16, got none'],
  ["a missing number of units", ["--spec", "flatten, dense, relu, dense"], 2, '--spec: layer "dense1": units: expected a number of them such as dense 120, got none'],
  ["a missing kernel", ["--spec", "conv1 f6, flatten, dense"], 2, 'got "f6" (character 7)'],
  ["a dense layer on a map", ["--spec", "conv1 5 f6, dense 10"], 2, '--spec: layer "dense1": inputs: expected a flattened input (flatten before it), got a map of [6, 24, 24]'],
  ["a kernel larger than what is left", ["--spec", "conv1 5 f6, pool1 12/12, conv2 3 f6, flatten, dense"], 2, '--spec: layer "conv2": its output would be empty'],
  ["too many outputs", ["--spec", "flatten, dense 12"], 2, '--spec: layer "dense1": expected 10 outputs, one for each class, got 12'],
  ["no logits at the end", ["--spec", "conv1 5 f10"], 2, "expected one number for each class at the end, got a map of [10, 24, 24]"],
  ["two layers of a name", ["--spec", "conv 3 f2, conv 3 f2"], 2, 'layer 2: expected a name that no layer before it has, got "conv" (character 12)'],
  ["a source that is not there", ["--spec", "conv1 3 f2 from conv7, flatten, dense"], 2, '--spec: layer "conv1": inputs: expected names of layers or "input", got "conv7"'],
  ["an op that is not computed", ["--spec", "up1 up 2, flatten, dense"], 2, '--spec: layer "up1": op: expected one of conv, pool'],
  ["one axis", ["--spec", "1d: conv1 3 f2, flatten, dense"], 2, "--spec: expected a size for each axis of the graph"],
  ["a layer of too many units", ["--spec", "flatten, dense 1000000000, relu, dense"], 2, '--spec: layer "dense1": expected at most 268,435,456 parameters in all layers, got 795,000,000,010'],
  ["a layer of too many outputs", ["--spec", "conv1 1 f1000000, global, flatten, dense"], 2, '--spec: layer "conv1": expected at most 536,870,912 outputs for 20 images, got 15,680,000,000'],
  ["nothing", ["--spec", ""], 2, "--spec: expected at least one layer, got none"],
  ["none", [], 2, "expected one of --net, --spec and --model, got none"],
  ["two", ["--net", "lenet", "--spec", "flatten, dense"], 2, "expected one of --net, --spec and --model, got 2"],
  ["a width", ["--spec", "flatten, dense", "--width", "2"], 2, "--width: expected beside --net, got it beside --spec"],
  ["a decay of another optimizer", ["--net", "lenet", "--weight-decay", "0.1"], 2, "--weight-decay: expected beside --optimizer adamw, got it beside --optimizer adam"],
  ["a file that is not there", ["--model", "no-such.json"], 1, "no-such.json: no such file"],
]; // biome-ignore format: a table

test.each(refused)("%s is refused in one line with its place", async (_, argv, code, message) => {
  const ran = await gradlab(["train-cnn", ...argv, ...data]);
  expect(ran).toMatchObject({ code, stdout: "" });
  expect(ran.stderr).toContain(message);
  expect(ran.stderr).toMatch(/^gradlab: [^\n]+\n$/);
});

test("a file that is no LayerGraph, or an impossible one, is blamed by its name", async () => {
  const file = join(await temporaryFolder(), "graph.json");
  const graph = network("lenet");
  for (const [content, message] of [
    ["{", "expected JSON (a LayerGraph or a tfjs model.json), got something else"],
    ['{"modelTopology": {}}', 'expected a LayerGraph as JSON, {"input": …, "layers": […]}, got something else'],
    [JSON.stringify({ ...graph, layers: [...graph.layers, { name: "fc3", op: "flatten" }] }), "expected a name used once"],
    [JSON.stringify({ ...graph, layers: graph.layers.slice(0, 3) }), "expected one number for each class at the end"],
    ['{"input": {}, "layers": []}', "expected"],
  ] as const) {
    await writeFile(file, content);
    const ran = await gradlab(["train-cnn", "--model", file, ...data]);
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toContain(`${file}: `);
    expect(ran.stderr).toContain(message);
  } // biome-ignore format: a table
});

test("the examples of the help are run as they stand there", async () => {
  for (const name of ["train-cnn", "summary"]) {
    const { examples } = studies.find((study) => study.name === name)!;
    const example = examples.find((line) => line.includes("--spec"))!;
    const argv = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
    const { code, stderr } = await gradlab([...argv, ...(name === "train-cnn" ? [...data, ...wasm] : [])]);
    expect([code, stderr.includes("gradlab: ")]).toEqual([0, false]);
  }
}, 40_000);
