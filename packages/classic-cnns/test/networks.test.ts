import { expect, test, vi } from "vitest";

// Whoever imports tfjs on the way gets an error in its place.
vi.mock("@tensorflow/tfjs-core", () => {
  throw new Error("no tfjs here");
});

test("definitions, facts and tables come without tfjs, and the whole package does not", async () => {
  const { headOf, layerFacts, network, networkUpTo, summary } = await import("../src/networks.js");
  const net = network("lenet", { inputSize: 32, classes: 3 });
  expect(summary(net).params).toBe(156 + 2416 + (576 + 1) * 120 + 121 * 84 + 85 * 3);
  expect(layerFacts(net, { inputSize: [30, 34] }).at(2)!.outputShape).toEqual([6, 15, 17]);
  expect([headOf(net), headOf(networkUpTo(net, "sigmoid3"))]).toEqual(["fc3", "fc1"]);
  await expect(import("../src/index.js")).rejects.toThrow();
});

test("the text of a table: columns, one value for both axes or two, a dash for none, totals with their unit", async () => {
  const { network, summary, summaryCsv, summaryText } = await import("../src/networks.js");
  const net = network("small-cnn", { inputSize: [32, 24], classes: 4, width: 0.25 });
  const text = summaryText(summary(net));
  expect(text.split("\n").map((line) => line.trimEnd())).toEqual(text.split("\n"));
  expect(text).toMatchInlineSnapshot(`
    "layer    op            output  kernel  field  jump  parameters     MACs
    conv1    conv     4 x 32 x 24       5      5     1         300  230,400
    relu1    relu     4 x 32 x 24       –      5     1
    pool1    pool     4 x 15 x 11       4      8     2
    conv2    conv     4 x 17 x 13       3     12     2         144   31,824
    relu2    relu     4 x 17 x 13       –     12     2
    pool2    pool       4 x 8 x 6       3     16     4
    conv3    conv       8 x 6 x 4       7     40     4       1,568   37,632
    relu3    relu       8 x 6 x 4       –     40     4
    pool3    pool       8 x 3 x 2       2     44     8
    flatten  flatten           48       –     44     8
    fc1      dense             32       –  60x52     –       1,568    1,536
    relu4    relu              32       –  60x52     –
    fc2      dense              4       –  60x52     –         132      128
    relu5    relu               4       –  60x52     –

    3,712 parameters, 3,676 of them weights; 301,520 MACs for one image"
  `);
  const flops = summaryText(summary(net, { policy: "flops" }), { bold: (line) => `<${line}>` });
  expect(flops.split("\n")[0]).toMatch(/^<layer {4}op .* parameters {2}operations>$/);
  expect(flops.split("\n").at(-1)).toMatch(/; [\d,]+ operations \(flops\) for one image$/);
  const mine = { multiplyAdd: 1, bias: false, norm: false, pool: false, activation: false } as const;
  expect(
    summaryText(summary(net, { policy: mine }))
      .split("\n")
      .at(-1),
  ).toMatch(/ operations for one image$/);
  expect(summaryCsv(summary(net)).split("\n").slice(0, 3)).toMatchInlineSnapshot(`
    [
      "layer,op,output,kernel,receptive_field,jump,params,weights,macs",
      "conv1,conv,4x32x24,5,5,1,300,300,230400",
      "relu1,relu,4x32x24,–,5,1,0,0,0",
    ]
  `);
});

test("layerFacts names itself in what it refuses", async () => {
  const { layerFacts, network } = await import("../src/networks.js");
  expect(() => layerFacts(network("lenet"), { inputSize: [4, 28] })).toThrow(
    'layerFacts: layer "conv2": its output would be empty along y',
  );
});
