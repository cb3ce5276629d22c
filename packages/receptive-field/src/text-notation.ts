import type { AxisPadding, Layer, LayerGraph, PerAxis } from "./layer-graph.js";

/**
 * A network from one line of text: layers separated by commas.
 *
 * ```
 * network  = layer { "," layer }
 * layer    = name window { modifier }            a convolution or a pooling
 *          | name "global" [ source ]            global pooling
 *          | name "up" size [ "bilinear" ] [ source ]   resizing by a factor
 *          | name "=" name { "+" name }          branches added
 *          | name "=" name { "|" name }          branches concatenated
 * window   = size [ "/" size ]                   kernel / stride (stride 1 when left out)
 * size     = integer { "x" integer }             every axis, or y x x (z x y x x)
 * modifier = "p" pad { "x" pad }                 padding; pad = integer or begin:end
 *          | "same" | "valid"                    TensorFlow's padding
 *          | "d" size                            dilation
 *          | "ceil"                              output size rounded up
 *          | "conv" | "max" | "avg" | "transposed"
 *          | source
 * source   = "from" name                         reads that layer instead of the one before
 * ```
 *
 * A window is a pooling where its name starts with `pool`, `maxpool` or
 * `avgpool`, a transposed convolution where it starts with `deconv` or
 * `upconv`, else a convolution; `conv`, `max`, `avg` and `transposed` say it
 * outright. The input is called `input`.
 *
 * @example parseNetwork("conv1 11/4, pool1 3/2, conv2 5/1 p2")
 * @param text The network. Sizes with several numbers decide the number of axes; default two.
 * @throws {RangeError} naming the layer and the word that is not understood.
 */
export function parseNetwork(text: string): LayerGraph {
  if (typeof text !== "string") {
    throw new TypeError(`parseNetwork: text: expected a string, got ${typeof text}`);
  }
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length === 1 && parts[0] === "") {
    throw new RangeError("parseNetwork: text: expected at least one layer, got none");
  }
  const layers = parts.map(parseLayer);
  const counts = new Set(layers.flatMap(perAxisLengths));
  if (counts.size > 1) {
    throw new RangeError(
      `parseNetwork: text: expected sizes for one number of axes, got ${[...counts].sort().join(" and ")}`,
    );
  }
  const axes = [...counts][0] ?? 2;
  return { input: { shape: Array.from({ length: axes }, () => null) }, layers };
}

function perAxisLengths(layer: Layer): number[] {
  return Object.entries(layer).flatMap(([key, value]) =>
    Array.isArray(value) && key !== "inputs" ? [value.length] : [],
  );
}

function parseLayer(part: string, position: number): Layer {
  const words = part.split(/\s+/);
  const [name = "", ...rest] = words;
  const fail = (expected: string, got: string): never => {
    const where = name === "" ? `layer ${position + 1}` : `layer "${name}"`;
    throw new RangeError(`parseNetwork: ${where}: expected ${expected}, got ${JSON.stringify(got)}`);
  };
  if (!/^[A-Za-z_][\w.-]*$/.test(name)) fail("a name that starts with a letter", part);
  if (rest[0] === "=") return parseMerge(name, rest.slice(1).join(" "), fail);

  const from = rest.indexOf("from");
  let inputs: { inputs?: string[] } = {};
  if (from !== -1) {
    const source = rest[from + 1];
    if (source === undefined || rest.length > from + 2)
      return fail("one name after `from`, at the end", part);
    inputs = { inputs: [source] };
    rest.length = from;
  }
  const [kind, ...modifiers] = rest;
  if (kind === "global") {
    if (modifiers.length > 0) fail("nothing after `global`", modifiers.join(" "));
    return { name, op: "global-pool", ...inputs };
  }
  if (kind === "up") {
    const [factor = "", method, ...more] = modifiers;
    if (more.length > 0 || (method !== undefined && method !== "bilinear")) {
      fail("`up FACTOR` or `up FACTOR bilinear`", part);
    }
    const scale = parseSize(factor) ?? fail("a factor after `up`", factor);
    return { name, op: "resize", scale, method: method === undefined ? "nearest" : "bilinear", ...inputs };
  }
  return { ...parseWindow(name, kind ?? "", modifiers, fail), ...inputs };
}

function parseMerge(name: string, sources: string, fail: (expected: string, got: string) => never): Layer {
  const op = sources.includes("|") ? "concat" : "add";
  const inputs = sources.split(op === "concat" ? "|" : "+").map((source) => source.trim());
  if (inputs.length < 2 || inputs.some((source) => !/^[\w.-]+$/.test(source))) {
    fail("names joined by + or by |", sources);
  }
  return { name, op, inputs };
}

type WindowOp = "conv" | "pool" | "transposed-conv";

function parseWindow(
  name: string,
  window: string,
  modifiers: readonly string[],
  fail: (expected: string, got: string) => never,
): Layer {
  const [kernelText = "", strideText, ...more] = window.split("/");
  const kernel = parseSize(kernelText);
  const stride = strideText === undefined ? 1 : parseSize(strideText);
  if (kernel === null || stride === null || more.length > 0) return fail("kernel or kernel/stride", window);
  let op: WindowOp = /^(max|avg)?pool/i.test(name)
    ? "pool"
    : /^(de|up)conv/i.test(name)
      ? "transposed-conv"
      : "conv";
  let mode: "max" | "avg" = /^avg/i.test(name) ? "avg" : "max";
  const options: Record<string, unknown> = {};
  for (const word of modifiers) {
    if (word === "same" || word === "valid") options.padding = word;
    else if (word === "ceil") options.ceilMode = true;
    else if (word === "conv") op = "conv";
    else if (word === "transposed") op = "transposed-conv";
    else if (word === "max" || word === "avg") [op, mode] = ["pool", word];
    else if (word.startsWith("p"))
      options.padding = parsePadding(word.slice(1)) ?? fail("padding such as p2, p1x2 or p0:1", word);
    else if (word.startsWith("d"))
      options.dilation = parseSize(word.slice(1)) ?? fail("dilation such as d2", word);
    else fail("p, d, same, valid, ceil, conv, max, avg, transposed or from", word);
  }
  if (op === "transposed-conv" && options.ceilMode === true)
    fail("no `ceil` for a transposed convolution", "ceil");
  // Built word by word; the graph is checked field by field when it is used.
  return { name, op, kernel, stride, ...(op === "pool" && { mode }), ...options } as Layer;
}

function parseSize(text: string): PerAxis<number> | null {
  if (!/^\d+(x\d+)*$/.test(text)) return null;
  const sizes = text.split("x").map(Number);
  return sizes.length === 1 ? sizes[0]! : sizes;
}

function parsePadding(text: string): number | AxisPadding[] | null {
  if (!/^-?\d+(:-?\d+)?(x-?\d+(:-?\d+)?)*$/.test(text)) return null;
  const entries = text.split("x").map((entry): AxisPadding => {
    const [begin, end] = entry.split(":").map(Number);
    return end === undefined ? begin! : [begin!, end];
  });
  if (entries.length > 1) return entries;
  const [only] = entries;
  // One asymmetric entry holds for both axes of an image.
  return typeof only === "number" ? only : [only!, only!];
}
