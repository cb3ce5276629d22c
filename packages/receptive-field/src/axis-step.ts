/**
 * What one layer does along one axis, all defaults filled in. Layers are
 * separable, so that this is all that the arithmetic has to know.
 */
export type AxisStep =
  | { readonly kind: "identity" }
  | WindowStep
  | TransposedStep
  | ResizeStep
  | { readonly kind: "pad"; readonly begin: number; readonly end: number; readonly border: Border }
  | { readonly kind: "adaptive"; readonly size: number }
  /** One output that sees every position. */
  | { readonly kind: "everything" };

export interface WindowStep {
  readonly kind: "window";
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: "same" | readonly [begin: number, end: number];
  readonly ceilMode: boolean;
}

export interface TransposedStep {
  readonly kind: "transposed";
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padding: "same" | "valid" | readonly [begin: number, end: number];
  readonly outputPadding: number;
}

export interface ResizeStep {
  readonly kind: "resize";
  /** Output over input as a reduced fraction, or the output size. */
  readonly to: { readonly numerator: number; readonly denominator: number } | { readonly size: number };
  readonly method: "nearest" | "bilinear";
  readonly coordinates: "half-pixel" | "asymmetric" | "align-corners";
}

/** What a tap outside the input meets: nothing (a constant), or a unit inside. */
export type Border = "constant" | "reflect" | "symmetric" | "edge";

/** Distance from the first to the last tap of a dilated window, both included. */
export function extentOf(step: { readonly kernel: number; readonly dilation: number }): number {
  return step.dilation * (step.kernel - 1) + 1;
}

/**
 * How many units come out of `n`. Zero or less means that the layer's output
 * is empty (the window does not fit).
 *
 * Rounding up follows PyTorch: the last window must start inside the input or
 * its begin padding.
 */
export function outputSize(step: AxisStep, n: number): number {
  switch (step.kind) {
    case "identity":
      return n;
    case "window": {
      if (step.padding === "same") return Math.ceil(n / step.stride);
      const [begin, end] = step.padding;
      const steps = (n + begin + end - extentOf(step)) / step.stride;
      const count = (step.ceilMode ? Math.ceil(steps) : Math.floor(steps)) + 1;
      return step.ceilMode && (count - 1) * step.stride >= n + begin ? count - 1 : count;
    }
    case "transposed": {
      const full = (n - 1) * step.stride + extentOf(step) + step.outputPadding;
      if (step.padding === "same") return n * step.stride;
      if (step.padding === "valid") return Math.max(full, n * step.stride);
      return full - step.padding[0] - step.padding[1];
    }
    case "resize":
      return "size" in step.to ? step.to.size : Math.floor((n * step.to.numerator) / step.to.denominator);
    case "pad":
      return n + step.begin + step.end;
    case "adaptive":
      return step.size;
    case "everything":
      return 1;
  }
}

/**
 * Units of padding before the first unit. `"same"` splits the total so that
 * the odd unit goes to the end; for a window it depends on the size.
 */
export function beginPadding(step: WindowStep | TransposedStep, n: number | null): number {
  if (step.padding === "valid") return 0;
  if (step.padding !== "same") return step.padding[0];
  const extent = extentOf(step);
  if (step.kind === "transposed") return Math.floor(Math.max(extent - step.stride, 0) / 2);
  if (step.stride === 1) return Math.floor((extent - 1) / 2);
  if (n === null) throw new Error("the padding of a strided `same` window needs the size");
  const outputs = Math.ceil(n / step.stride);
  return Math.floor(Math.max((outputs - 1) * step.stride + extent - n, 0) / 2);
}
