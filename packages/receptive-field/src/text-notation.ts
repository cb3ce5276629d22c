import type { AxisPadding, Layer, LayerGraph, PerAxis } from "./layer-graph.js";

/**
 * A network from one line of text: layers separated by commas.
 *
 * ```
 * network  = [ ( "1d" | "2d" | "3d" ) ":" ] layer { "," layer }
 * layer    = name window { modifier }            a convolution or a pooling
 *          | [ name ] function [ source ]        an activation, a norm, dropout
 *          | [ name ] "flatten" [ source ]       positions in a row
 *          | [ name ] "dense" [ integer ] [ "nobias" ] [ source ]   that many units
 *          | [ name ] "global" [ mode ] [ source ]   pooling over everything, avg unless it says max
 *          | name "adaptive" size [ mode ] [ source ]   pooling to a number of outputs, likewise
 *          | name "pad" pads [ source ]          units added, or cropped where negative
 *          | name "up" size [ "bilinear" ] [ source ]   resizing by a factor
 *          | name "=" name { "+" name }          branches added
 *          | name "=" name { "|" name }          branches concatenated
 * function = "relu" | "relu6" | "sigmoid" | "tanh" | "lrn"
 *          | "bn" [ epsilon ]                    batch norm
 *          | "dropout" [ rate ]                  0.5 unless it says another
 * window   = size [ "/" size ]                   kernel / stride (stride 1 when left out)
 * size     = integer { "x" integer }             every axis, or y x x (z x y x x)
 * modifier = "p" pads                            padding
 *          | "same" | "valid"                    TensorFlow's padding
 *          | "d" size                            dilation
 *          | "ceil"                              output size rounded up
 *          | "f" integer                         filters (output channels) of a convolution
 *          | "g" integer | "nobias"              its groups; no bias
 *          | "conv" | mode | "transposed"
 *          | source
 * mode     = "max" | "avg"
 * pads     = pad { "x" pad }                     pad = integer or begin:end
 * source   = "from" name                         reads that layer instead of the one before
 * ```
 *
 * A window is a pooling where its name starts with `pool`, `maxpool` or
 * `avgpool`, a transposed convolution where it starts with `deconv` or
 * `upconv`, else a convolution; `conv`, `max`, `avg` and `transposed` say it
 * outright. The input is called `input`. A layer without a name is called by
 * its word and a number: `relu1`, `relu2`, `flatten1`.
 *
 * @example parseNetwork("conv1 5 p2 f6, relu, pool1 2/2, flatten, dense 10")
 * @param text The network. Sizes with several numbers decide the number of axes, or `1d:` before it; default two.
 * @throws {RangeError} naming the layer, the word that is not understood and its place, the first character being 1.
 */
export function parseNetwork(text: string): LayerGraph {
  if (typeof text !== "string") {
    throw new TypeError(`parseNetwork: text: expected a string, got ${typeof text}`);
  }
  const [head, stated] = /^\s*(?:([123])d\s*:)?/.exec(text)!;
  const parts = partsOf(text, head.length);
  if (parts.length === 1 && parts[0]!.words.length === 0) {
    throw new RangeError("parseNetwork: text: expected at least one layer, got none");
  }
  const named = withNames(parts);
  const drafts = named.map(({ name, part }) => parseLayer(name, part));
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

/** Activations and what else works position by position, by the word for it. */
export const functionWords: ReadonlyMap<string, string> = new Map([
  ...["relu", "relu6", "sigmoid", "tanh", "lrn", "dropout"].map((word) => [word, word] as const),
  ["bn", "batch-norm"],
]);

/** Words that are a layer by themselves. */
export const isNameless = (word: string): boolean =>
  functionWords.has(word) || ["flatten", "dense", "global"].includes(word);

/** What stands before the layer's own words in each of these layers is its name. */
const isKind = (word: string) => isNameless(word) || ["adaptive", "pad", "up", "="].includes(word);

export type WindowOp = "conv" | "pool" | "transposed-conv";

/** What a window is by its name alone. */
export const windowOpOf = (name: string): WindowOp =>
  /^(max|avg)?pool/i.test(name) ? "pool" : /^(de|up)conv/i.test(name) ? "transposed-conv" : "conv";

/** How a pooling pools by its name alone. */
export const poolModeOf = (name: string): "max" | "avg" => (/^avg/i.test(name) ? "avg" : "max");

/** What a name looks like. */
export const namePattern = /^[A-Za-z_][\w.-]*$/;

/** A word and where it begins: the first character is 1. */
interface Word {
  readonly text: string;
  readonly at: number;
}

/** The words of a layer, and where they end. */
interface Part {
  readonly words: readonly Word[];
  readonly end: number;
}

function partsOf(text: string, start: number): Part[] {
  let at = start;
  return text
    .slice(start)
    .split(",")
    .map((part): Part => {
      const begin = at;
      at += part.length + 1;
      const words = [...part.matchAll(/\S+/g)].map((word) => ({
        text: word[0],
        at: begin + word.index + 1,
      }));
      return { words, end: begin + part.trimEnd().length + 1 };
    });
}

/** Every layer's name, written or counted, and its words after that. */
function withNames(parts: readonly Part[]): { readonly name: Word; readonly part: Part }[] {
  const isNamed = ({ words: [first, second] }: Part) =>
    first !== undefined && !(isNameless(first.text) && !isKind(second?.text ?? ""));
  const taken = new Set<string>();
  for (const [place, part] of parts.entries()) {
    const [first] = part.words;
    if (first === undefined || !namePattern.test(first.text)) {
      fail(`layer ${place + 1}`, "a name that starts with a letter", first ?? nothingAt(part));
    }
    if (!isNamed(part)) continue;
    if (taken.has(first!.text)) {
      fail(`layer ${place + 1}`, "a name that no layer before it has", first!);
    }
    taken.add(first!.text);
  }
  return parts.map((part) => {
    const [first, ...rest] = part.words as [Word, ...Word[]];
    if (isNamed(part)) return { name: first, part: { ...part, words: rest } };
    let number = 1;
    while (taken.has(`${first.text}${number}`)) number++;
    const text = `${first.text}${number}`;
    taken.add(text);
    return { name: { text, at: first.at }, part };
  });
}

const nothingAt = ({ end }: Part): Word => ({ text: "", at: end });

function fail(where: string, expected: string, got: Word): never {
  const shown = JSON.stringify(shortened(got.text));
  throw new RangeError(
    `parseNetwork: ${shortened(where)}: expected ${expected}, got ${shown} (character ${got.at})`,
  );
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

type Fail = (expected: string, got?: Word) => never;

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

function parseLayer({ text: name }: Word, part: Part): Layer {
  const failHere: Fail = (expected, got = nothingAt(part)) => fail(`layer "${name}"`, expected, got);
  if (part.words[0]?.text === "=") return parseMerge(name, part, failHere);
  const from = part.words.findIndex(({ text }) => text === "from");
  const own = from === -1 ? part.words : part.words.slice(0, from);
  const source = from === -1 ? [] : part.words.slice(from + 1);
  if (from !== -1 && source.length !== 1) {
    failHere("one name after `from`, at the end", source[1] ?? nothingAt(part));
  }
  const layer = parseOwn(name, own, failHere);
  return source.length === 0 ? layer : { ...layer, inputs: [source[0]!.text] };
}

/** A layer without its source. */
function parseOwn(name: string, words: readonly Word[], fail: Fail): Layer {
  const [kind, ...rest] = words;
  const word = kind?.text ?? "";
  const noMore = (after: readonly Word[], what = `\`${word}\``) => {
    if (after.length > 0) fail(`nothing after ${what}`, after[0]);
  };
  const [first, second, ...more] = rest;
  const fn = functionWords.get(word);
  if (fn !== undefined) return parseFunction(name, word, fn, rest, fail);
  switch (word) {
    case "flatten":
      noMore(rest);
      return { name, op: "flatten" };
    case "dense":
      return parseDense(name, rest, fail);
    case "global": {
      const mode = parseMode(first, fail);
      noMore(rest.slice(1));
      return { name, op: "global-pool", mode };
    }
    case "adaptive": {
      const outputSize = parseSize(first?.text ?? "") ?? fail("a size after `adaptive`", first);
      const mode = parseMode(second, fail);
      noMore(more, "one size and max or avg");
      return { name, op: "adaptive-pool", outputSize, mode };
    }
    case "pad": {
      const padding =
        parsePadding(first?.text ?? "") ?? fail("padding after `pad`, such as 2, 1x2 or 0:1", first);
      noMore(rest.slice(1), "one padding");
      return { name, op: "pad", padding } as Layer;
    }
    case "up": {
      const scale = parseSize(first?.text ?? "") ?? fail("a factor after `up`", first);
      if (second !== undefined && second.text !== "bilinear") {
        fail("`up FACTOR` or `up FACTOR bilinear`", second);
      }
      noMore(more);
      return { name, op: "resize", scale, method: second === undefined ? "nearest" : "bilinear" };
    }
    default:
      return parseWindow(name, kind, rest, fail);
  }
}

const parseMode = (word: Word | undefined, fail: Fail): "max" | "avg" => {
  if (word === undefined) return "avg";
  return word.text === "max" || word.text === "avg" ? word.text : fail("max or avg", word);
};

function parseFunction(name: string, word: string, fn: string, rest: readonly Word[], fail: Fail): Layer {
  const [value, ...more] = rest;
  const takes = { dropout: "rate", bn: "epsilon" }[word];
  const after = takes === undefined ? rest : more;
  if (after.length > 0) fail(`nothing after \`${word}${takes === undefined ? "" : " NUMBER"}\``, after[0]);
  if (takes === undefined) return { name, op: "pointwise", fn };
  if (value === undefined) {
    return takes === "rate" ? { name, op: "pointwise", fn, rate: 0.5 } : { name, op: "pointwise", fn };
  }
  const number = /^(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(value.text) ? Number(value.text) : Number.NaN;
  if (takes === "rate" && !(number < 1)) fail("a rate below 1 after `dropout`, such as 0.5", value);
  if (takes === "epsilon" && !(number > 0 && Number.isFinite(number))) {
    fail("a number above 0 after `bn`", value);
  }
  return { name, op: "pointwise", fn, [takes]: number };
}

function parseDense(name: string, rest: readonly Word[], fail: Fail): Layer {
  const bias = rest.at(-1)?.text === "nobias" ? { bias: false } : {};
  const [units, ...more] = "bias" in bias ? rest.slice(0, -1) : rest;
  if (units === undefined) return { name, op: "dense", ...bias };
  const count = parseCount(units.text) ?? fail("a number of units after `dense`", units);
  if (more.length > 0) fail("nothing after the units of `dense` but nobias", more[0]);
  return { name, op: "dense", units: count, ...bias };
}

function parseMerge(name: string, part: Part, fail: Fail): Layer {
  const [, ...words] = part.words;
  const sources = words.map(({ text }) => text).join(" ");
  const op = sources.includes("|") ? "concat" : "add";
  const inputs = sources.split(op === "concat" ? "|" : "+").map((source) => source.trim());
  if (inputs.length < 2 || inputs.some((source) => !/^[\w.-]+$/.test(source))) {
    fail("names joined by + or by |", { text: sources, at: words[0]?.at ?? part.end });
  }
  return { name, op, inputs };
}

const kindsOfLayer = [...functionWords.keys(), "flatten", "dense", "global", "adaptive", "pad", "up"];

function parseWindow(name: string, window: Word | undefined, modifiers: readonly Word[], fail: Fail): Layer {
  const [kernelText = "", strideText, ...more] = (window?.text ?? "").split("/");
  const kernel = parseSize(kernelText);
  const stride = strideText === undefined ? 1 : parseSize(strideText);
  if (kernel === null || stride === null || more.length > 0) {
    const isWord = /^[a-z]/i.test(kernelText);
    return fail(`kernel or kernel/stride${isWord ? `, or one of ${kindsOfLayer.join(", ")}` : ""}`, window);
  }
  let op = windowOpOf(name);
  let mode = poolModeOf(name);
  const options: Record<string, unknown> = {};
  const kinds: { kind?: unknown } = {};
  const ofConvolutions: Word[] = [];
  for (const word of modifiers) {
    const set = (field: string, value: unknown) => {
      if (field in options || field in kinds) fail(`${field} once`, word);
      if (field === "kind") kinds.kind = value;
      else options[field] = value;
    };
    const { text } = word;
    const [letter, rest] = [text[0], text.slice(1)];
    if (text === "same" || text === "valid") set("padding", text);
    else if (text === "ceil") set("ceilMode", true);
    else if (text === "conv" || text === "transposed" || text === "max" || text === "avg") {
      set("kind", text);
      op = text === "conv" ? "conv" : text === "transposed" ? "transposed-conv" : "pool";
      if (text === "max" || text === "avg") mode = text;
    } else if (text === "nobias") {
      set("bias", false);
      ofConvolutions.push(word);
    } else if (letter === "f" || letter === "g") {
      const [field, example] = letter === "f" ? ["filters", "f16"] : ["groups", "g2"];
      set(field!, parseCount(rest) ?? fail(`${field} such as ${example}`, word));
      ofConvolutions.push(word);
    } else if (letter === "p") {
      set("padding", parsePadding(rest) ?? fail("padding such as p2, p1x2 or p0:1", word));
    } else if (letter === "d") {
      set("dilation", parseSize(rest) ?? fail("dilation such as d2", word));
    } else fail("p, d, f, g, nobias, same, valid, ceil, conv, max, avg, transposed or from", word);
  }
  if (op === "transposed-conv" && options.ceilMode === true) {
    fail(
      "no `ceil` for a transposed convolution",
      modifiers.find(({ text }) => text === "ceil"),
    );
  }
  if (op === "pool" && ofConvolutions.length > 0) {
    fail("no filters, groups or bias for a pooling", ofConvolutions[0]);
  }
  // Built word by word; the graph is checked field by field when it is used.
  return { name, op, kernel, stride, ...(op === "pool" && { mode }), ...options } as Layer;
}

const parseCount = (text: string): number | null =>
  /^\d+$/.test(text) && Number(text) > 0 && Number.isSafeInteger(Number(text)) ? Number(text) : null;

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
