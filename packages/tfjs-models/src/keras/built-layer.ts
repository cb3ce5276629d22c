import type { Fields } from "../json-fields.js";
import { type Shape, sizeOf } from "../model-shape.js";

/** A weight of a layer, with null for a size that is not known. */
export interface LayerWeight {
  readonly name: string;
  readonly shape: Shape;
  readonly trainable: boolean;
}

/** What a layer makes of its inputs, in shapes without the batch. */
export interface BuiltLayer {
  readonly output: Shape | null;
  /** Of the states that a recurrent layer returns beside it. */
  readonly states?: readonly Shape[];
  readonly weights: readonly LayerWeight[];
  /** Window of a convolution or pooling. */
  readonly kernel?: readonly number[];
  /** Multiplications and additions for one image; 0 unless given. */
  readonly macs?: number | null;
}

export interface ShapesAt {
  readonly className: string;
  readonly config: Fields;
  /** Shapes without the batch; null where one is not known. */
  readonly inputs: readonly (Shape | null)[];
}

export type Build = (at: ShapesAt) => BuiltLayer;

export const dataFormats = ["channels_last", "channels_first"] as const;

export const isChannelsFirst = ({ config }: ShapesAt) =>
  config.word("data_format", dataFormats, "channels_last") === "channels_first";

export const weight = (name: string, shape: Shape, trainable = true): LayerWeight => ({
  name,
  shape,
  trainable,
});

export const biasOf = ({ config }: ShapesAt, units: number | null, fallback = true) =>
  config.flag("use_bias", fallback) ? [weight("bias", [units])] : [];

/** Positions and channels of the only input; null where they are not known. */
export function gridOf(at: ShapesAt, rank: number): { size: Shape; channels: number | null } {
  const shape = at.inputs[0] ?? null;
  if (shape === null) return { size: Array<null>(rank).fill(null), channels: null };
  if (shape.length !== rank + 1) {
    at.config.fail("inputs", `${rank} axes and channels`, shape.map((size) => size ?? "?").join("x"));
  }
  return isChannelsFirst(at)
    ? { size: shape.slice(1), channels: shape[0]! }
    : { size: shape.slice(0, -1), channels: shape[rank]! };
}

export const laidOut = (at: ShapesAt, size: Shape, channels: number | null): Shape =>
  isChannelsFirst(at) ? [channels, ...size] : [...size, channels];

export const known = (at: ShapesAt, shape: Shape): Shape | null =>
  (at.inputs[0] ?? null) === null ? null : shape;

export const times = (...factors: readonly (number | null)[]): number | null => sizeOf(factors);
