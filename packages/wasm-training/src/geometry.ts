/**
 * Sizes and paddings of convolutions and pools. tfjs computes both axes of a numeric padding from the height of
 * the window and its vertical stride; as explicit margins the same padding comes out right.
 */
import { backend_util, engine } from "@tensorflow/tfjs-core";
import type { BackendWasm, TensorInfo } from "./heap.js";
import { run } from "./kernel.js";

type Pair = [number, number];
export type ExplicitPadding = [Pair, Pair, Pair, Pair];
export type Padding = "valid" | "same" | number | ExplicitPadding;
type Shape4D = [number, number, number, number];

/** What convolutions and pools are given; `pad` of the order batch, height, width, channels. */
export interface WindowAttrs {
  readonly strides: number | Pair;
  readonly pad: Padding;
  readonly dilations?: number | Pair;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/**
 * A numeric padding as margins. `conv1d` is computed by `conv2d` of rows with the padding that it
 * was given, which would pad above and below the row.
 */
function explicit(pad: Padding): Padding {
  if (typeof pad !== "number") return pad;
  const isRow = engine().state.scopeStack.some(({ name }) => name === "conv1d__op");
  const rows: Pair = isRow ? [0, 0] : [pad, pad];
  return [[0, 0], rows, [pad, pad], [0, 0]];
}

/** Tells of a window that does not fit, before anything is allocated. */
function expectFits(op: string, info: backend_util.Conv2DInfo): void {
  if (info.outHeight >= 0 && info.outWidth >= 0) return;
  throw new RangeError(
    `${op}: x: expected an image of at least the window's size, ${info.effectiveFilterHeight} x ${info.effectiveFilterWidth}, ` +
      `got ${info.inHeight} x ${info.inWidth}`,
  );
}

/** The sizes of a convolution of an image with channels last. */
export function conv2dInfo(
  op: string,
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations, dimRoundingMode }: WindowAttrs,
  depthwise = false,
): backend_util.Conv2DInfo {
  const info = backend_util.computeConv2DInfo(
    inShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations ?? 1,
    explicit(pad),
    dimRoundingMode,
    depthwise,
  );
  expectFits(op, info);
  return info;
}

/** The sizes of a pool of an image with channels last. */
export function pool2dInfo(
  op: string,
  inShape: readonly number[],
  {
    filterSize,
    strides,
    pad,
    dilations,
    dimRoundingMode,
  }: WindowAttrs & { readonly filterSize: number | Pair },
): backend_util.Conv2DInfo {
  const shape = inShape as Shape4D;
  const info = backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    dilations ?? 1,
    explicit(pad),
    dimRoundingMode,
  );
  expectFits(op, info);
  return info;
}

/**
 * The same with as many windows as a gradient has elements: tfjs does not tell the kernels of
 * gradients how the forward pass rounded, nor that the image was a row of `conv1d`, which has no padding above.
 */
export function withOutputOf(
  info: backend_util.Conv2DInfo,
  dy: TensorInfo,
  { pad }: Pick<WindowAttrs, "pad">,
): backend_util.Conv2DInfo {
  const [batch, outHeight, outWidth, channels] = dy.shape as Shape4D;
  const { inHeight, filterHeight, strideHeight } = info;
  const isRow =
    typeof pad === "number" && [inHeight, filterHeight, strideHeight, outHeight].every((n) => n === 1);
  const padInfo = isRow ? { ...info.padInfo, top: 0 } : info.padInfo;
  return { ...info, padInfo, outHeight, outWidth, outShape: [batch, outHeight, outWidth, channels] };
}

/**
 * The padding after the image with which the last window ends exactly where the padding does, so that
 * every way to count windows agrees; undefined for a padding below zero, which XNNPACK does not know.
 */
export function exactPadding(info: backend_util.Conv2DInfo): ExplicitPadding | undefined {
  const { top, left } = info.padInfo;
  if (top < 0 || left < 0) return undefined;
  const bottom = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight - info.inHeight - top;
  const right = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth - info.inWidth - left;
  return [
    [0, 0],
    [top, Math.max(0, bottom)],
    [left, Math.max(0, right)],
    [0, 0],
  ];
}

/** The attributes for a stock kernel that XNNPACK computes without counting anything by itself. */
export function exactAttrs(
  attrs: object,
  info: backend_util.Conv2DInfo,
): Record<string, unknown> | undefined {
  const pad = exactPadding(info);
  return pad && { ...attrs, pad, dimRoundingMode: "floor" };
}

/** Attributes for channels last from those for channels first. */
export function channelsLastAttrs<T extends { readonly pad: Padding }>(attrs: T): T & { dataFormat: "NHWC" } {
  const { pad } = attrs;
  const turned: Padding = Array.isArray(pad) ? [pad[0], pad[2], pad[3], pad[1]] : pad;
  return { ...attrs, pad: turned, dataFormat: "NHWC" };
}

/** An image with channels first as one with channels last; the caller releases it. */
export const toChannelsLast = (backend: BackendWasm, x: TensorInfo): TensorInfo =>
  run(backend, "Transpose", { x }, { perm: [0, 2, 3, 1] });

/** The way back; the caller releases both. */
export const toChannelsFirst = (backend: BackendWasm, x: TensorInfo): TensorInfo =>
  run(backend, "Transpose", { x }, { perm: [0, 3, 1, 2] });

/** The sizes of a convolution of a volume with channels last. */
export function conv3dInfo(
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dilations }: { strides: number; pad: "valid" | "same"; dilations?: number },
): backend_util.Conv3DInfo {
  return backend_util.computeConv3DInfo(
    inShape as [number, number, number, number, number],
    filterShape as [number, number, number, number, number],
    strides,
    dilations ?? 1,
    pad,
  );
}
