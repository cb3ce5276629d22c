import type { AxisStep, Border } from "./axis-step.js";
import { isCount, show } from "./field-values.js";
import { greatestCommonDivisor } from "./integers.js";
import type { Layer, Padding, ResizeLayer } from "./layer-graph.js";

/**
 * What a layer does along each axis, its defaults filled in.
 *
 * @throws {TypeError | RangeError} naming the layer and the field that is wrong.
 */
export function stepsOf(layer: Layer, axes: number, caller: string): AxisStep[] {
  const field = new LayerFields(layer, axes, caller);
  field.refuseMisspelt();
  switch (layer.op) {
    case "conv":
    case "pool": {
      const kernel = field.counts("kernel", undefined);
      const stride = field.counts("stride", layer.op === "pool" ? kernel : 1);
      const dilation = field.counts("dilation", 1);
      const padding = field.padding(layer.padding);
      const ceilMode = layer.ceilMode ?? false;
      if (typeof ceilMode !== "boolean") field.fail("ceilMode", "true or false", ceilMode);
      return kernel.map((size, axis) => ({
        kind: "window",
        kernel: size,
        stride: stride[axis]!,
        dilation: dilation[axis]!,
        padding: padding === "same" ? "same" : padding === "valid" ? [0, 0] : padding[axis]!,
        ceilMode,
      }));
    }
    case "transposed-conv": {
      const kernel = field.counts("kernel", undefined);
      const stride = field.counts("stride", 1);
      const dilation = field.counts("dilation", 1);
      const outputPadding = field.counts("outputPadding", 0, 0);
      const padding = field.padding(layer.padding);
      if (padding === "same" && outputPadding.some((units) => units > 0)) {
        field.fail("outputPadding", 'none beside padding "same"', layer.outputPadding);
      }
      return kernel.map((size, axis) => ({
        kind: "transposed",
        kernel: size,
        stride: stride[axis]!,
        dilation: dilation[axis]!,
        outputPadding: outputPadding[axis]!,
        padding: typeof padding === "string" ? padding : padding[axis]!,
      }));
    }
    case "adaptive-pool":
      return field.counts("outputSize", undefined).map((size) => ({ kind: "adaptive", size }));
    case "global-pool":
    case "dense":
      return field.all({ kind: "everything" });
    case "resize":
      return resizeSteps(layer, field);
    case "pad": {
      const border = padBorder(layer.mode ?? "constant", field);
      const padding = field.padding(layer.padding);
      if (typeof padding === "string") return field.fail("padding", "numbers", padding);
      return padding.map(([begin, end]) => ({ kind: "pad", begin, end, border }));
    }
    default:
      return field.all({ kind: "identity" });
  }
}

function padBorder(mode: string, field: LayerFields): Border {
  if (mode === "constant" || mode === "reflect" || mode === "symmetric" || mode === "edge") return mode;
  return field.fail("mode", "constant, reflect, symmetric or edge", mode);
}

function resizeSteps(layer: ResizeLayer, field: LayerFields): AxisStep[] {
  const { method = "nearest" } = layer;
  if (method !== "nearest" && method !== "bilinear") field.fail("method", "nearest or bilinear", method);
  const { coordinates = method === "bilinear" ? "half-pixel" : "asymmetric" } = layer;
  if (!["half-pixel", "asymmetric", "align-corners"].includes(coordinates)) {
    field.fail("coordinates", "half-pixel, asymmetric or align-corners", coordinates);
  }
  if ((layer.size === undefined) === (layer.scale === undefined)) {
    field.fail("scale", "either scale or size", layer.scale ?? null);
  }
  if (layer.size !== undefined) {
    return field
      .counts("size", undefined)
      .map((size) => ({ kind: "resize", method, coordinates, to: { size } }));
  }
  return field
    .perAxis(
      "scale",
      layer.scale!,
      "a positive number with a denominator up to 1024",
      (value) => asFraction(value) !== null,
    )
    .map((scale) => ({ kind: "resize", method, coordinates, to: asFraction(scale)! }));
}

/** A number as a fraction with a small denominator, or null: 1.5 is 3/2. */
function asFraction(value: number): { numerator: number; denominator: number } | null {
  if (!Number.isFinite(value) || value <= 0) return null;
  for (let denominator = 1; denominator <= 1024; denominator++) {
    const numerator = Math.round(value * denominator);
    if (numerator > 0 && Math.abs(value * denominator - numerator) < 1e-9 * denominator) {
      const divisor = greatestCommonDivisor(numerator, denominator);
      return { numerator: numerator / divisor, denominator: denominator / divisor };
    }
  }
  return null;
}

/** What other libraries call the spatial fields. */
const misspelt: ReadonlyMap<string, string> = new Map([
  ...["kernelSize", "kernel_size", "kernels", "poolSize", "pool_size", "ksize"].map(
    (name) => [name, "kernel"] as const,
  ),
  ...["strides", "stride_size"].map((name) => [name, "stride"] as const),
  ...["dilations", "dilationRate", "dilation_rate"].map((name) => [name, "dilation"] as const),
  ...["pad", "pads", "paddings"].map((name) => [name, "padding"] as const),
  ...["ceil_mode", "ceil"].map((name) => [name, "ceilMode"] as const),
  ...["output_padding"].map((name) => [name, "outputPadding"] as const),
  ...["output_size", "outputShape"].map((name) => [name, "outputSize"] as const),
  ...["scaleFactor", "scale_factor", "scales"].map((name) => [name, "scale"] as const),
]);

/** Reads the spatial fields of one layer, one value per axis, and names the field that is wrong. */
class LayerFields {
  private readonly layer: Layer;
  private readonly axes: number;
  private readonly caller: string;

  constructor(layer: Layer, axes: number, caller: string) {
    this.layer = layer;
    this.axes = axes;
    this.caller = caller;
  }

  fail(field: string, expected: string, got: unknown): never {
    const message = `${this.caller}: layer "${this.layer.name}": ${field}: expected ${expected}, got ${show(got)}`;
    throw typeof got === "number" || typeof got === "string"
      ? new RangeError(message)
      : new TypeError(message);
  }

  /** A field under the name that another library gives it would be ignored, and the answer wrong. */
  refuseMisspelt(): void {
    for (const [theirs, ours] of misspelt) {
      if (Object.hasOwn(this.layer, theirs)) this.fail(theirs, `the name ${ours} for this field`, theirs);
    }
  }

  all(step: AxisStep): AxisStep[] {
    return Array.from({ length: this.axes }, () => step);
  }

  perAxis(field: string, value: unknown, expected: string, isValid: (value: number) => boolean): number[] {
    const values = Array.isArray(value) ? value : Array.from({ length: this.axes }, () => value);
    if (values.length !== this.axes) this.fail(field, `one number or ${this.axes} of them`, value);
    for (const one of values) if (typeof one !== "number" || !isValid(one)) this.fail(field, expected, one);
    return values as number[];
  }

  /** Integers of at least `least`. A default of undefined means that the field is required. */
  counts(field: string, fallback: number | readonly number[] | undefined, least = 1): number[] {
    const value = (this.layer as unknown as Record<string, unknown>)[field] ?? fallback;
    const expected = least === 1 ? "a positive integer" : `an integer of at least ${least}`;
    return this.perAxis(field, value, expected, (one) => isCount(one, least));
  }

  padding(value: Padding = 0): "same" | "valid" | [number, number][] {
    if (value === "same" || value === "valid") return value;
    const entries = Array.isArray(value)
      ? (value as unknown[])
      : Array.from({ length: this.axes }, () => value);
    if (entries.length !== this.axes) {
      this.fail("padding", `a number, "same", "valid" or ${this.axes} entries`, value);
    }
    return entries.map((entry) => {
      const [begin, end] = Array.isArray(entry) && entry.length === 2 ? entry : [entry, entry];
      if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end)) {
        this.fail("padding", "integers or [begin, end] pairs of them", entry);
      }
      return [begin as number, end as number];
    });
  }
}
