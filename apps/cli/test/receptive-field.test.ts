import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseNetwork, receptiveField } from "@gradlab/receptive-field";
import sharp from "sharp";
import { expect, test } from "vitest";
import { middleUnits } from "../../../packages/studies/src/studies/receptive-field/unit-boxes.js";
import { gradlab, temporaryFolder } from "./run-gradlab.js";

const command = join(import.meta.dirname, "../dist/gradlab.js");

const alexnet = ["receptive-field", "--net", "alexnet-227", "--input", "227", "--origin", "one"];

test("--json prints the known values of alexnet-227 inside the envelope", async () => {
  const { code, stdout, stderr } = await gradlab([...alexnet, "--layer", "conv2", "--unit", "1,1", "--json"]);
  expect(code).toBe(0);
  expect(stderr).toBe("");
  const result = JSON.parse(stdout);
  const rows = Object.fromEntries(result.layers.map((row: { name: string }) => [row.name, row]));
  expect(rows.conv1).toMatchObject({
    op: "conv",
    n: [55, 55],
    jump: [4, 4],
    size: [11, 11],
    start: [6, 6],
    padding: [0, 0],
  });
  expect(rows["fc7-conv"]).toMatchObject({ n: [1, 1], jump: [32, 32], size: [355, 355], start: [114, 114] });
  expect(result.unit).toMatchObject({
    layer: "conv2",
    index: [1, 1],
    axes: [
      { center: 18, edges: [-7.5, 43.5], pixels: [-8, 42], clipped: [0, 42] },
      { center: 18, edges: [-7.5, 43.5], pixels: [-8, 42], clipped: [0, 42] },
    ],
  });
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: "receptive-field",
    seed: 0,
    backend: { requested: "auto", actual: null, device: null, software: null },
    warnings: [],
    options: { net: "alexnet-227", input: [227], origin: "one", layer: "conv2", unit: [1, 1] },
  });
  expect(Object.keys(result.versions)).toEqual(
    expect.arrayContaining(["gradlab", "node", "@gradlab/receptive-field"]),
  );
});

test("the table shows one number where the axes agree and one per axis where they do not", async () => {
  const { stdout } = await gradlab([
    "receptive-field",
    "--spec",
    "conv1 3x5/1x2, conv2 3/1 p1",
    "--input",
    "20,31",
  ]);
  expect(stdout).toBe(
    [
      "spec on an input of 20 x 31 pixels; the first pixel is 0",
      "",
      "layer  op    units  jump  size  start  padding  holes",
      "conv1  conv  18x14   1x2   3x5    1x2        0      0",
      "conv2  conv  18x14   1x2   5x9    1x2      1x2      0",
      "",
    ].join("\n"),
  );
});

test("what same padding leaves open, and where branches part, is said below the table", async () => {
  const open = await gradlab(["receptive-field", "--spec", "conv1 7/2 same"]);
  expect(open.stdout).toContain("conv1 (y, x): start 1, padding 2 where the size modulo 2 is 0\n");
  const parted = await gradlab(["receptive-field", "--spec", "a 5/2 p2:1, b 3/1 from input, sum = a + b"]);
  expect(parted.stdout).toContain(
    "sum (y, x): branches move apart by 1 pixel per unit: a jump 2 start 0, b jump 1 start 1 (origin index)\n",
  );
});

test("--pixel says which units see a pixel, layer by layer", async () => {
  const argv = ["receptive-field", "--spec", "conv1 3/2, conv2 3/1 p1", "--input", "9,11", "--pixel", "4,0"];
  const { stdout } = await gradlab(argv);
  expect(stdout).toContain(
    [
      "pixel (4, 0)",
      "seen by    y    x  units",
      "conv1    1…2  0…0      2",
      "conv2    0…3  0…1      8",
      "",
    ].join("\n"),
  );
  expect(JSON.parse((await gradlab([...argv, "--json"])).stdout).pixel).toEqual({
    index: [4, 0],
    seenBy: [
      { layer: "conv1", axes: [[1, 2], [0, 0]], count: 2 },
      { layer: "conv2", axes: [[0, 3], [0, 1]], count: 8 },
    ],
  }); // biome-ignore format: ranges
});

test("a LayerGraph in a file is read with --model", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "graph.json");
  await writeFile(
    file,
    JSON.stringify({ input: { shape: [9] }, layers: [{ name: "c", op: "conv", kernel: 3, stride: 2 }] }),
  );
  const { code, stdout } = await gradlab(["receptive-field", "--model", file, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout).layers[0]).toMatchObject({ name: "c", n: [4], size: [3] });
});

test("a tfjs model is read with --model, with the constants of a graph model from the shards beside it", async () => {
  const folder = await temporaryFolder();
  const layersModel = {
    format: "layers-model",
    modelTopology: {
      model_config: {
        class_name: "Sequential",
        config: {
          name: "net",
          layers: [
            {
              class_name: "Conv2D",
              config: {
                name: "c1",
                filters: 4,
                kernel_size: [5, 3],
                strides: [2, 1],
                padding: "same",
                batch_input_shape: [null, 20, 20, 3],
              },
            },
            {
              class_name: "MaxPooling2D",
              config: { name: "p1", pool_size: [2, 2], strides: [2, 2], padding: "valid" },
            },
          ],
        },
      },
    },
  };
  const file = join(folder, "model.json");
  await writeFile(file, JSON.stringify(layersModel));
  const read = await gradlab(["receptive-field", "--model", file, "--json"]);
  expect(JSON.parse(read.stdout).layers.at(-1)).toMatchObject({
    name: "p1",
    n: [5, 10],
    size: [7, 4],
    jump: [4, 2],
  });

  const paddings = new Int32Array([0, 0, 1, 2, 3, 4, 0, 0]);
  const graphModel = {
    format: "graph-model",
    modelTopology: {
      node: [
        {
          name: "x",
          op: "Placeholder",
          attr: {
            dtype: { type: "DT_FLOAT" },
            shape: { shape: { dim: [{ size: "-1" }, { size: "8" }, { size: "8" }, { size: "1" }] } },
          },
        },
        { name: "paddings", op: "Const", attr: { dtype: { type: "DT_INT32" } } },
        { name: "pad", op: "Pad", input: ["x", "paddings"], attr: {} },
      ],
    },
    weightsManifest: [
      { paths: ["group1-shard1of1.bin"], weights: [{ name: "paddings", shape: [4, 2], dtype: "int32" }] },
    ],
  };
  await writeFile(file, JSON.stringify(graphModel));
  const bare = await gradlab(["receptive-field", "--model", file]);
  expect([bare.code, bare.stdout]).toEqual([1, ""]);
  expect(bare.stderr).toMatch(/model\.json: .*paddings/);
  await writeFile(join(folder, "group1-shard1of1.bin"), new Uint8Array(paddings.buffer));
  const padded = await gradlab(["receptive-field", "--model", file, "--json"]);
  expect(JSON.parse(padded.stdout).layers.at(-1)).toMatchObject({
    name: "pad",
    n: [11, 15],
    padding: [1, 3],
  });
});

test("--out writes the boxes over a photograph as SVG and as PNG, and the result as JSON", async () => {
  const folder = await temporaryFolder();
  const photo = join(folder, "photo.jpg");
  await sharp({ create: { width: 60, height: 40, channels: 3, background: "#2a6" } })
    .jpeg()
    .toFile(photo);
  const draw = (name: string) =>
    gradlab([
      "receptive-field",
      "--spec",
      "conv1 3/2, conv2 5/1 p2",
      "--input",
      "21,31",
      "--image",
      photo,
      "--out",
      join(folder, name),
      "--quiet",
    ]);
  expect((await draw("boxes.svg")).code).toBe(0);
  const svg = await readFile(join(folder, "boxes.svg"), "utf8");
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  expect(svg).toContain('href="data:image/jpeg;base64,');
  expect(svg).toContain("11 × 11");
  expect((await draw("boxes.png")).code).toBe(0);
  const { width, height } = await sharp(join(folder, "boxes.png")).metadata();
  expect(width).toBe(1280);
  // The text is drawn with the font that comes along: the legend is not blank.
  const legend = await sharp(join(folder, "boxes.png"))
    .extract({ left: 1000, top: 0, width: 280, height: Math.min(80, height) })
    .stats();
  expect(legend.channels[0]!.min).toBeLessThan(80);
  const result = await gradlab([...alexnet, "--out", join(folder, "deep", "result.json"), "--json"]);
  expect(JSON.parse(await readFile(join(folder, "deep", "result.json"), "utf8"))).toEqual(
    JSON.parse(result.stdout),
  );
  expect((await readdir(folder)).sort()).toEqual(["boxes.png", "boxes.svg", "deep", "photo.jpg"]);
});

const wrong: [what: string, argv: string[], code: number, message: string][] = [
  ["no network", [], 2, "expected one of --net, --model and --spec, got none"],
  ["two networks", ["--net", "vgg16", "--spec", "a 1"], 2, "expected one of --net, --model and --spec, got 2"],
  ["an unknown network", ["--net", "vgg61"], 2, "--net: expected one of lenet, lenet-relu, alexnet"],
  ["a network of the prototype", ["--net", "constructor"], 2, "--net: expected one of"],
  ["a flag with a slip", ["--nett", "vgg16"], 2, "unknown option '--nett' (Did you mean --net?)"],
  ["a value too many", ["--net", "vgg16", "227"], 2, "too many arguments"],
  ["a fractional size", ["--net", "vgg16", "--input", "22.5"], 2, "argument '22.5' is invalid. Expected an integer of at least 1."],
  ["a size of 0", ["--net", "vgg16", "--input", "0"], 2, "Expected an integer of at least 1."],
  ["a size too many", ["--net", "vgg16", "--input", "1,2,3"], 2, "--input: expected one size or 2 of them, got [1,2,3]"],
  ["a size that vanishes", ["--net", "vgg16", "--input", "3"], 2, '--input: layer "pool2": its output would be empty along y'],
  ["a spec that vanishes", ["--spec", "a 9", "--input", "8"], 2, 'layer "a": its output would be empty'],
  ["a spec with a slip", ["--spec", "a 9 q"], 2, '--spec: layer "a": expected p, d, f, g, nobias, same'],
  ["a spec with a missing input", ["--spec", "a 3 from b"], 2, 'layer "a": inputs: expected names of layers or "input", got "b"'],
  ["a spec with a cycle", ["--spec", "a 3 from b, b 3 from a"], 2, "--spec: expected no cycle, got"],
  ["a unit without its layer", ["--net", "vgg16", "--unit", "1,1"], 2, "--layer: expected the layer that --unit is in, got nothing"],
  ["a layer without a unit", ["--net", "vgg16", "--layer", "pool5"], 2, "--layer: expected --unit Y,X beside it, got nothing"],
  ["a layer for a pixel", ["--net", "vgg16", "--layer", "pool5", "--pixel", "1,1"], 2, "--layer: expected --unit Y,X beside it, got --pixel, which looks at every layer"],
  ["a unit that is not there", ["--net", "vgg16", "--input", "224", "--layer", "pool5", "--unit", "9,9"], 2, "--unit: expected an integer from 0 to 6 along y, got 9"],
  ["a pixel that is not there", ["--net", "vgg16", "--input", "224", "--pixel", "0,224"], 2, "--pixel: expected an integer from 0 to 223 along x, got 224"],
  ["a layer that is not there", ["--net", "vgg16", "--layer", "pool9", "--unit", "0,0"], 2, '--layer: expected one of conv1-1, '],
  ["the same beside others", ["--spec", "a 3, b 3", "--layer", "c", "--unit", "0"], 2, '--layer: expected one of a, b, got "c"'],
  ["an unknown origin", ["--net", "vgg16", "--origin", "zero"], 2, "Allowed choices are index, half, one."],
  ["an unknown backend", ["--net", "vgg16", "--backend", "gpu"], 2, "Allowed choices are auto, tfjs-node-gpu"],
  ["a negative seed", ["--net", "vgg16", "--seed", "-1"], 2, "--seed"],
  ["a figure of unknown kind", ["--net", "vgg16", "--out", "x.bmp"], 2, "--out: expected a name that ends in .svg, .png or .json"],
  ["a photograph and nowhere to draw", ["--net", "vgg16", "--image", "x.jpg"], 2, "--image: expected --out FILE.svg or FILE.png beside it"],
  ["a missing model", ["--model", "no-such.json"], 1, "no-such.json: no such file"],
  ["a missing photograph", ["--net", "vgg16", "--image", "no-such.jpg", "--out", "never.svg"], 1, "no-such.jpg: no such file"],
]; // biome-ignore format: a table

test.each(wrong)("%s is refused in one line with the right exit code", async (_, argv, code, message) => {
  const plain = await gradlab(["receptive-field", ...argv]);
  expect(plain).toMatchObject({ code, stdout: "" });
  expect(plain.stderr).toContain(message);
  expect(plain.stderr).toMatch(/^gradlab: [^\n]+\n$/);
  const json = await gradlab(["receptive-field", ...argv, "--json"]);
  expect(json).toMatchObject({ code, stdout: "" });
  expect(JSON.parse(json.stderr)).toMatchObject({ schemaVersion: 1, error: { exitCode: code } });
  expect(JSON.parse(json.stderr).error.message).toContain(message);
});

const badFiles: [what: string, content: string, message: string][] = [
  ["another format", '{"ir_version":8,"graph":{}}', "an ONNX model (convert it to tfjs first)"],
  ["not JSON", "PK\u0003\u0004", "expected JSON (a LayerGraph or a tfjs model.json), got something else"],
  ["a cycle", '{"input":{"shape":[8]},"layers":[{"name":"a","op":"pointwise","inputs":["a"]}]}', "expected no cycle, got a → a"],
  ["an empty output", '{"input":{"shape":[8]},"layers":[{"name":"a","op":"conv","kernel":9}]}', 'layer "a": its output would be empty'],
]; // biome-ignore format: a table

test.each(badFiles)(
  "a model file with %s is a matter of the file, exit code 1",
  async (_, content, message) => {
    const file = join(await temporaryFolder(), "model.json");
    await writeFile(file, content);
    const { code, stdout, stderr } = await gradlab(["receptive-field", "--model", file]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain(message);
  },
);

test("what remainders decide is named, briefly, and colours stay away when they are not wanted", async () => {
  const { stdout } = await gradlab([
    "receptive-field",
    "--spec",
    "a 3/2 same, b 1/2 same from input, s = a + b, c 3/2 same, d 3/2 same, e 3/2 same",
  ]);
  expect(stdout).toContain("s (y, x): branches lie 1 pixel apart where the size modulo 2 is 0:");
  expect(stdout).toMatch(/e \(y, x\): … and \d+ more \(--json has all\)/);
  const child = spawnSync(process.execPath, [command, "receptive-field", "--spec", "a", "--no-color"], {
    encoding: "utf8",
    env: { ...process.env, FORCE_COLOR: "1" },
  });
  expect(child.stderr).toMatch(/^gradlab: /);
});

test("a photograph larger than the figure is drawn no larger than it can be seen", async () => {
  const folder = await temporaryFolder();
  // Turned by its orientation, with a transparent half: both as a viewer shows it.
  const photo = join(folder, "photo.png");
  await sharp({ create: { width: 8, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toFile(photo);
  const out = join(folder, "boxes.svg");
  const argv = [
    "receptive-field",
    "--spec",
    "conv1 3/2",
    "--input",
    "6000,3000",
    "--image",
    photo,
    "--out",
    out,
  ];
  expect((await gradlab(argv)).code).toBe(0);
  const [, data] = /href="data:image\/jpeg;base64,([^"]+)"/.exec(await readFile(out, "utf8"))!;
  const picture = sharp(Buffer.from(data!, "base64"));
  expect(await picture.metadata()).toMatchObject({ width: 640, height: 1280 });
  expect((await picture.stats()).channels[0]!.mean).toBeGreaterThan(250); // transparent is white
});

test("the boxes over a photograph are those of the middle units", async () => {
  const folder = await temporaryFolder();
  const photo = join(folder, "photo.jpg");
  await sharp({ create: { width: 40, height: 40, channels: 3, background: "#888" } })
    .jpeg()
    .toFile(photo);
  const field = receptiveField(parseNetwork("conv1 3/2, conv2 5/1 p2"), { inputSize: 21 });
  expect(middleUnits(field)).toEqual([
    { name: "conv1", y: [10, 12], x: [10, 12] },
    { name: "conv2", y: [6, 16], x: [6, 16] },
  ]);
});

test("a picture that is none is a matter of the file, and nothing is written", async () => {
  const folder = await temporaryFolder();
  const file = join(folder, "photo.jpg");
  await writeFile(file, "no picture");
  const out = join(folder, "boxes.svg");
  const { code, stderr } = await gradlab([
    "receptive-field",
    "--net",
    "vgg16",
    "--image",
    file,
    "--out",
    out,
  ]);
  expect(code).toBe(1);
  expect(stderr).toContain("photo.jpg: not a picture that can be read");
  expect(await readdir(folder)).toEqual(["photo.jpg"]);
});

test("the text leaves out layers that see what the one before sees, and says so", async () => {
  const { stdout } = await gradlab(alexnet);
  const rows = stdout.split("\n").filter((line) => /^(conv|pool|relu|norm|fc)/.test(line));
  expect(rows.map((line) => line.split(" ")[0])).toEqual([
    "conv1",
    "pool1",
    "conv2",
    "pool2",
    "conv3",
    "conv4",
    "conv5",
    "pool5",
    "fc6-conv",
    "fc7-conv",
    "fc8-conv",
  ]);
  expect(stdout).toMatch(/^\d+ pointwise layers change nothing and are left out$/m);
  const { layers } = JSON.parse((await gradlab([...alexnet, "--json"])).stdout);
  expect(layers.map(({ name }: { name: string }) => name)).toContain("relu1");
});
