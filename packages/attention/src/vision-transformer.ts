import { expectShape, normalTensor } from "@gradlab/core";
import {
  add,
  reshape,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tidy,
  transpose,
} from "@tensorflow/tfjs-core";
import { type Dropout, dropout, dropoutOf, expectDropout } from "./dropout.js";
import { rangeMismatch, typeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectInteger } from "./expect-values.js";
import { initLinear, type LinearParams, linear } from "./linear.js";
import { meanPool } from "./set-pooling.js";
import { initTransformer, type TransformerParams, transformer } from "./transformer.js";

/** What a vision transformer is made of; plain data, to be kept beside its parameters. */
export interface VisionTransformerConfig {
  /** Height and width of images, multiples of `patch`. */
  readonly size: readonly [height: number, width: number];
  readonly channels: number;
  /** The side of a patch. */
  readonly patch: number;
  readonly classes: number;
  readonly width: number;
  readonly layers: number;
  /** A divisor of the width. */
  readonly heads: number;
  /** Units of a feed-forward part; `4 * width` unless given. */
  readonly hidden?: number;
}

export interface VisionTransformerParams {
  /** A patch as a token, `[patch * patch * channels, width]`. */
  readonly patches: LinearParams;
  /** A row per patch, `[patches, width]`. */
  readonly positions: Tensor2D;
  readonly encoder: TransformerParams;
  /** `[width, classes]`. */
  readonly head: LinearParams;
}

/**
 * A vision transformer before any training: Xavier-uniform, positions of N(0, 0.02²).
 *
 * @returns The caller disposes it.
 * @throws {TypeError | RangeError} when the configuration is not as stated.
 */
export function initVisionTransformer(
  config: VisionTransformerConfig,
  { seed = 0 }: { readonly seed?: number } = {},
): VisionTransformerParams {
  const count = countPatches("initVisionTransformer", config);
  const { channels, patch, classes, width, layers, heads, hidden } = config;
  const positions = { seed, purpose: "vision.positions", std: 0.02 };
  return {
    patches: initLinear(patch * patch * channels, width, { seed, purpose: "vision.patches" }),
    positions: normalTensor([count, width], positions) as Tensor2D,
    encoder: initTransformer({
      ...{ width, heads, layers, seed, purpose: "vision.encoder" },
      ...(hidden !== undefined && { hidden }),
    }),
    head: initLinear(width, classes, { seed, purpose: "vision.head" }),
  };
}

/**
 * Classifies images as sets of patches: each patch becomes a token, positions are added, an encoder's tokens are averaged
 * and become logits.
 *
 * Unlike the paper, there is no class token: the mean of all tokens does as well.
 *
 * @param images `[batch, height, width, channels]`.
 * @returns Logits, `[batch, classes]`; the caller disposes them.
 * @throws {ShapeError} when images or parameters are not those of the configuration.
 * @throws {TypeError | RangeError} when the configuration is not as stated.
 * @see Dosovitskiy et al. 2021, §3.1, https://arxiv.org/abs/2010.11929; Beyer et al. 2022 (mean instead of a class token),
 *   https://arxiv.org/abs/2205.01580
 */
export function applyVisionTransformer(
  params: VisionTransformerParams,
  images: Tensor4D,
  config: VisionTransformerConfig,
  options: { readonly dropout?: Dropout } = {},
): Tensor2D {
  const where = "applyVisionTransformer";
  expectOptions(where, options, ["dropout"]);
  const { dropout: dropped } = options;
  if (dropped !== undefined) expectDropout(`${where}: dropout`, dropped);
  const count = countPatches(where, config);
  const { size, channels, patch, width, heads, classes } = config;
  expectShape(`${where}: images`, images, [null, ...size, channels]);
  if (images.size === 0) throw rangeMismatch(`${where}: images`, "at least one", 0);
  expectShape(`${where}: params.positions`, params.positions, [count, width]);
  expectShape(`${where}: params.head.kernel`, params.head.kernel, [width, classes]);
  return tidy(() => {
    const tokens = add(linear(params.patches, patchesOf(images, patch)), params.positions) as Tensor3D;
    const more = dropped === undefined ? {} : { dropout: dropped };
    const x = dropped === undefined ? tokens : dropout(tokens, dropoutOf(dropped, "embedding"));
    return linear(params.head, meanPool(transformer(params.encoder, x, { heads, ...more })));
  });
}

/** `[batch, patches, patch * patch * channels]`, row by row; pixels of a patch in the order y, x, channel. */
function patchesOf(images: Tensor4D, patch: number): Tensor3D {
  const [batch, height, width, channels] = images.shape;
  const [rows, columns] = [height / patch, width / patch];
  // Rows of patches, their lines, the patches in a line, their pixels in it.
  const lines = reshape(images, [batch * rows, patch, columns, patch * channels]);
  return reshape(transpose(lines, [0, 2, 1, 3]), [batch, rows * columns, patch * patch * channels]);
}

const known = ["size", "channels", "patch", "classes", "width", "layers", "heads", "hidden"];

function countPatches(where: string, config: VisionTransformerConfig): number {
  expectOptions(where, config, known, "config");
  const { size, channels, patch, classes, width, layers, heads, hidden } = config;
  const sizes = { channels, patch, classes, width, layers, heads };
  if (hidden !== undefined) expectInteger(`${where}: config.hidden`, hidden, 1);
  if (!Array.isArray(size) || size.length !== 2) {
    throw typeMismatch(`${where}: config.size`, "[height, width]", size);
  }
  for (const [name, value] of Object.entries(sizes)) {
    expectInteger(`${where}: config.${name}`, value, 1);
  }
  for (const side of size) {
    expectInteger(`${where}: config.size`, side, 1);
    if (side % patch !== 0)
      throw rangeMismatch(`${where}: config.size`, `multiples of the patch ${patch}`, side);
  }
  return (size[0] / patch) * (size[1] / patch);
}
