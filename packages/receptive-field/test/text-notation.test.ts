import { readFileSync } from "node:fs";
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
  ["a global", { op: "global-pool" }],
  ["a up 2", { op: "resize", scale: 2, method: "nearest" }],
  ["a up 2x3 bilinear from input", { op: "resize", scale: [2, 3], method: "bilinear", inputs: ["input"] }],
  ["a = b + c + input", { op: "add", inputs: ["b", "c", "input"] }],
  ["a adaptive 6x3", { op: "adaptive-pool", outputSize: [6, 3] }],
  ["a pad 1:-2 from input", { op: "pad", padding: [[1, -2], [1, -2]], inputs: ["input"] }],
  ["a relu", { op: "pointwise", fn: "relu" }],
  ["a flatten", { op: "flatten" }],
  ["a dense from input", { op: "dense", inputs: ["input"] }],
  ["a = b | c", { op: "concat", inputs: ["b", "c"] }],
]; // biome-ignore format: a table

test.each(layers)("the notation reads %s", (text, layer) => {
  expect(parseNetwork(text).layers).toEqual([{ name: text.split(" ")[0], ...layer }]);
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

const rejected: [text: string, message: string][] = [
  ["", "text: expected at least one layer, got none"],
  ["conv1 3/1, ", 'layer 2: expected a name that starts with a letter, got ""'],
  ["conv1", 'layer "conv1": expected kernel or kernel/stride, got ""'],
  ["conv1 3/1/1", 'layer "conv1": expected kernel or kernel/stride, got "3/1/1"'],
  ["conv1 3.5", 'layer "conv1": expected kernel or kernel/stride, got "3.5"'],
  ["conv1 -3", 'layer "conv1": expected kernel or kernel/stride, got "-3"'],
  ["conv1 3/1 q2", 'layer "conv1": expected p, d, same, valid, ceil, conv, max, avg, transposed or from, got "q2"'],
  ["conv1 3/1 p", 'layer "conv1": expected padding such as p2, p1x2 or p0:1, got "p"'],
  ["conv1 3/1 from", 'layer "conv1": expected one name after `from`, at the end, got "conv1 3/1 from"'],
  ["conv1 3 p1 p2", 'layer "conv1": expected padding once, got "p2"'],
  ["conv1 3 same p2", 'layer "conv1": expected padding once, got "p2"'],
  ["conv1 3 max conv", 'layer "conv1": expected kind once, got "conv"'],
  ["1d: conv1 3x3", "text: expected sizes for one number of axes, got 1 and 2"],
  [`${"x".repeat(1000)} 3`.replace("3", "q"), `layer "${"x".repeat(50)}...: expected kernel or kernel/stride, got "q"`],
  ["s = a", 'layer "s": expected names joined by + or by |, got "a"'],
  ["a 3x3/1, b 3x3x3/1", "text: expected sizes for one number of axes, got 2 and 3"],
]; // biome-ignore format: a table

test.each(rejected)("the notation rejects %j with its place", (text, message) => {
  expect(() => parseNetwork(text)).toThrow(`parseNetwork: ${message}`);
});
