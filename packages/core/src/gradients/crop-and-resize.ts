import {
  abs,
  add,
  type CropAndResizeAttrs,
  cast,
  ceil,
  equal,
  expandDims,
  floor,
  type GradConfig,
  gather,
  greaterEqual,
  lessEqual,
  logicalAnd,
  matMul,
  mul,
  range,
  relu,
  reshape,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  tensor1d,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";

/** One axis of the crops: where each element is taken from, as far as it lies inside of the image. */
interface Axis {
  /** `[boxes, crop]`. */
  readonly at: Tensor;
  /** `at = from · begin + to · end` of the box, `[crop]` each. */
  readonly from: Tensor1D;
  readonly to: Tensor1D;
  /** Shares of the image's elements, `[boxes, crop, size]`; zeros for elements from outside. */
  readonly shares: () => Tensor;
  /** The derivative of these along `at`. */
  readonly slopes: () => Tensor;
}

function cropAxis(begin: Tensor, end: Tensor, crop: number, size: number, method: string): Axis {
  const part = (f: (i: number) => number) => tensor1d(Array.from({ length: crop }, (_, i) => f(i)));
  const [from, to] =
    crop > 1
      ? [part((i) => (size - 1) * (1 - i / (crop - 1))), part((i) => ((size - 1) * i) / (crop - 1))]
      : [part(() => (size - 1) / 2), part(() => (size - 1) / 2)];
  const at = add(mul(expandDims(begin, 1), from), mul(expandDims(end, 1), to));
  const inside = () =>
    expandDims(cast(logicalAnd(greaterEqual(at, 0), lessEqual(at, size - 1)), "float32"), -1);
  const elements = range(0, size, 1);
  const hits = (x: Tensor) => cast(equal(expandDims(x, -1), elements), "float32");
  return {
    at,
    from,
    to,
    shares: () => {
      const linear = () => relu(sub(1, abs(sub(expandDims(at, -1), elements))));
      return mul(method === "nearest" ? hits(floor(add(at, 0.5))) : linear(), inside());
    },
    slopes: () => mul(sub(hits(ceil(at)), hits(floor(at))), inside()),
  };
}

/** `[boxes, rows, …]`: along the first axis of each image, `weights` `[boxes, rows, height]` of `[boxes, height, …]`. */
function along(weights: Tensor, x: Tensor, transposed = false): Tensor {
  const [boxes, height, ...rest] = x.shape as [number, number, ...number[]];
  const y = matMul(weights, reshape(x, [boxes, height, x.size / (boxes * height)]), transposed, false);
  return reshape(y, [boxes, y.shape[1]!, ...rest]);
}

const swap = (x: Tensor): Tensor => transpose(x, [0, 2, 1, 3]);

/**
 * The gradients of `image.cropAndResize` with respect to the images (what each pixel gave to the crops) and, where it
 * interpolates, to the boxes. tfjs-core has none.
 */
export const cropAndResizeGradient: GradConfig = {
  kernelName: "CropAndResize",
  inputsToSave: ["image", "boxes", "boxInd"],
  gradFunc: (gradient, saved, attrs) => {
    const [image, boxes, boxInd] = saved as [Tensor, Tensor, Tensor1D];
    const dy = gradient as Tensor;
    const { cropSize, method } = attrs as unknown as CropAndResizeAttrs;
    const [batch, height, width] = image.shape as [number, number, number];
    const count = boxes.shape[0]!;
    const axes = (): [Axis, Axis] => {
      const side = (i: number) => reshape(slice(boxes, [0, i], [count, 1]), [count]);
      return [
        cropAxis(side(0), side(2), cropSize[0], height, method),
        cropAxis(side(1), side(3), cropSize[1], width, method),
      ];
    };
    return {
      image: () => {
        if (count === 0) return zeros(image.shape);
        const [rows, columns] = axes();
        const spread = swap(along(columns.shares(), swap(along(rows.shares(), dy, true)), true));
        // [batch, boxes]: the boxes of each image.
        const owner = cast(equal(reshape(range(0, batch, 1, "int32"), [batch, 1]), boxInd), "float32");
        return reshape(matMul(owner, reshape(spread, [count, image.size / batch])), image.shape);
      },
      boxes: () => {
        if (count === 0 || method === "nearest") return zeros(boxes.shape);
        const [rows, columns] = axes();
        const cut = gather(image, boxInd);
        const slope = (y: Tensor, x: Tensor) => mul(dy, swap(along(x, swap(along(y, cut)))));
        const perRow = sum(slope(rows.slopes(), columns.shares()), [2, 3]); // [boxes, crop]
        const perColumn = sum(slope(rows.shares(), columns.slopes()), [1, 3]);
        const end = (g: Tensor, share: Tensor) => sum(mul(g, share), 1);
        return stack(
          [
            end(perRow, rows.from),
            end(perColumn, columns.from),
            end(perRow, rows.to),
            end(perColumn, columns.to),
          ],
          1,
        );
      },
      boxInd: () => zeros(boxInd.shape),
    };
  },
};
