import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseNetwork } from "../src/index.js";

test("the example of the documentation becomes three layers", () => {
  expect(parseNetwork("conv1 11/4, pool1 3/2, conv2 5/1 p2")).toEqual({
    input: { shape: [null, null] },
    layers: [
      { name: "conv1", op: "conv", kernel: 11, stride: 4 },
      { name: "pool1", op: "pool", mode: "max", kernel: 3, stride: 2 },
      { name: "conv2", op: "conv", kernel: 5, stride: 1, padding: 2 },
    ],
  });
});

const layers: [text: string, layer: object][] = [
  ["a 3", { op: "conv", kernel: 3, stride: 1 }],
  ["a 3x5/2x1", { op: "conv", kernel: [3, 5], stride: [2, 1] }],
  ["a 3/1 d2 same", { op: "conv", kernel: 3, stride: 1, dilation: 2, padding: "same" }],
  ["a 3/1 p0:1", { op: "conv", kernel: 3, stride: 1, padding: [[0, 1], [0, 1]] }],
  ["a 3/1 p1x0:2", { op: "conv", kernel: 3, stride: 1, padding: [1, [0, 2]] }],
  ["avgpool 2/2 ceil", { op: "pool", mode: "avg", kernel: 2, stride: 2, ceilMode: true }],
  ["a 2/2 max", { op: "pool", mode: "max", kernel: 2, stride: 2 }],
  ["pool 2/2 conv", { op: "conv", kernel: 2, stride: 2 }],
  ["deconv1 4/2 p1", { op: "transposed-conv", kernel: 4, stride: 2, padding: 1 }],
  ["a global", { op: "global-pool", mode: "avg" }],
  ["a global max from input", { op: "global-pool", mode: "max", inputs: ["input"] }],
  ["a 5 f16 g2 nobias p2", { op: "conv", kernel: 5, stride: 1, filters: 16, groups: 2, bias: false, padding: 2 }],
  ["upconv 2/2 f3", { op: "transposed-conv", kernel: 2, stride: 2, filters: 3 }],
  ["a dense 120", { op: "dense", units: 120 }],
  ["a dense nobias", { op: "dense", bias: false }],
  ["a dense 7 nobias from input", { op: "dense", units: 7, bias: false, inputs: ["input"] }],
  ["a sigmoid", { op: "pointwise", fn: "sigmoid" }],
  ["a bn", { op: "pointwise", fn: "batch-norm" }],
  ["a bn 1e-3", { op: "pointwise", fn: "batch-norm", epsilon: 0.001 }],
  ["a dropout", { op: "pointwise", fn: "dropout", rate: 0.5 }],
  ["a dropout .25", { op: "pointwise", fn: "dropout", rate: 0.25 }],
  ["dropout dropout 0", { op: "pointwise", fn: "dropout", rate: 0 }],
  ["relu = a + b", { op: "add", inputs: ["a", "b"] }],
  ["a up 2", { op: "resize", scale: 2, method: "nearest" }],
  ["a up 2x3 bilinear from input", { op: "resize", scale: [2, 3], method: "bilinear", inputs: ["input"] }],
  ["a = b + c + input", { op: "add", inputs: ["b", "c", "input"] }],
  ["a adaptive 6x3", { op: "adaptive-pool", outputSize: [6, 3], mode: "avg" }],
  ["a adaptive 2 max", { op: "adaptive-pool", outputSize: 2, mode: "max" }],
  ["a pad 1:-2 from input", { op: "pad", padding: [[1, -2], [1, -2]], inputs: ["input"] }],
  ["a relu", { op: "pointwise", fn: "relu" }],
  ["a flatten", { op: "flatten" }],
  ["a dense from input", { op: "dense", inputs: ["input"] }],
  ["a = b | c", { op: "concat", inputs: ["b", "c"] }],
]; // biome-ignore format: a table

test.each(layers)("the notation reads %s", (text, layer) => {
  expect(parseNetwork(text).layers).toEqual([{ name: text.split(" ")[0], ...layer }]);
});

test("a layer without a name is called by its word and a number that no other layer has", () => {
  const { layers } = parseNetwork(
    "conv1 3, relu, relu2 relu, relu from conv1, flatten, dropout 0.1, dense 4, dense 2",
  );
  expect(layers.map(({ name }) => name)).toEqual([
    "conv1", "relu1", "relu2", "relu3", "flatten1", "dropout1", "dense1", "dense2",
  ]); // biome-ignore format: a row
  expect(layers[3]).toEqual({ name: "relu3", op: "pointwise", fn: "relu", inputs: ["conv1"] });
  expect(layers.slice(5).map((layer) => ("units" in layer ? layer.units : null))).toEqual([null, 4, 2]);
});

test("sizes with three numbers make a network of three axes", () => {
  expect(parseNetwork("a 3x3x3/1, b 2/2").input.shape).toEqual([null, null, null]);
});

test("1d: makes a causal network of one axis, and asymmetric padding follows the axes", () => {
  expect(parseNetwork("1d: c 3 d2 p4:0")).toEqual({
    input: { shape: [null] },
    layers: [{ name: "c", op: "conv", kernel: 3, stride: 1, dilation: 2, padding: [[4, 0]] }],
  });
  expect(parseNetwork("c 3x3x3 p0:1").layers[0]).toMatchObject({ padding: [[0, 1], [0, 1], [0, 1]] });
}); // biome-ignore format: pairs

test("the grammar of the README is the one of the documentation", () => {
  const read = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  const [, documented] = /\* ```\n([\s\S]*?) \* ```/.exec(read("src/text-notation.ts"))!;
  expect(read("README.md")).toContain(`\`\`\`text\n${documented!.replaceAll(/^ \* /gm, "")}\`\`\``);
});

const kinds = "relu, relu6, sigmoid, tanh, lrn, dropout, bn, flatten, dense, global, adaptive, pad, up";
const modifiers = "p, d, f, g, nobias, same, valid, ceil, conv, max, avg, transposed or from";

const rejected: [text: string, message: string][] = [
  ["", "text: expected at least one layer, got none"],
  ["conv1 3/1, ", 'layer 2: expected a name that starts with a letter, got "" (character 11)'],
  ["conv1 3/1, 3", 'layer 2: expected a name that starts with a letter, got "3" (character 12)'],
  ["conv1", 'layer "conv1": expected kernel or kernel/stride, got "" (character 6)'],
  ["conv1 3/1/1", 'layer "conv1": expected kernel or kernel/stride, got "3/1/1" (character 7)'],
  ["conv1 3.5", 'layer "conv1": expected kernel or kernel/stride, got "3.5" (character 7)'],
  ["conv1 -3", 'layer "conv1": expected kernel or kernel/stride, got "-3" (character 7)'],
  ["2d: conv1 5,  act rleu", `layer "act": expected kernel or kernel/stride, or one of ${kinds}, got "rleu" (character 19)`],
  ["conv1 3/1 q2", `layer "conv1": expected ${modifiers}, got "q2" (character 11)`],
  ["conv1 3/1 p", 'layer "conv1": expected padding such as p2, p1x2 or p0:1, got "p" (character 11)'],
  ["conv1 3/1 from", 'layer "conv1": expected one name after `from`, at the end, got "" (character 15)'],
  ["conv1 3/1 from a b", 'layer "conv1": expected one name after `from`, at the end, got "b" (character 18)'],
  ["conv1 3 p1 p2", 'layer "conv1": expected padding once, got "p2" (character 12)'],
  ["conv1 3 same p2", 'layer "conv1": expected padding once, got "p2" (character 14)'],
  ["conv1 3 max conv", 'layer "conv1": expected kind once, got "conv" (character 13)'],
  ["conv1 3 f", 'layer "conv1": expected filters such as f16, got "f" (character 9)'],
  ["conv1 3 f0", 'layer "conv1": expected filters such as f16, got "f0" (character 9)'],
  ["conv1 3 f2.5", 'layer "conv1": expected filters such as f16, got "f2.5" (character 9)'],
  ["conv1 3 f2 f3", 'layer "conv1": expected filters once, got "f3" (character 12)'],
  ["conv1 3 g-1", 'layer "conv1": expected groups such as g2, got "g-1" (character 9)'],
  ["pool1 2/2 f6", 'layer "pool1": expected no filters, groups or bias for a pooling, got "f6" (character 11)'],
  ["a up 2 linear", 'layer "a": expected `up FACTOR` or `up FACTOR bilinear`, got "linear" (character 8)'],
  ["a adaptive", 'layer "a": expected a size after `adaptive`, got "" (character 11)'],
  ["a pad x", 'layer "a": expected padding after `pad`, such as 2, 1x2 or 0:1, got "x" (character 7)'],
  ["a flatten 3", 'layer "a": expected nothing after `flatten`, got "3" (character 11)'],
  ["a global mean", 'layer "a": expected max or avg, got "mean" (character 10)'],
  ["fc1 dense ten", 'layer "fc1": expected a number of units after `dense`, got "ten" (character 11)'],
  ["dense 10 20", 'layer "dense1": expected nothing after the units of `dense` but nobias, got "20" (character 10)'],
  ["conv1 3, relu 3/1", 'layer "relu1": expected nothing after `relu`, got "3/1" (character 15)'],
  ["dropout 1", 'layer "dropout1": expected a rate below 1 after `dropout`, such as 0.5, got "1" (character 9)'],
  ["dropout half", 'layer "dropout1": expected a rate below 1 after `dropout`, such as 0.5, got "half" (character 9)'],
  ["dropout 0.1 0.2", 'layer "dropout1": expected nothing after `dropout NUMBER`, got "0.2" (character 13)'],
  ["a bn 0", 'layer "a": expected a number above 0 after `bn`, got "0" (character 6)'],
  ["conv1 3, conv2 3, conv1 5", 'layer 3: expected a name that no layer before it has, got "conv1" (character 19)'],
  ["1d: conv1 3x3", "text: expected sizes for one number of axes, got 1 and 2"],
  [`${"x".repeat(1000)} 3`.replace("3", "-"), `layer "${"x".repeat(50)}...: expected kernel or kernel/stride, got "-" (character 1002)`],
  ["s = a", 'layer "s": expected names joined by + or by |, got "a" (character 5)'],
  ["s =", 'layer "s": expected names joined by + or by |, got "" (character 4)'],
  ["a 3x3/1, b 3x3x3/1", "text: expected sizes for one number of axes, got 2 and 3"],
]; // biome-ignore format: a table

test.each(rejected)("the notation rejects %j with its place", (text, message) => {
  expect(() => parseNetwork(text)).toThrow(`parseNetwork: ${message}`);
});

test("any words are a network, or an error with its place inside the text", () => {
  const word = fc.constantFrom(
    "a", "b", "conv1", "pool", "relu", "bn", "dropout", "dense", "flatten", "global", "adaptive", "up", "pad", "from",
    "=", "+", "|", "3", "3/2", "2x3", "0.5", "10", "p1", "p0:1", "d2", "f4", "g2", "nobias", "same", "ceil", "max",
    "avg", "conv", "transposed", "input", ",", ",", ",", "1d:", "-1", "f", "é", "3/", "x",
  ); // biome-ignore format: a table
  let parsed = 0;
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 9 }), (words) => {
      const text = words.join(" ");
      try {
        const { layers } = parseNetwork(text);
        expect(new Set(layers.map(({ name }) => name)).size).toBe(layers.length);
        expect(layers.length).toBe(text.split(",").length);
        parsed++;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const [, got, at] =
          /^parseNetwork: .*, got "(.*)" \(character (\d+)\)$/.exec(error.message) ??
          /^parseNetwork: text: expected (?:sizes for one number of axes|at least one layer), got()()/.exec(
            error.message,
          )!;
        // The word stands where the message says; names that are joined may be spaced otherwise.
        if (at !== "")
          expect(text.slice(Number(at) - 1)).toMatch(got!.slice(0, 1) === "" ? /^\s*(,|$)/ : /^\S/);
        if (at !== "" && !/[ ,]/.test(got!)) expect(text.slice(Number(at) - 1).startsWith(got!)).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
  expect(parsed).toBeGreaterThan(50);
});
