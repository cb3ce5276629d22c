import type { AxisPadding, Padding, PadLayer, ResizeLayer } from "@gradlab/receptive-field";
import { channelsOf, type Dim, type Feature, isAxis, isChannels, product, showDims } from "../dims.js";
import { alongAxes, compact, type WindowPlaces, windowDims, windowPlaces } from "../window-places.js";
import { type Convert, entriesOf, feature, integersOf, isFeature, type NodeAt, shapeOf } from "./node-at.js";
import type { Entry } from "./node-constants.js";

const layouts = { 1: ["NWC", "NCW"], 2: ["NHWC", "NCHW"], 3: ["NDHWC", "NCDHW"] } as const;

function windowOf(at: NodeAt, from: Feature, rank: 2 | 3): WindowPlaces {
  const format = at.attributes.word("data_format", layouts[rank], layouts[rank][0]);
  return windowPlaces(from, rank, format === layouts[rank][1], at.refuse);
}

/** The entries of a list of one number per dimension that belong to positions; the others have to be 1. */
function perWindow(at: NodeAt, key: string, window: WindowPlaces, fallback?: readonly number[]): number[] {
  const rank = window.places.length;
  const given = at.attributes.integers(key, fallback);
  const list = given.length === 0 && fallback !== undefined ? fallback : given;
  const others = list.filter((_, place) => !window.places.includes(place));
  if (list.length !== rank + 2 || others.some((one) => one !== 1)) {
    at.attributes.fail(key, `${rank + 2} integers, 1 for batch and channels`, list);
  }
  const values = window.places.map((place) => list[place]!);
  return values.every((one) => one > 0) ? values : at.attributes.fail(key, "positive integers", list);
}

/** The padding of a window as [begin, end] per window dimension, or a word. */
function paddingOf(at: NodeAt, window: WindowPlaces): "same" | "valid" | [number, number][] {
  const mode = at.attributes.word("padding", ["SAME", "VALID", "EXPLICIT"]);
  if (mode !== "EXPLICIT") return mode === "SAME" ? "same" : "valid";
  const list = at.attributes.integers("explicit_paddings");
  if (list.length !== 2 * (window.places.length + 2)) {
    at.attributes.fail("explicit_paddings", `${2 * (window.places.length + 2)} integers`, list);
  }
  return window.places.map((place) => [list[2 * place]!, list[2 * place + 1]!]);
}

interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  readonly padding: "same" | "valid" | readonly (readonly [number, number])[];
}

/** The fields of a window in the order of the graph's axes, defaults left out. */
function windowFields(at: NodeAt, places: WindowPlaces, window: Window) {
  places.axes.forEach((axis, i) => {
    // A dimension of size 1 outside the graph: the window must leave it as it is.
    const neutral = window.padding === "same" || (window.kernel[i] === 1 && window.padding === "valid");
    if (axis === null && !neutral) at.refuse("positions along every axis", showDims(places.feature));
  });
  const along = (values: readonly number[]) => alongAxes(places, values);
  const dilated = window.dilation.some((one) => one !== 1);
  let padding: { padding?: Padding } = {};
  if (window.padding === "same") padding = { padding: "same" };
  else if (window.padding !== "valid") padding = { padding: alongAxes(places, window.padding) };
  return {
    kernel: compact(along(window.kernel)),
    stride: compact(along(window.stride)),
    ...(dilated && { dilation: compact(along(window.dilation)) }),
    ...padding,
  };
}

const ones = (rank: number): number[] => Array<number>(rank + 2).fill(1);

/** The blocks of SpaceToBatchND turn into a dilation; any other window needs whole positions. */
function withoutBlocks(from: Feature): { whole: Feature; blocks: readonly number[] | null } {
  const [first, ...rest] = from.dims;
  if (typeof first !== "object" || !("blocks" in first)) return { whole: from, blocks: null };
  return { whole: { ...from, dims: ["batch", ...rest] }, blocks: first.blocks };
}

export const conv =
  (rank: 2 | 3, isDepthwise: boolean): Convert =>
  (at) => {
    const from = feature(at, 0);
    const { whole, blocks } = withoutBlocks(from);
    const places = windowOf(at, whole, rank);
    const filter = shapeOf(at, 1, rank + 2);
    const inChannels = filter[rank]!;
    const filters = isDepthwise ? inChannels * filter[rank + 1]! : filter[rank + 1]!;
    const channels = channelsOf(from);
    const groups = isDepthwise ? inChannels : channels === null ? 1 : channels / inChannels;
    if (!Number.isInteger(groups)) at.refuse(`filters for ${channels} channels`, `for ${inChannels}`);
    const window = {
      kernel: filter.slice(0, rank),
      stride: perWindow(at, "strides", places),
      dilation: perWindow(at, "dilations", places, ones(rank)),
      padding: paddingOf(at, places),
    };
    const further = at.inputs.slice(2).find(isFeature);
    if (further !== undefined) at.refuse("constants as bias and slopes", `"${further.layer}"`);
    const dims = windowDims(places, filters);
    return at.draft.add(
      {
        name: at.name,
        op: "conv",
        ...windowFields(at, places, blocks === null ? window : inBlocks(at, window, blocks)),
        filters,
        ...(groups > 1 && { groups }),
        bias: at.attributes.lists("fused_ops", "BiasAdd"),
      },
      [from],
      blocks === null ? dims : [{ blocks }, ...dims.slice(1)],
    );
  };

/** Every block is convolved alone: that is a dilation, and "same" pads every block. */
function inBlocks(at: NodeAt, window: Window, blocks: readonly number[]): Window {
  if (window.stride.some((one) => one !== 1)) at.refuse("stride 1 between blocks", window.stride.join("x"));
  const dilation = window.dilation.map((one, i) => one * blocks[i]!);
  const { kernel, padding } = window;
  if (padding === "valid") return { ...window, dilation };
  const pairs = kernel.map((size, i): [number, number] => {
    const total = window.dilation[i]! * (size - 1);
    const [begin, end] = padding === "same" ? [Math.floor(total / 2), Math.ceil(total / 2)] : padding[i]!;
    return [begin * blocks[i]!, end * blocks[i]!];
  });
  return { ...window, dilation, padding: pairs };
}

export const pool =
  (rank: 2 | 3, mode: "max" | "avg"): Convert =>
  (at) => {
    const from = feature(at, 0);
    const places = windowOf(at, from, rank);
    const window = {
      kernel: perWindow(at, "ksize", places),
      stride: perWindow(at, "strides", places),
      dilation: places.places.map(() => 1),
      padding: paddingOf(at, places),
    };
    const dims = windowDims(places, channelsOf(from));
    return at.draft.add(
      { name: at.name, op: "pool", mode, ...windowFields(at, places, window) },
      [from],
      dims,
    );
  };

/** The gradient of a convolution, used as a layer: its output size is its first input. */
export const transposedConv =
  (rank: 2 | 3): Convert =>
  (at) => {
    const from = feature(at, 2);
    const places = windowOf(at, from, rank);
    const filter = shapeOf(at, 1, rank + 2);
    const sizes = entriesOf(at, 0);
    if (sizes.length !== rank + 2) at.refuse(`${rank + 2} sizes as input 0`, `${sizes.length}`);
    const stride = perWindow(at, "strides", places);
    const dilation = perWindow(at, "dilations", places, ones(rank));
    const padding = paddingOf(at, places);
    const kernel = filter.slice(0, rank);
    const crops = places.places.map((place, i): TransposedCrop => {
      const window = { kernel: kernel[i]!, stride: stride[i]!, dilation: dilation[i]!, padding };
      const given = typeof padding === "string" ? null : padding[i]!;
      const axis = places.axes[i] ?? null;
      const n = axis === null ? 1 : from.size[axis]!;
      return (
        transposedCrop(window, given, n, sizes[place]!) ??
        at.refuse("an output size that the stride leads to", `${sizes[place]!.value ?? "an unknown one"}`)
      );
    });
    const filters = filter[rank]!;
    return at.draft.add(
      {
        name: at.name,
        op: "transposed-conv",
        ...windowFields(at, places, {
          kernel,
          stride,
          dilation,
          padding: crops.map(({ pads }): [number, number] => [...pads]),
        }),
        outputPadding: compact(
          alongAxes(
            places,
            crops.map(({ further }) => further),
          ),
        ),
        filters,
        bias: false,
      },
      [from],
      windowDims(places, filters),
    );
  };

interface TransposedCrop {
  readonly pads: readonly [number, number];
  /** Units added at the end. */
  readonly further: number;
}

/**
 * What is cut off the full output `(n − 1) · stride + extent`, and added to
 * its end, so that `wanted` units remain: what the convolution of the opposite
 * direction pads, and what its rounding down leaves out. Null where that
 * convolution would not come back to n.
 */
function transposedCrop(
  window: { kernel: number; stride: number; dilation: number; padding: Window["padding"] },
  given: readonly [number, number] | null,
  n: number | null,
  wanted: Entry,
): TransposedCrop | null {
  const { stride } = window;
  // Counted from n · stride, so that the input's size need not be known.
  const full = window.dilation * (window.kernel - 1) + 1 - stride;
  let over: number | null = null;
  if (wanted.of?.factor === stride) over = wanted.of.plus;
  else if (wanted.value !== null && n !== null) over = wanted.value - n * stride;
  if (over === null) return null;
  if (window.padding === "same") {
    const total = Math.max(full - over, 0);
    const begin = Math.floor(total / 2);
    const isPossible = over > -stride && over <= 0;
    return isPossible ? { pads: [begin, total - begin], further: over - full + total } : null;
  }
  const pads = given ?? [0, 0];
  const further = over - (full - pads[0] - pads[1]);
  return further >= 0 && further < stride ? { pads, further } : null;
}

export const pad =
  (border: "constant" | "mirror"): Convert =>
  (at) => {
    const from = feature(at, 0);
    const list = integersOf(at, 1);
    const { dims } = from;
    if (list.length !== 2 * dims.length) at.refuse(`${2 * dims.length} paddings`, `${list.length}`);
    let mode: PadLayer["mode"] = "constant";
    if (border === "mirror")
      mode = at.attributes.word("mode", ["REFLECT", "SYMMETRIC"]) === "REFLECT" ? "reflect" : "symmetric";
    const padding: [number, number][] = from.size.map(() => [0, 0]);
    const padded = dims.map((dim, place): Dim => {
      const pair: [number, number] = [list[2 * place]!, list[2 * place + 1]!];
      if (pair.every((one) => one === 0)) return dim;
      if (isAxis(dim)) {
        padding[dim.axis] = pair;
        return dim;
      }
      if (!isChannels(dim)) return at.refuse("padding of positions or channels", showDims(from));
      return { channels: dim.channels === null ? null : dim.channels + pair[0] + pair[1] };
    });
    return padding.flat().some((one) => one !== 0)
      ? at.draft.add(
          { name: at.name, op: "pad", padding, ...(mode !== "constant" && { mode }) },
          [from],
          padded,
        )
      : at.draft.add({ name: at.name, op: "pointwise", fn: "pad" }, [from], padded);
  };

export const resize =
  (method: "nearest" | "bilinear"): Convert =>
  (at) => {
    const from = feature(at, 0);
    const places = windowPlaces(from, 2, false, at.refuse);
    const sizes = entriesOf(at, 1);
    if (sizes.length !== 2 || places.axes.includes(null))
      at.refuse("two sizes for two axes", `${sizes.length}`);
    let coordinates: ResizeLayer["coordinates"] = "asymmetric";
    if (at.attributes.flag("align_corners")) coordinates = "align-corners";
    else if (at.attributes.flag("half_pixel_centers")) coordinates = "half-pixel";
    const along = alongAxes(places, sizes);
    const isFactor = along.every(({ of }, axis) => of?.axis === sizeKey(from, axis) && of.plus === 0);
    const values = along.map(({ value, of }) => (isFactor ? of!.factor : value));
    if (values.includes(null)) {
      at.refuse("sizes that are known, or a factor times the size of what is resized", "others");
    }
    return at.draft.add(
      {
        name: at.name,
        op: "resize",
        ...(isFactor ? { scale: compact(values as number[]) } : { size: compact(values as number[]) }),
        method,
        coordinates,
      },
      [from],
      windowDims(places, channelsOf(from)),
    );
  };

/** By what name the size of an axis is followed through the arithmetic of shapes. */
export const sizeKey = (from: Feature, axis: number): string => `${axis} ${from.layer}`;

/** Channels spread over a block of positions, all of which see what the one position saw. */
export const depthToSpace: Convert = (at) => {
  const from = feature(at, 0);
  const places = windowOf(at, from, 2);
  const block = at.attributes.integer("block_size");
  const channels = product([channelsOf(from), 1 / (block * block)]);
  return at.draft.add(
    { name: at.name, op: "resize", scale: block, method: "nearest", coordinates: "asymmetric" },
    [from],
    windowDims(places, channels),
  );
};

/** Blocks of positions moved between the batch and the grid; the padding and cropping remain. */
export const blocks =
  (apart: boolean): Convert =>
  (at) => {
    const from = feature(at, 0);
    const { whole, blocks: present } = withoutBlocks(from);
    const places = windowPlaces(whole, 2, false, at.refuse);
    const sizes = integersOf(at, 1);
    const list = integersOf(at, 2);
    const fits = sizes.length === 2 && list.length === 4 && !places.axes.includes(null);
    if (!fits || (apart ? present !== null : present?.join() !== sizes.join())) {
      return at.refuse("blocks along two axes, taken apart and put together once", sizes.join("x"));
    }
    const sign = apart ? 1 : -1;
    const pairs = [list.slice(0, 2), list.slice(2)].map(
      (pair): AxisPadding => [0 + sign * pair[0]!, 0 + sign * pair[1]!],
    );
    const [, ...rest] = whole.dims;
    const dims: Dim[] = [apart ? { blocks: sizes } : "batch", ...rest];
    return at.draft.add({ name: at.name, op: "pad", padding: alongAxes(places, pairs) }, [from], dims);
  };
