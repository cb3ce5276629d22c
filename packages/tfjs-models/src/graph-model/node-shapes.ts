import { concatenatedDims, type Dim, type Feature, isAxis, isChannels, isVector, showDims } from "../dims.js";
import { snakeCase } from "../json-fields.js";
import { reshapedDims } from "../reshaped-dims.js";
import {
  type Convert,
  entriesOf,
  feature,
  integersOf,
  isFeature,
  placesOf,
  pointwiseOf,
  shapeOf,
} from "./node-at.js";

/** Mean, Max, …: over all positions a global pooling, over channels pointwise. */
export const reduce =
  (mode: "max" | "avg" | null): Convert =>
  (at) => {
    const from = feature(at, 0);
    const { dims, size } = from;
    const reduced = new Set(placesOf(at, integersOf(at, 1), dims.length));
    const keep = at.attributes.flag("keep_dims");
    const axes = dims.flatMap((dim, place) => (isAxis(dim) && size[dim.axis] !== 1 ? [{ place }] : []));
    const some = axes.some(({ place }) => reduced.has(place));
    const all = axes.every(({ place }) => reduced.has(place));
    const others = dims.some(
      (dim, place) => reduced.has(place) && !isAxis(dim) && !isChannels(dim) && dim !== "one",
    );
    if ((some && !all) || others) {
      at.refuse(
        "a reduction over all positions, or over channels",
        `over ${[...reduced].join(", ")} of ${showDims(from)}`,
      );
    }
    const left = dims.flatMap((dim, place): Dim[] => {
      if (!reduced.has(place)) return [dim];
      if (!keep) return [];
      return [isChannels(dim) ? { channels: 1 } : dim];
    });
    return some
      ? at.draft.add({ name: at.name, op: "global-pool", ...(mode !== null && { mode }) }, [from], left)
      : at.draft.add({ name: at.name, op: "pointwise", fn: snakeCase(at.op) }, [from], left);
  };

/** The index of the largest channel. */
export const argument: Convert = (at) => {
  const from = feature(at, 0);
  const [place] = placesOf(at, integersOf(at, 1), from.dims.length);
  if (!isChannels(from.dims[place!]))
    at.refuse(`${at.op} over channels`, `over ${place} of ${showDims(from)}`);
  const dims = from.dims.filter((_, i) => i !== place);
  return at.draft.add({ name: at.name, op: "pointwise", fn: snakeCase(at.op) }, [from], dims);
};

/** `Concat` has its axis first, `ConcatV2` last. */
export const concat =
  (axisFirst: boolean): Convert =>
  (at) => {
    const axisPlace = axisFirst ? 0 : at.inputs.length - 1;
    const branches = at.inputs.filter((_, place) => place !== axisPlace);
    const features = branches.filter(isFeature);
    const [first] = features;
    if (first === undefined) return at.refuse("a branch that depends on the pixels", "none");
    const { dims } = first;
    const [place] = placesOf(at, integersOf(at, axisPlace), dims.length);
    const counts = branches.map((one) => {
      const dim = isFeature(one) ? one.dims[place!] : undefined;
      if (isChannels(dim)) return dim.channels;
      return isFeature(one) ? null : (one.shape?.[place!] ?? null);
    });
    const channels = counts.includes(null) ? null : counts.reduce<number>((sum, count) => sum + count!, 0);
    const joined = concatenatedDims(
      features.map((one) => one.dims),
      place!,
      channels,
    );
    if (joined === null) return at.refuse("inputs of one layout", features.map(showDims).join(" and "));
    if (!isChannels(dims[place!]) && dims[place!] !== "row") {
      return at.refuse("concatenation along channels", `along dimension ${place} of ${showDims(first)}`);
    }
    return at.draft.join(at.name, "concat", "concat", features, joined);
  };

/** Parts of a split whose number of channels is not known. */
const mostParts = 65_536;

/** Channels taken apart: every part still sees what the whole sees. */
export const split =
  (axisPlace: number, from: number): Convert =>
  (at) => {
    const source = feature(at, from);
    const [place] = placesOf(at, integersOf(at, axisPlace), source.dims.length);
    const dim = source.dims[place!];
    if (!isChannels(dim)) return at.refuse("a split along channels", `along ${place} of ${showDims(source)}`);
    const parts = at.attributes.integer("num_split");
    if (parts < 1 || parts > (dim.channels ?? mostParts))
      at.refuse("one part per channel at most", `${parts}`);
    const sizes = at.op === "SplitV" ? integersOf(at, 1) : Array<number | null>(parts).fill(null);
    const whole = pointwiseOf(at, source, source.dims, "split");
    return sizes.map((size): Feature => {
      const channels = size ?? (dim.channels === null ? null : dim.channels / parts);
      return { ...whole, dims: source.dims.map((one, i) => (i === place ? { channels } : one)) };
    });
  };

export const reshape: Convert = (at) => {
  const from = feature(at, 0);
  const sizes = entriesOf(at, 1).map(({ value }) => (value !== null && value < 0 ? null : value));
  const dims = reshapedDims(from, sizes, at.refuse);
  const flattens = dims.includes("row") && !from.dims.includes("row");
  if (flattens) return at.draft.add({ name: at.name, op: "flatten" }, [from], dims);
  return pointwiseOf(at, from, dims, isVector({ ...from, dims }) && !isVector(from) ? "flatten" : "reshape");
};

export const squeeze: Convert = (at) => {
  const from = feature(at, 0);
  const { dims, size } = from;
  const sizeAt = (dim: Dim) =>
    isAxis(dim) ? size[dim.axis]! : isChannels(dim) ? dim.channels : dim === "one" ? 1 : 0;
  const given = at.attributes.integers("squeeze_dims", at.attributes.integers("axis", []));
  const removed =
    given.length > 0
      ? placesOf(at, given, dims.length)
      : dims.flatMap((dim, place) => (sizeAt(dim) === 1 ? [place] : []));
  for (const place of removed) {
    const n = sizeAt(dims[place]!);
    if (n !== 1 && n !== null) at.refuse("dimensions of size 1", `dimension ${place} of ${showDims(from)}`);
  }
  return pointwiseOf(
    at,
    from,
    dims.filter((_, place) => !removed.includes(place)),
  );
};

export const expandDims: Convert = (at) => {
  const from = feature(at, 0);
  const [place] = placesOf(at, integersOf(at, 1), from.dims.length + 1);
  return pointwiseOf(at, from, from.dims.toSpliced(place!, 0, "one"));
};

export const transpose: Convert = (at) => {
  const from = feature(at, 0);
  const order = placesOf(at, integersOf(at, 1), from.dims.length);
  if (new Set(order).size !== from.dims.length)
    at.refuse(`an order of ${from.dims.length} dimensions`, order.join(", "));
  return pointwiseOf(
    at,
    from,
    order.map((place) => from.dims[place]!),
  );
};

/** On [batch, everything] a dense layer; on [batch · positions, channels] the same at every position. */
export const matMul: Convert = (at) => {
  const from = feature(at, 0);
  const weights = shapeOf(at, 1, 2);
  const [lines, last] = from.dims;
  const isMatrix = from.dims.length === 2 && (lines === "batch" || lines === "positions");
  if (!isMatrix || at.attributes.flag("transpose_a")) {
    return at.refuse("a matrix [batch, features]", showDims(from));
  }
  if (last !== "row" && !isChannels(last)) return at.refuse("a matrix [batch, features]", showDims(from));
  const units = weights[at.attributes.flag("transpose_b") ? 0 : 1]!;
  const bias = at.attributes.lists("fused_ops", "BiasAdd");
  const dims: Dim[] = [lines as Dim, { channels: units }];
  return lines === "batch"
    ? at.draft.add({ name: at.name, op: "dense", units, bias }, [from], dims)
    : at.draft.add({ name: at.name, op: "conv", kernel: 1, filters: units, bias }, [from], dims);
};
