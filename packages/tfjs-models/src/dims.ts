/**
 * What one dimension of a tensor is to the graph of positions: the batch, an
 * axis of positions, channels (or a factor of them), a dimension of size 1
 * that belongs to no axis, all positions and channels in a row, the batch and
 * all positions merged, or the batch with every `blocks`-th position apart
 * (TensorFlow's way to dilate a convolution).
 */
export type Dim =
  | "batch"
  | "one"
  | "row"
  | "positions"
  | { readonly blocks: readonly number[] }
  | { readonly axis: number }
  | { readonly channels: number | null };

/** A tensor that depends on the input of the network. */
export interface Feature {
  /** The layer of the graph that computes it, or `"input"`. */
  readonly layer: string;
  /** Along an axis that no dimension stands for the size is 1 (but in a row). */
  readonly dims: readonly Dim[];
  /** Units along every axis of the graph. */
  readonly size: readonly (number | null)[];
}

/** Raises the error of the layer or node at hand. */
export type Refuse = (expected: string, got: string) => never;

/** A tensor's shape in messages, with what each dimension is. */
export function showDims({ dims, size }: Feature): string {
  const parts = dims.map((dim) => {
    if (dim === "row") return "positions and channels in a row";
    if (dim === "positions") return "batch and positions merged";
    if (typeof dim === "string") return dim === "one" ? "1" : dim;
    if ("blocks" in dim) return "batch of blocks";
    if ("axis" in dim) return `${size[dim.axis] ?? "?"} positions`;
    return dim.channels === null ? "channels" : `${dim.channels} channels`;
  });
  return `[${parts.join(", ")}]`;
}

export const isAxis = (dim: Dim | undefined): dim is { readonly axis: number } =>
  typeof dim === "object" && "axis" in dim;

export const isChannels = (dim: Dim | undefined): dim is { readonly channels: number | null } =>
  typeof dim === "object" && "channels" in dim;

/** How many channels a tensor has; null where that is not known. */
export function channelsOf({ dims }: Pick<Feature, "dims">): number | null {
  if (dims.includes("row")) return null;
  return product(dims.map((dim) => (isChannels(dim) ? dim.channels : 1)));
}

export function product(factors: readonly (number | null)[]): number | null {
  return factors.reduce((result, factor) => (result === null || factor === null ? null : result * factor), 1);
}

/** How many positions a tensor has: 1 where no dimension stands for an axis. */
export function positionsOf({ dims, size }: Feature): number | null {
  return product(dims.map((dim) => (isAxis(dim) ? size[dim.axis]! : 1)));
}

/** True where the tensor has one position, or none that its dimensions show: [batch, channels]. */
export function isVector(feature: Feature): boolean {
  return feature.dims.every((dim) => dim === "batch" || dim === "one" || isChannels(dim));
}

/** The place of an index that may count from the end, or null. */
export function placeOf(index: number, rank: number): number | null {
  if (!Number.isSafeInteger(index) || index < -rank || index >= rank) return null;
  return index < 0 ? index + rank : index;
}

/**
 * The dimensions of tensors joined element by element, aligned at the end
 * (ones are missing in front), or null where they mean different things.
 */
export function joinedDims(all: readonly (readonly Dim[])[]): Dim[] | null {
  const rank = Math.max(...all.map((dims) => dims.length));
  const joined: Dim[] = [];
  for (let place = 0; place < rank; place++) {
    const known = all.map((dims) => dims[place - rank + dims.length] ?? "one").filter((dim) => dim !== "one");
    const [first] = known;
    if (first !== undefined && !known.every((dim) => sameMeaning(dim, first))) return null;
    const counts = known.filter(isChannels).map(({ channels }) => channels);
    if (counts.length === 0) joined.push(first ?? "one");
    else joined.push({ channels: counts.includes(null) ? null : Math.max(...counts.map(Number)) });
  }
  return joined;
}

function sameMeaning(a: Dim, b: Dim): boolean {
  if (typeof a === "string" || typeof b === "string") return a === b;
  if ("axis" in a) return "axis" in b && a.axis === b.axis;
  return "blocks" in a ? "blocks" in b && a.blocks.join() === b.blocks.join() : "channels" in b;
}

/**
 * The dimensions of tensors put side by side along `place`, which has to be
 * channels or a row; null where their other dimensions differ in meaning.
 */
export function concatenatedDims(
  all: readonly (readonly Dim[])[],
  place: number,
  channels: number | null,
): Dim[] | null {
  const [first] = all;
  const fits = all.every(
    (dims) => dims.length === first!.length && dims.every((dim, i) => sameMeaning(dim, first![i]!)),
  );
  if (!fits) return null;
  return first!.map((dim, i) => (i === place && isChannels(dim) ? { channels } : dim));
}
