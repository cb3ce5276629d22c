/** What the ways to compute a convolution and its gradients cost, so that each kernel can take the cheapest. */
import { costs, packing } from "../costs.js";
import { sizeOf } from "../heap.js";
import { outputsInside, type SlidingWindow } from "../window.js";

/** The columns of a product are computed in eights. */
const eights = (columns: number) => Math.ceil(columns / 8) * 8;

/** How many pairs there are over all taps. */
function countPairs(window: SlidingWindow): number {
  let pairs = window.batch;
  for (const axis of [0, 1, 2] as const) {
    let inside = 0;
    for (let k = 0; k < window.taps[axis]; k++) {
      const [begin, end] = outputsInside(window, axis, k);
      inside += end - begin;
    }
    pairs *= inside;
  }
  return pairs;
}

/** In nanoseconds: `whole` are the stock convolution and patches of whole images, `taps` a product for each tap. */
export interface ConvolutionCosts {
  readonly forward: { readonly whole: number; readonly taps: number };
  /** `convolved`: as a convolution of `dy`, if the stride is 1; `spread`: as patches that are added up. */
  readonly inputGradient: { readonly convolved: number; readonly spread: number; readonly taps: number };
  readonly filterGradient: { readonly whole: number; readonly taps: number };
}

export function convolutionCosts(window: SlidingWindow, outChannels: number): ConvolutionCosts {
  const { batch, channels } = window;
  const size = (axes: readonly number[]) => sizeOf(axes as number[]);
  const [pixels, outputs] = [batch * size(window.image), batch * size(window.output)];
  const taps = size(window.taps);
  const pairs = countPairs(window);
  const filter = taps * channels * outChannels;
  const { product, transpose, gather, add, row, tap, pack } = costs.composition;
  const packed = packing(filter);
  const isUnit = window.stride.every((step) => step === 1);
  const tapProducts = taps * tap + pairs * channels * outChannels * product;
  return {
    forward: {
      whole: packed + outputs * taps * channels * eights(outChannels) * product,
      taps: filter * transpose + pairs * ((gather + pack) * channels + add * outChannels) + tapProducts,
    },
    inputGradient: {
      convolved: isUnit
        ? filter * transpose + packed + pixels * taps * outChannels * eights(channels) * product
        : Number.POSITIVE_INFINITY,
      spread:
        filter * transpose +
        packed +
        outputs * taps * (channels * (outChannels * product + add) + row / window.taps[2]),
      taps: pairs * ((gather + pack) * outChannels + add * channels) + tapProducts,
    },
    filterGradient: {
      whole:
        packing(outputs * outChannels) +
        outputs * taps * channels * (eights(outChannels) * product + gather) +
        add * filter,
      taps: pairs * (gather * channels + (gather + pack) * outChannels) + tapProducts,
    },
  };
}
