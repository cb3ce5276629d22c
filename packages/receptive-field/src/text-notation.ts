import type { AxisPadding, Layer, LayerGraph, PerAxis } from "./layer-graph.js";

/**
 * A network from one line of text: layers separated by commas.
 *
 * ```
 * network  = [ ( "1d" | "2d" | "3d" ) ":" ] layer { "," layer }
 * layer    = name window { modifier }            a convolution or a pooling
 *          | name "global" [ source ]            global pooling
 *          | name "adaptive" size [ source ]     pooling to a number of outputs
 *          | name "pad" pads [ source ]          units added, or cropped where negative
 *          | name ( "relu" | "flatten" | "dense" ) [ source ]
 *          | name "up" size [ "bilinear" ] [ source ]   resizing by a factor
 *          | name "=" name { "+" name }          branches added
 *          | name "=" name { "|" name }          branches concatenated
 * window   = size [ "/" size ]                   kernel / stride (stride 1 when left out)
 * size     = integer { "x" integer }             every axis, or y x x (z x y x x)
 * modifier = "p" pads                            padding
 *          | "same" | "valid"                    TensorFlow's padding
 *          | "d" size                            dilation
 *          | "ceil"                              output size rounded up
 *          | "conv" | "max" | "avg" | "transposed"
 *          | source
 * pads     = pad { "x" pad }                     pad = integer or begin:end
 * source   = "from" name                         reads that layer instead of the one before
 * ```
 *
 * A window is a pooling where its name starts with `pool`, `maxpool` or
 * `avgpool`, a transposed convolution where it starts with `deconv` or
 * `upconv`, else a convolution; `conv`, `max`, `avg` and `transposed` say it
 * outright. The input is called `input`.
 *
 * @example parseNetwork("conv1 11/4, pool1 3/2, conv2 5/1 p2")
 * @param text The network. Sizes with several numbers decide the number of axes, or `1d:` before it; default two.
 * @throws {RangeError} naming the layer and the word that is not understood.
 */
export function parseNetwork(text: string): LayerGraph {
  if (typeof text !== "string") {
    throw new TypeError(`parseNetwork: text: expected a string, got ${typeof text}`);
  }
  const [, stated, body] = /^\s*(?:([123])d\s*:)?([\s\S]*)$/.exec(text)!;
  const parts = body!.split(",").map((part) => part.trim());
  if (parts.length === 1 && parts[0] === "") {
    throw new RangeError("parseNetwork: text: expected at least one layer, got none");
  }
  const drafts = parts.map(parseLayer);
  const counts = new Set(drafts.flatMap(perAxisLengths));
  if (stated !== undefined) counts.add(Number(stated));
  if (counts.size > 1) {
    throw new RangeError(
      `parseNetwork: text: expected sizes for one number of axes, got ${[...counts].sort().join(" and ")}`,
    );
  }
  const axes = [...counts][0] ?? 2;
  return {
    input: { shape: Array.from({ length: axes }, () => null) },
    layers: drafts.map((layer) => onEveryAxis(layer, axes)),
  };
}

/** A padding that differs between begin and end, said once for all axes. */
class EveryAxis {
  readonly entry: AxisPadding;

  constructor(entry: AxisPadding) {
    this.entry = entry;
  }
}

function onEveryAxis(layer: Layer, axes: number): Layer {
  const { padding } = layer as { padding?: unknown };
  if (!(padding instanceof EveryAxis)) return layer;
  return { ...layer, padding: Array.from({ length: axes }, () => padding.entry) } as Layer;
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
    throw new RangeError(
      `parseNetwork: ${shortened(where)}: expected ${expected}, got ${JSON.stringify(shortened(got))}`,
    );
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
  if (kind === "relu" || kind === "flatten" || kind === "dense") {
    if (modifiers.length > 0) fail(`nothing after \`${kind}\``, modifiers.join(" "));
    return kind === "relu" ? { name, op: "pointwise", fn: kind, ...inputs } : { name, op: kind, ...inputs };
  }
  if (kind === "adaptive" || kind === "pad") {
    const [value = "", ...more] = modifiers;
    if (more.length > 0) fail(`one size after \`${kind}\``, modifiers.join(" "));
    if (kind === "adaptive") {
      const outputSize = parseSize(value) ?? fail("a size after `adaptive`", value);
      return { name, op: "adaptive-pool", outputSize, ...inputs };
    }
    const padding = parsePadding(value) ?? fail("padding after `pad`, such as 2, 1x2 or 0:1", value);
    return { name, op: "pad", padding, ...inputs } as Layer;
  }
  return { ...parseWindow(name, kind ?? "", modifiers, fail), ...inputs };
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

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
  const set = (field: string, value: unknown, word: string) => {
    if (field in options || field in kinds) fail(`${field} once`, word);
    if (field === "kind") kinds.kind = value;
    else options[field] = value;
  };
  const kinds: { kind?: unknown } = {};
  for (const word of modifiers) {
    if (word === "same" || word === "valid") set("padding", word, word);
    else if (word === "ceil") set("ceilMode", true, word);
    else if (word === "conv" || word === "transposed" || word === "max" || word === "avg") {
      set("kind", word, word);
      op = word === "conv" ? "conv" : word === "transposed" ? "transposed-conv" : "pool";
      if (word === "max" || word === "avg") mode = word;
    } else if (word.startsWith("p")) {
      set("padding", parsePadding(word.slice(1)) ?? fail("padding such as p2, p1x2 or p0:1", word), word);
    } else if (word.startsWith("d")) {
      set("dilation", parseSize(word.slice(1)) ?? fail("dilation such as d2", word), word);
    } else fail("p, d, same, valid, ceil, conv, max, avg, transposed or from", word);
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

function parsePadding(text: string): number | AxisPadding[] | EveryAxis | null {
  if (!/^-?\d+(:-?\d+)?(x-?\d+(:-?\d+)?)*$/.test(text)) return null;
  const entries = text.split("x").map((entry): AxisPadding => {
    const [begin, end] = entry.split(":").map(Number);
    return end === undefined ? begin! : [begin!, end];
  });
  if (entries.length > 1) return entries;
  const [only] = entries;
  return typeof only === "number" ? only : new EveryAxis(only!);
}
