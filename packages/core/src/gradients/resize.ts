import {
  engine,
  type GradConfig,
  matMul,
  type ResizeBilinearAttrs,
  reshape,
  sum,
  type Tensor,
  type Tensor4D,
  tensor,
  zeros,
} from "@tensorflow/tfjs-core";

type Method = "bilinear" | "nearest";

/** The resizing of one axis as a matrix `[from, to]`: column i says what the resized element i is made of. */
function shares(from: number, to: number, method: Method, attrs: ResizeBilinearAttrs): Tensor {
  const { alignCorners, halfPixelCenters } = attrs;
  const ratio = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  const matrix = new Array<number>(from * to).fill(0);
  const give = (source: number, i: number, share: number) => {
    matrix[Math.min(Math.max(source, 0), from - 1) * to + i]! += share;
  };
  for (let i = 0; i < to; i++) {
    if (method === "nearest") {
      const at = ratio * (halfPixelCenters ? i + 0.5 : i);
      give(alignCorners ? Math.round(at) : Math.floor(at), i, 1);
    } else {
      const at = halfPixelCenters ? ratio * (i + 0.5) - 0.5 : ratio * i;
      const below = Math.floor(at);
      give(below, i, 1 - (at - below));
      give(below + 1, i, at - below);
    }
  }
  return tensor(matrix, [1, from, to]);
}

/** What each source pixel gave, as two products: rows first, then columns. */
function byMatrices(dy: Tensor4D, shape: number[], method: Method, attrs: ResizeBilinearAttrs): Tensor {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const [, rows, columns] = dy.shape;
  const inRows = matMul(shares(height, rows, method, attrs), reshape(dy, [batch, rows, columns * channels]));
  const inColumns = matMul(
    shares(width, columns, method, attrs),
    reshape(inRows, [batch * height, columns, channels]),
  );
  return reshape(inColumns, shape);
}

/** Enlarged by whole numbers every pixel became a block, whose sum is taken. */
function byBlocks(dy: Tensor4D, shape: number[]): Tensor {
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const [, rows, columns] = dy.shape;
  const inRows = sum(reshape(dy, [batch * height, rows / height, columns * channels]), 1);
  return reshape(sum(reshape(inRows, [batch * height * width, columns / width, channels]), 1), shape);
}

/**
 * The gradients of `resizeBilinear` and `resizeNearestNeighbor`: what each source pixel gave to the resized ones.
 *
 * Unlike tfjs-core, whose kernels know no half pixel centers, mix up the images of a batch (nearest) and refuse images
 * that are not square (bilinear), each on some backends.
 */
export const resizeGradients: readonly GradConfig[] = [
  {
    kernelName: "ResizeBilinear",
    inputsToSave: ["images"],
    gradFunc: (gradient, saved, attrs) => {
      const images = saved[0] as Tensor4D;
      const dy = gradient as Tensor4D;
      const typed = attrs as unknown as ResizeBilinearAttrs;
      return {
        images: () =>
          typed.halfPixelCenters
            ? byMatrices(dy, images.shape, "bilinear", typed)
            : // The kernel of the cpu backend names its result `[b, w, h, c]`; the values are in the right order.
              reshape(
                engine().runKernel("ResizeBilinearGrad", { dy, images }, attrs) as Tensor,
                images.shape,
              ),
      };
    },
  },
  {
    kernelName: "ResizeNearestNeighbor",
    inputsToSave: ["images"],
    gradFunc: (gradient, saved, attrs) => {
      const { shape } = saved[0] as Tensor4D;
      const dy = gradient as Tensor4D;
      const typed = attrs as unknown as ResizeBilinearAttrs;
      const whole = dy.shape[1] % shape[1]! === 0 && dy.shape[2] % shape[2]! === 0;
      return {
        images: () =>
          whole && !typed.alignCorners ? byBlocks(dy, shape) : byMatrices(dy, shape, "nearest", typed),
      };
    },
  },
];

/** The gradients of the kernels that compute the gradients of resizing: resizing. tfjs-core has none. */
export const resizeBackpropGradients: readonly GradConfig[] = [
  ["ResizeBilinearGrad", "ResizeBilinear"] as const,
  ["ResizeNearestNeighborGrad", "ResizeNearestNeighbor"] as const,
].map(([kernelName, resize]) => ({
  kernelName,
  inputsToSave: ["dy", "images"],
  gradFunc: (gradient, saved, attrs) => {
    const [dy, images] = saved as [Tensor, Tensor];
    const size = dy.shape.slice(1, 3);
    return {
      dy: () =>
        engine().runKernel(
          resize,
          // As above, the cpu backend has named the axes in another order.
          { images: reshape(gradient as Tensor, images.shape) },
          { ...attrs, halfPixelCenters: false, size },
        ) as Tensor,
      images: () => zeros(images.shape),
    };
  },
}));
