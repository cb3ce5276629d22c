/**
 * What work costs each provider of products, so that a kernel can take the cheapest of its ways and wake other threads
 * only where they are worth it. All are nanoseconds of one thread, but for those that say otherwise.
 *
 * `npm run costs` measures every number anew and shows it beside the one that stands here, and what the choices that
 * follow from them lose to the fastest way.
 */
export const costs = {
  /** tfjs's own products, and the loops in JavaScript around them. */
  composition: {
    /** A multiplication with its addition. */
    product: 1 / 15.5,
    /** To transpose an element. */
    transpose: 1.05,
    /** To pack an element of a second operand, and of one that leaves the cache; from how many elements on it does. */
    pack: 3.7,
    packUncached: 7.4,
    cached: 2 ** 20,
    /** To gather an element from its place, and to add one up at its place. */
    gather: 1,
    add: 1.2,
    /** To begin a row of sums, and the product of a tap. */
    row: 30,
    tap: 5_000,
    /** To copy an element of a patch in a whole plane, in a row, and to begin a row. */
    copyPlane: 0.5,
    copyInRow: 2.5,
    copyRow: 15,
  },
  /** The companion module. */
  companion: {
    /** A multiplication with its addition. */
    product: 1 / 20,
    /** To pack an element of a second operand. */
    pack: 1,
    /** To copy an element, add one up, or look at one under a window. */
    touch: 0.5,
    /** To find what stands under a tap of a pixel. */
    point: 4,
    /** A job that is worth waking another thread for. */
    worth: 30_000,
    /** Rows of a first operand from which on packing the second pays, and up to which it is read row by row. */
    packFrom: 24,
    thinUpTo: 6,
    /** Channels from which on a convolution takes tap by tap, not all taps of a row at once. */
    channelsOfTap: 16,
  },
};

/** Nanoseconds to pack a second operand for tfjs's products. */
export function packing(elements: number): number {
  const { pack, packUncached, cached } = costs.composition;
  return elements * (elements > cached ? packUncached : pack);
}
