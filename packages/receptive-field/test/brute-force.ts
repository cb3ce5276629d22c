import type { Layer, LayerGraph } from "../src/index.js";

/*
 * The oracle: what units see, found by following every tap of every layer,
 * position by position, from the definitions of the operations. No recurrence,
 * no runs, no periods. Axes are independent within a layer, so that a tap is a
 * list of positions along each axis; sets are of whole pixels ("y,x").
 */

type Spatial = Record<string, unknown>;

const axisValue = (value: unknown, axis: number, fallback: number): number =>
  value === undefined ? fallback : Array.isArray(value) ? (value[axis] as number) : (value as number);

function windowOf(layer: Layer, axis: number) {
  const fields = layer as unknown as Spatial;
  const kernel = axisValue(fields.kernel, axis, 1);
  return {
    kernel,
    stride: axisValue(fields.stride, axis, layer.op === "pool" ? kernel : 1),
    dilation: axisValue(fields.dilation, axis, 1),
  };
}

/** [begin, end] padding of a layer, TensorFlow's rule for "same". */
function paddingOf(layer: Layer, axis: number, n: number): [number, number] {
  const { padding } = layer as unknown as { padding?: unknown };
  const { kernel, stride, dilation } = windowOf(layer, axis);
  if (padding === "same" && layer.op === "transposed-conv") {
    // What the forward convolution of n · stride units pads: the windows' overlap, its odd unit at the end.
    const overlap = Math.max((kernel - 1) * dilation + 1 - stride, 0);
    return [Math.floor(overlap / 2), Math.ceil(overlap / 2)];
  }
  if (padding === "same") {
    const extent = (kernel - 1) * dilation + 1;
    const leftover = n % stride === 0 ? extent - stride : extent - (n % stride);
    const total = Math.max(leftover, 0);
    return [Math.floor(total / 2), total - Math.floor(total / 2)];
  }
  if (padding === undefined || padding === "valid") return [0, 0];
  const entry: unknown = Array.isArray(padding) ? padding[axis] : padding;
  return Array.isArray(entry) ? [entry[0], entry[1]] : [entry as number, entry as number];
}

/** The number of units, by sliding the window and counting where it fits. */
export function bruteSize(layer: Layer, axis: number, n: number): number {
  switch (layer.op) {
    case "conv":
    case "pool": {
      const { kernel, stride, dilation } = windowOf(layer, axis);
      const [begin, end] = paddingOf(layer, axis, n);
      let count = 0;
      // Rounding up lets the last window stand over the end by less than a stride …
      const over = layer.ceilMode === true ? stride - 1 : 0;
      for (let at = -begin; at + (kernel - 1) * dilation <= n + end - 1 + over; at += stride) count++;
      // … but, as in PyTorch, not start behind the input.
      if (layer.ceilMode === true && -begin + (count - 1) * stride >= n) count--;
      return count;
    }
    case "transposed-conv": {
      const { kernel, stride, dilation } = windowOf(layer, axis);
      const highest = (n - 1) * stride + (kernel - 1) * dilation;
      const written = highest + 1 + axisValue(layer.outputPadding, axis, 0);
      // TensorFlow: "same" gives n · stride outputs, "valid" no fewer.
      if (layer.padding === "same") return n * stride;
      if (layer.padding === "valid") return Math.max(written, n * stride);
      const [begin, end] = paddingOf(layer, axis, n);
      return written - begin - end;
    }
    case "adaptive-pool":
      return axisValue(layer.outputSize, axis, 1);
    case "global-pool":
    case "dense":
      return 1;
    case "resize":
      return layer.size !== undefined
        ? axisValue(layer.size, axis, 1)
        : Math.floor(n * axisValue(layer.scale, axis, 1) + 1e-9);
    case "pad": {
      const [begin, end] = paddingOf(layer, axis, n);
      return n + begin + end;
    }
    default:
      return n;
  }
}

/** The positions that unit `v` reads along one axis, as they stand (outside ones too). */
function tapsOf(layer: Layer, axis: number, n: number, m: number, v: number): number[] {
  switch (layer.op) {
    case "conv":
    case "pool": {
      const { kernel, stride, dilation } = windowOf(layer, axis);
      const [begin] = paddingOf(layer, axis, n);
      return Array.from({ length: kernel }, (_, tap) => v * stride - begin + tap * dilation);
    }
    case "transposed-conv": {
      const { kernel, stride, dilation } = windowOf(layer, axis);
      const [begin] = paddingOf(layer, axis, n);
      const inputs: number[] = [];
      // Every input that could possibly write to v.
      for (let k = Math.floor(v / stride) - 40; k <= Math.floor(v / stride) + 40; k++) {
        for (let tap = 0; tap < kernel; tap++) if (k * stride + tap * dilation - begin === v) inputs.push(k);
      }
      return inputs;
    }
    case "adaptive-pool": {
      const first = Math.floor((v * n) / m);
      const last = Math.ceil(((v + 1) * n) / m) - 1;
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    }
    case "global-pool":
    case "dense":
      return Array.from({ length: n }, (_, i) => i);
    case "resize": {
      const method = layer.method ?? "nearest";
      const coordinates = layer.coordinates ?? (method === "bilinear" ? "half-pixel" : "asymmetric");
      const factor = layer.size !== undefined ? n / m : 1 / axisValue(layer.scale, axis, 1);
      const source =
        coordinates === "half-pixel"
          ? (v + 0.5) * factor - 0.5
          : coordinates === "asymmetric"
            ? v * factor
            : m === 1
              ? 0
              : (v * (n - 1)) / (m - 1);
      const near = Math.round(source);
      const exact = Math.abs(source - near) < 1e-9 ? near : source;
      if (method === "bilinear") return exact === near ? [near] : [Math.floor(exact), Math.floor(exact) + 1];
      return [coordinates === "asymmetric" ? Math.floor(exact) : Math.floor(exact + 0.5 + 1e-9)];
    }
    case "pad":
      return [v - paddingOf(layer, axis, n)[0]];
    default:
      return [v];
  }
}

/** The unit found at a position, or null for a constant. */
function inside(layer: Layer, position: number, n: number): number | null {
  if (position >= 0 && position < n) return position;
  const mode = layer.op === "resize" ? "edge" : layer.op === "pad" ? layer.mode : undefined;
  if (mode === "edge") return position < 0 ? 0 : n - 1;
  if (mode === "reflect") return position < 0 ? -position : 2 * (n - 1) - position;
  if (mode === "symmetric") return position < 0 ? -position - 1 : 2 * n - 1 - position;
  return null;
}

export interface Oracle {
  readonly sizes: ReadonlyMap<string, readonly number[]>;
  /** Pixels seen, with positions outside every layer followed as if the layer went on. */
  readonly beyondBorders: (layer: string, unit: readonly number[]) => Set<string>;
  /** Pixels that reach the unit. */
  readonly withinBorders: (layer: string, unit: readonly number[]) => Set<string>;
}

/** Layers must be listed after what they read. */
export function bruteForce(graph: LayerGraph): Oracle {
  const input = graph.input.shape.map(Number);
  const sizes = new Map<string, readonly number[]>([["input", input]]);
  const layers = new Map<string, { layer: Layer; inputs: readonly string[] }>();
  graph.layers.forEach((layer, i) => {
    const inputs = layer.inputs ?? [i === 0 ? "input" : graph.layers[i - 1]!.name];
    layers.set(layer.name, { layer, inputs });
    const largest = input.map((_, axis) => Math.max(...inputs.map((name) => sizes.get(name)![axis]!)));
    sizes.set(
      layer.name,
      largest.map((n, axis) => bruteSize(layer, axis, n)),
    );
  });
  const follow = (borders: boolean) => {
    const memory = new Map<string, Set<string>>();
    const see = (name: string, unit: readonly number[]): Set<string> => {
      if (name === "input") return new Set([unit.join()]);
      const key = `${name}:${unit.join()}`;
      const known = memory.get(key);
      if (known !== undefined) return known;
      const pixels = new Set<string>();
      const { layer, inputs } = layers.get(name)!;
      for (const from of inputs) {
        const n = sizes.get(from)!;
        const m = sizes.get(name)!;
        const perAxis = unit.map((v, axis) => {
          if (inputs.length > 1 && n[axis] === 1 && m[axis] !== 1) return [0];
          const taps = tapsOf(layer, axis, n[axis]!, m[axis]!, v);
          if (!borders) return taps;
          return taps.flatMap((position) => inside(layer, position, n[axis]!) ?? []);
        });
        for (const position of product(perAxis)) for (const pixel of see(from, position)) pixels.add(pixel);
      }
      memory.set(key, pixels);
      return pixels;
    };
    return see;
  };
  return { sizes, beyondBorders: follow(false), withinBorders: follow(true) };
}

export function product(lists: readonly (readonly number[])[]): number[][] {
  return lists.reduce<number[][]>(
    (all, list) => all.flatMap((head) => list.map((one) => [...head, one])),
    [[]],
  );
}
