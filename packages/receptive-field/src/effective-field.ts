import { abs, grad, relu, slice, sum, type Tensor, type Tensor4D, tidy } from "@tensorflow/tfjs-core";

/** The smallest square around the centre that holds a share of the mass. */
export interface MassContour {
  /** Share of the mass, 0 … 1. */
  readonly mass: number;
  /** Side of the square in pixels. */
  readonly side: number;
  /** Its area as a share of the input's. */
  readonly area: number;
}

export interface EffectiveField {
  /** Share of the mass at every pixel: the absolute derivative of the unit, over channels and images; rows of columns. */
  readonly rows: readonly Float32Array[];
  /** Centre of mass, `[y, x]`, first pixel 0. */
  readonly center: readonly [y: number, x: number];
  readonly contours: readonly MassContour[];
  /** Pixels with any derivative: the part of the theoretical field that was reached. */
  readonly reached: number;
}

export interface EffectiveFieldOptions {
  /** The unit, `[y, x]`; default the middle one. */
  readonly unit?: readonly [y: number, x: number];
  /** Shares of the mass, default 0.2, 0.3, 0.5, 0.99. */
  readonly masses?: readonly number[];
}

/**
 * The effective receptive field of any function of images: how much each pixel
 * moves one unit, `E |∂ Σ_c relu(f(x))[u, c] / ∂ x|`, over the given images.
 *
 * Unlike the paper, which takes the plain derivative, the absolute one is averaged, so that opposite signs do not hide
 * pixels. The gradients of tfjs-core must be registered.
 *
 * @param f Images `[batch, h, w, c]` to feature maps `[batch, h', w', c']`; its tensors are disposed.
 * @param images Batches of one size; borrowed.
 * @returns Plain data; nothing to dispose.
 * @throws {RangeError} when there is no image, the unit does not exist or no pixel moves it.
 * @see Luo, Li, Urtasun, Zemel 2016, "Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", §2, https://arxiv.org/abs/1701.04128
 */
export async function effectiveField(
  f: (images: Tensor4D) => Tensor4D,
  images: Iterable<Tensor4D> | AsyncIterable<Tensor4D>,
  { unit, masses = [0.2, 0.3, 0.5, 0.99] }: EffectiveFieldOptions = {},
): Promise<EffectiveField> {
  let total: Float64Array | null = null;
  let [height, width] = [0, 0];
  for await (const batch of images) {
    const [, h, w] = batch.shape;
    if (total !== null && (h !== height || w !== width)) {
      throw new RangeError(
        `effectiveField: images: expected one size, got ${height} x ${width} and ${h} x ${w}`,
      );
    }
    [height, width] = [h, w];
    const strength = tidy(() => {
      const response = (x: Tensor): Tensor => {
        const y = f(x as Tensor4D);
        const at = unit ?? [Math.floor(y.shape[1] / 2), Math.floor(y.shape[2] / 2)];
        if (!(at[0] >= 0 && at[0] < y.shape[1] && at[1] >= 0 && at[1] < y.shape[2])) {
          throw new RangeError(
            `effectiveField: unit: expected one of ${y.shape[1]} x ${y.shape[2]}, got ${JSON.stringify(at)}`,
          );
        }
        return sum(relu(slice(y, [0, at[0], at[1], 0], [y.shape[0], 1, 1, y.shape[3]])));
      };
      return sum(abs(grad(response)(batch)), [0, 3]);
    });
    const values = await strength.data();
    strength.dispose();
    total ??= new Float64Array(h * w);
    for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
  }
  if (total === null) throw new RangeError("effectiveField: images: expected at least one batch, got none");
  return describeMass(total, height, width, masses);
}

function describeMass(
  strength: Float64Array,
  height: number,
  width: number,
  masses: readonly number[],
): EffectiveField {
  let mass = 0;
  let [y, x] = [0, 0];
  let reached = 0;
  for (const [at, value] of strength.entries()) {
    mass += value;
    y += value * Math.floor(at / width);
    x += value * (at % width);
    if (value > 0) reached++;
  }
  if (!(mass > 0)) throw new RangeError("effectiveField: f: expected a unit that some pixel moves, got none");
  const center: [number, number] = [y / mass, x / mass];
  const [cy, cx] = center.map(Math.round) as [number, number];
  // Mass by distance from the centre pixel, in the maximum norm: a ring at a time.
  const rings = new Float64Array(Math.max(height, width));
  for (const [at, value] of strength.entries()) {
    rings[Math.max(Math.abs(Math.floor(at / width) - cy), Math.abs((at % width) - cx))]! += value;
  }
  const contours = masses.map((share): MassContour => {
    let held = 0;
    let reach = 0;
    for (; reach < rings.length; reach++) {
      held += rings[reach]!;
      if (held >= share * mass * (1 - 1e-12)) break;
    }
    const side = 2 * Math.min(reach, rings.length - 1) + 1;
    return { mass: share, side, area: (side * side) / (height * width) };
  });
  const scale = 1 / mass;
  const rows = Array.from({ length: height }, (_, row) =>
    Float32Array.from(strength.subarray(row * width, (row + 1) * width), (value) => value * scale),
  );
  return { rows, center, contours, reached };
}
