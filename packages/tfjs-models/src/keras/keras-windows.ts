import type { AxisPadding, Padding } from "@gradlab/receptive-field";
import { channelsOf, type Dim, type Feature, showDims } from "../dims.js";
import { show } from "../json-fields.js";
import { alongAxes, compact, type WindowPlaces, windowDims, windowPlaces } from "../window-places.js";
import { type Convert, checkActivation, type LayerAt, onlyInput } from "./keras-layer-at.js";

const dataFormats = ["channels_last", "channels_first"] as const;

function windowOf(at: LayerAt, rank: number): WindowPlaces {
  const channelsFirst = at.config.word("data_format", dataFormats, "channels_last") === "channels_first";
  return windowPlaces(onlyInput(at), rank, channelsFirst, at.refuse);
}

/** Numbers per axis, left out where they are the default. */
function unless<Key extends string>(key: Key, values: readonly number[], fallback: number) {
  return values.every((value) => value === fallback)
    ? {}
    : ({ [key]: compact(values) } as Record<Key, number | readonly number[]>);
}

/** Kernel, stride, dilation and padding along the axes of the graph. */
function windowFields(at: LayerAt, window: WindowPlaces, kernelKey: string, strides: "one" | "kernel") {
  const rank = window.places.length;
  const sizes = at.config.counts(kernelKey, rank, strides === "kernel" ? Array(rank).fill(2) : undefined);
  const stride = at.config.counts("strides", rank, strides === "kernel" ? sizes : [1, 1, 1].slice(0, rank));
  const dilation = at.config.counts("dilation_rate", rank, [1, 1, 1].slice(0, rank));
  const mode = at.config.word("padding", ["valid", "same", "causal"], "valid");
  if (window.axes.includes(null)) at.refuse("positions along every axis", showDims(window.feature));
  let padding: { padding?: Padding } = {};
  if (mode === "same") padding = { padding: "same" };
  if (mode === "causal") {
    const begins = sizes.map((size, i) => dilation[i]! * (size - 1));
    padding = { padding: alongAxes(window, begins).map((begin): AxisPadding => [begin, 0]) };
  }
  return {
    kernel: compact(alongAxes(window, sizes)),
    ...(strides === "kernel"
      ? { stride: compact(alongAxes(window, stride)) }
      : unless("stride", alongAxes(window, stride), 1)),
    ...unless("dilation", alongAxes(window, dilation), 1),
    ...padding,
  };
}

export const conv =
  (rank: number): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    const filters = at.config.count("filters");
    const groups = at.config.count("groups", 1);
    const dims = windowDims(window, filters);
    checkActivation(at, dims, window.feature);
    return at.draft.add(
      {
        name: at.name,
        op: "conv",
        ...windowFields(at, window, "kernel_size", "one"),
        filters,
        ...(groups > 1 && { groups }),
        bias: at.config.flag("use_bias", true),
      },
      [window.feature],
      dims,
    );
  };

/** A filter of its own for every channel. */
function depthwise(at: LayerAt, window: WindowPlaces, name: string, bias: boolean): Feature {
  const channels = channelsOf(window.feature);
  const filters = channels === null ? null : channels * at.config.count("depth_multiplier", 1);
  return at.draft.add(
    {
      name,
      op: "conv",
      ...windowFields(at, window, "kernel_size", "one"),
      ...(filters !== null && { filters }),
      ...(channels !== null && { groups: channels }),
      bias,
    },
    [window.feature],
    windowDims(window, filters),
  );
}

export const depthwiseConv =
  (rank: number): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    checkActivation(at, windowDims(window, null), window.feature);
    return depthwise(at, window, at.name, at.config.flag("use_bias", true));
  };

export const separableConv =
  (rank: number): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    checkActivation(at, windowDims(window, null), window.feature);
    const inner = depthwise(at, window, `${at.name}/depthwise`, false);
    const filters = at.config.count("filters");
    return at.draft.add(
      { name: at.name, op: "conv", kernel: 1, filters, bias: at.config.flag("use_bias", true) },
      [inner],
      windowDims(window, filters),
    );
  };

export const transposedConv =
  (rank: number): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    const filters = at.config.count("filters");
    const fields = windowFields(at, window, "kernel_size", "one");
    if (at.config.get("output_padding") !== undefined) {
      at.refuse(
        "no output_padding (the layer cannot run with it in tfjs)",
        show(at.config.get("output_padding")),
      );
    }
    if ("dilation" in fields) at.refuse("dilation_rate 1", show(fields.dilation));
    const dims = windowDims(window, filters);
    checkActivation(at, dims, window.feature);
    return at.draft.add(
      {
        name: at.name,
        op: "transposed-conv",
        padding: "valid",
        ...fields,
        filters,
        bias: at.config.flag("use_bias", true),
      },
      [window.feature],
      dims,
    );
  };

export const pool =
  (rank: number, mode: "max" | "avg"): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    return at.draft.add(
      { name: at.name, op: "pool", mode, ...windowFields(at, window, "pool_size", "kernel") },
      [window.feature],
      windowDims(window, channelsOf(window.feature)),
    );
  };

export const globalPool =
  (rank: number, mode: "max" | "avg"): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    const channels = channelsOf(window.feature);
    const keep = at.config.get("keepdims") === true;
    const dims: Dim[] = keep ? windowDims(window, channels) : ["batch", { channels }];
    return at.draft.add({ name: at.name, op: "global-pool", mode }, [window.feature], dims);
  };

/** Padding and cropping: one number, one per axis, or a pair per axis. */
export const border =
  (rank: number, key: "padding" | "cropping", sign: 1 | -1): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    const given = at.config.get(key) ?? 1;
    const isSize = (value: unknown): value is number =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
    const entries: unknown[] = Array.isArray(given) ? given : Array(rank).fill(given);
    const perAxis = rank === 1 && entries.length === 2 ? [entries] : entries;
    const pairs = perAxis.map((entry): [number, number] => {
      const pair: unknown[] = Array.isArray(entry) ? entry : [entry, entry];
      if (pair.length !== 2 || !pair.every(isSize))
        return at.config.fail(key, "numbers or pairs of them", given);
      return [0 + sign * pair[0]!, 0 + sign * pair[1]!];
    });
    if (pairs.length !== rank) at.config.fail(key, `a number or ${rank} entries`, given);
    return at.draft.add(
      { name: at.name, op: "pad", padding: alongAxes(window, pairs) },
      [window.feature],
      windowDims(window, channelsOf(window.feature)),
    );
  };

/** tfjs resizes by `v · n/m`, without the half pixel that Keras adds for bilinear. */
export const upSampling =
  (rank: number): Convert =>
  (at) => {
    const window = windowOf(at, rank);
    const scale = at.config.counts("size", rank, Array(rank).fill(2));
    const method = at.config.word("interpolation", ["nearest", "bilinear"], "nearest");
    return at.draft.add(
      {
        name: at.name,
        op: "resize",
        scale: compact(alongAxes(window, scale)),
        method,
        coordinates: "asymmetric",
      },
      [window.feature],
      windowDims(window, channelsOf(window.feature)),
    );
  };

/** As Keras resizes; tfjs 4.22 reads the layer but cannot run it. */
export const resizing: Convert = (at) => {
  const window = windowOf(at, 2);
  const size = [at.config.count("height"), at.config.count("width")];
  const method = at.config.word("interpolation", ["bilinear", "nearest"], "bilinear");
  for (const key of ["crop_to_aspect_ratio", "pad_to_aspect_ratio"]) {
    if (at.config.flag(key, false)) at.refuse(`no ${key}`, "true");
  }
  return at.draft.add(
    {
      name: at.name,
      op: "resize",
      size: compact(alongAxes(window, size)),
      method,
      coordinates: "half-pixel",
    },
    [window.feature],
    windowDims(window, channelsOf(window.feature)),
  );
};
