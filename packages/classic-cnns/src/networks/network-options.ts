import { expectInteger } from "../expect-values.js";

/** How a classic network is cut to size. */
export interface NetworkOptions {
  /** Height and width of the input in pixels, one number for both or `[height, width]`; up to 16384. */
  readonly inputSize?: number | readonly [height: number, width: number];
  /** Channels of the input, 1 to 4096. */
  readonly channels?: number;
  /** Number of logits, 1 to 10⁶. */
  readonly classes?: number;
  /**
   * A factor for the channels of all convolutions (hidden dense layers keep their units), above 0 and up to 64; or the
   * channels themselves, see `network` for which network takes how many.
   */
  readonly width?: number | readonly number[];
}

/** The options of one network, checked and with its defaults. */
export interface NetworkShape {
  readonly name: string;
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
  readonly classes: number;
  readonly width: number | readonly number[];
}

const mostPixels = 16384;
const mostChannels = 65536;

export function networkShape(
  name: string,
  options: NetworkOptions,
  defaults: { readonly inputSize: number; readonly channels: number; readonly classes: number },
): NetworkShape {
  const {
    inputSize = defaults.inputSize,
    channels = defaults.channels,
    classes = defaults.classes,
  } = options;
  const { width = 1 } = options;
  const size: unknown = typeof inputSize === "number" ? [inputSize, inputSize] : inputSize;
  if (!Array.isArray(size) || size.length !== 2) {
    throw new TypeError(`network: inputSize: expected one size or [height, width], got ${shown(inputSize)}`);
  }
  for (const pixels of size) expectInteger("network: inputSize", pixels, 1, mostPixels);
  expectInteger("network: channels", channels, 1, 4096);
  expectInteger("network: classes", classes, 1, 1e6);
  if (typeof width === "number") {
    if (!(width > 0 && width <= 64)) {
      throw new RangeError(`network: width: expected a number above 0, at most 64, got ${width}`);
    }
  } else if (!Array.isArray(width)) {
    throw new TypeError(`network: width: expected a number or a list of them, got ${shown(width)}`);
  } else {
    for (const one of width) expectInteger("network: width", one, 1, mostChannels);
  }
  return { name, size: [size[0], size[1]], channels, classes, width };
}

/**
 * The channels of the stages (and, where the list goes on, the units of the hidden dense layers): the defaults, the
 * defaults of the stages times a factor, or those given.
 */
export function stageWidths(
  { name, width }: NetworkShape,
  stages: readonly number[],
  dense: readonly number[] = [],
): number[] {
  if (typeof width === "number") return [...stages.map((one) => scaled(one, width)), ...dense];
  if (width.length === stages.length) return [...width, ...dense];
  if (dense.length > 0 && width.length === stages.length + dense.length) return [...width];
  const counts = dense.length > 0 ? `${stages.length} or ${stages.length + dense.length}` : stages.length;
  throw new RangeError(
    `network: width: expected a factor or a list of ${counts} numbers for ${name}, got ${shown(width)}`,
  );
}

/** The factor of a network that takes no list. */
export function widthFactor({ name, width }: NetworkShape): number {
  if (typeof width === "number") return width;
  throw new RangeError(`network: width: expected a factor for ${name}, got ${shown(width)}`);
}

export const scaled = (channels: number, factor: number): number =>
  Math.max(1, Math.round(channels * factor));

const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);
