import {
  add,
  cast,
  clipByValue,
  concat,
  div,
  equal,
  floor,
  type GradConfig,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  mul,
  neg,
  ones,
  onesLike,
  range,
  reshape,
  scalar,
  scatterND,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type TransformAttrs,
  tensor,
  where,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";

/** Places along one axis of an image, and how they change with the place that the transform asked for. */
interface Mapped {
  readonly at: Tensor;
  readonly slope: Tensor;
}

/** The place inside of an axis of `size` that stands for one outside. */
function mapped(asked: Tensor, size: number, fillMode: TransformAttrs["fillMode"]): Mapped {
  if (fillMode === "constant") return { at: asked, slope: onesLike(asked) };
  const below = less(asked, 0);
  const above = greater(asked, size - 1);
  let folded: Tensor = asked;
  let slope: Tensor = onesLike(asked);
  if (fillMode !== "nearest" && size <= 1) {
    folded = zerosLike(asked);
  } else if (fillMode === "reflect") {
    const period = 2 * size;
    const near = add(asked, mul(period, floor(div(neg(asked), period))));
    const beyond = less(near, -size);
    const left = where(beyond, add(near, period), sub(neg(near), 1));
    const far = sub(asked, mul(period, floor(div(asked, period))));
    const turned = greaterEqual(far, size);
    const right = where(turned, sub(sub(period, far), 1), far);
    const down = neg(onesLike(asked));
    folded = where(below, left, where(above, right, asked));
    slope = where(below, where(beyond, slope, down), where(above, where(turned, down, slope), slope));
  } else if (fillMode === "wrap") {
    const left = add(asked, mul(size, add(floor(div(neg(asked), size - 1)), 1)));
    const right = sub(asked, mul(size, floor(div(asked, size - 1))));
    folded = where(below, left, where(above, right, asked));
  }
  const free = logicalAnd(greaterEqual(folded, 0), lessEqual(folded, size - 1));
  return { at: clipByValue(folded, 0, size - 1), slope: where(free, slope, zerosLike(slope)) };
}

/** One of the pixels that an output is made of: `[batch, outputs]` each. */
interface Corner {
  readonly y: Tensor;
  readonly x: Tensor;
  readonly share: Tensor;
  /** The derivatives of the share along y and x. */
  readonly perY: Tensor;
  readonly perX: Tensor;
}

function corners(y: Tensor, x: Tensor, interpolation: TransformAttrs["interpolation"]): Corner[] {
  const whole = ones(y.shape);
  const none = zeros(y.shape);
  if (interpolation === "nearest") {
    return [{ y: floor(add(y, 0.5)), x: floor(add(x, 0.5)), share: whole, perY: none, perX: none }];
  }
  const ends = (at: Tensor) => {
    const first = floor(at);
    const rest = sub(at, first);
    return [
      { at: first, share: sub(1, rest), slope: neg(whole) },
      { at: add(first, 1), share: rest, slope: whole },
    ];
  };
  return ends(y).flatMap((row) =>
    ends(x).map((column) => ({
      y: row.at,
      x: column.at,
      share: mul(row.share, column.share),
      perY: mul(row.slope, column.share),
      perX: mul(row.share, column.slope),
    })),
  );
}

/**
 * The gradients of `image.transform` with respect to the images and to the eight numbers of each projection: outputs
 * are made of the pixels around the place that the projection asks for. tfjs-core has none.
 */
export const transformGradient: GradConfig = {
  kernelName: "Transform",
  inputsToSave: ["image", "transforms"],
  gradFunc: (gradient, saved, attrs) => {
    const [image, transforms] = saved as [Tensor, Tensor];
    const { interpolation, fillMode, fillValue } = attrs as unknown as TransformAttrs;
    const [batch, height, width, channels] = image.shape as [number, number, number, number];
    const [, rows, columns] = (gradient as Tensor).shape as [number, number, number, number];
    const outputs = rows * columns;
    const dy = reshape(gradient as Tensor, [batch, outputs, channels]);
    const lines = () => {
      const grid = (f: (i: number) => number) =>
        tensor(
          Array.from({ length: outputs }, (_, i) => f(i)),
          [1, outputs],
        );
      const [outX, outY] = [grid((i) => i % columns), grid((i) => Math.floor(i / columns))];
      const entry = (i: number) => slice(transforms, [0, i], [transforms.shape[0]!, 1]);
      const line = (i: number) => add(mul(entry(i), outX), mul(entry(i + 1), outY));
      const depth = add(line(6), 1);
      const finite = sub(1, cast(equal(depth, 0), "float32"));
      const safe = where(equal(depth, 0), scalar(1), depth);
      const every = (x: Tensor) => add(x, zeros([batch, outputs]));
      const x = every(div(add(line(0), entry(2)), safe));
      const y = every(div(add(line(3), entry(5)), safe));
      return { outX, outY, safe, finite, x, y };
    };
    const owners = () => reshape(range(0, batch, 1, "int32"), [batch, 1]);
    const pixels = (corner: Corner) => {
      const within = (at: Tensor, size: number) => logicalAnd(greaterEqual(at, 0), lessEqual(at, size - 1));
      const inside = logicalAnd(within(corner.y, height), within(corner.x, width));
      const whole = (at: Tensor, size: number) => cast(clipByValue(at, 0, size - 1), "int32");
      const place = add(mul(whole(corner.y, height), scalar(width, "int32")), whole(corner.x, width));
      const at = add(mul(owners(), scalar(height * width, "int32")), place);
      return { inside, at: reshape(at, [batch * outputs]) as Tensor1D };
    };
    return {
      image: () => {
        const { x, y, finite } = lines();
        const places = corners(
          mapped(y, height, fillMode).at,
          mapped(x, width, fillMode).at,
          interpolation,
        ).map((corner) => {
          const { inside, at } = pixels(corner);
          const share = mul(mul(corner.share, cast(inside, "float32")), finite);
          return {
            at,
            given: reshape(mul(dy, reshape(share, [batch, outputs, 1])), [batch * outputs, channels]),
          };
        });
        const at = concat(places.map((place) => place.at));
        const given = concat(places.map((place) => place.given));
        return reshape(
          scatterND(reshape(at, [at.size, 1]), given, [batch * height * width, channels]),
          image.shape,
        );
      },
      transforms: () => {
        const { outX, outY, safe, finite, x, y } = lines();
        const [inY, inX] = [mapped(y, height, fillMode), mapped(x, width, fillMode)];
        const flat = reshape(image, [batch * height * width, channels]);
        let perY: Tensor = zeros([batch, outputs]);
        let perX: Tensor = perY;
        for (const corner of corners(inY.at, inX.at, interpolation)) {
          const { inside, at } = pixels(corner);
          const read = reshape(gather(flat, at), [batch, outputs, channels]);
          const value = where(reshape(inside, [batch, outputs, 1]), read, scalar(fillValue));
          const effect = sum(mul(dy, value), 2);
          perY = add(perY, mul(effect, corner.perY));
          perX = add(perX, mul(effect, corner.perX));
        }
        const gradient = (per: Tensor, { slope }: Mapped) => div(mul(mul(per, slope), finite), safe);
        const [gy, gx] = [gradient(perY, inY), gradient(perX, inX)];
        const depth = neg(add(mul(gx, x), mul(gy, y)));
        const total = (g: Tensor, by: Tensor | number) => sum(mul(g, by), 1);
        const all = stack(
          [
            total(gx, outX),
            total(gx, outY),
            total(gx, 1),
            total(gy, outX),
            total(gy, outY),
            total(gy, 1),
            total(depth, outX),
            total(depth, outY),
          ],
          1,
        );
        return transforms.shape[0] === 1 ? sum(all, 0, true) : all;
      },
    };
  },
};
