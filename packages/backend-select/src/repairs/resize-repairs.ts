import { matMul, reshape, type Tensor, tensor2d } from "@tensorflow/tfjs-core";
import { everywhere, type Repair } from "./repair.js";

interface ResizeAttrs {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

type Weigh = (
  place: number,
  from: number,
  attrs: ResizeAttrs,
) => readonly (readonly [pixel: number, weight: number])[];

const inside = (pixel: number, from: number) => Math.min(from - 1, Math.max(0, pixel));

/** The two neighbours of a place. */
const bilinear: Weigh = (place, from) => {
  const at = inside(place, from);
  const lower = Math.floor(at);
  return [
    [lower, 1 - (at - lower)],
    [Math.ceil(at), at - lower],
  ];
};

/** The pixel that a place lies in; centres lie at half pixels. */
const nearest: Weigh = (place, from, { alignCorners, halfPixelCenters }) => {
  const pixel = alignCorners ? Math.round(place) : Math.floor(halfPixelCenters ? place + 0.5 : place);
  return [[inside(pixel, from), 1]];
};

/** What each of `to` elements has of each of `from` elements, `[to, from]`. */
function sampling(from: number, to: number, attrs: ResizeAttrs, weigh: Weigh): Tensor {
  const corners = attrs.alignCorners && to > 1;
  const [steps, intervals] = corners ? [from - 1, to - 1] : [from, to];
  const half = attrs.halfPixelCenters ? 0.5 : 0;
  const shares = new Float32Array(to * from);
  for (let i = 0; i < to; i++) {
    // Multiplied first: a place that is a whole number comes out as one.
    const place = ((i + half) * steps) / intervals - half;
    for (const [pixel, weight] of weigh(place, from, attrs)) shares[i * from + pixel]! += weight;
  }
  return tensor2d(shares, [to, from]);
}

/**
 * The gradient of a resizing as products with the transposed matrices of both axes. The originals know neither half pixel centres
 * nor, for the nearest neighbour, batches.
 */
const gradient = (kernelName: string, weigh: Weigh): Repair => ({
  kernelName,
  backends: everywhere,
  compute: ({ images, dy }, attrs: ResizeAttrs) => {
    const [batch, height, width, channels] = images!.shape as [number, number, number, number];
    const [, rows, columns] = dy!.shape as [number, number, number, number];
    const [down, across] = [sampling(height, rows, attrs, weigh), sampling(width, columns, attrs, weigh)];
    const byRows = reshape(dy!, [batch, rows, columns * channels]);
    const ofRows = matMul(down, byRows, true, false); // [batch, height, columns · channels]
    const byColumns = reshape(ofRows, [batch * height, columns, channels]);
    return reshape(matMul(across, byColumns, true, false), [batch, height, width, channels]);
  },
});

export const resizeRepairs: readonly Repair[] = [
  gradient("ResizeBilinearGrad", bilinear),
  gradient("ResizeNearestNeighborGrad", nearest),
];
