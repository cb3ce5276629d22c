import {
  channelsOf,
  type Dim,
  type Feature,
  isAxis,
  isChannels,
  positionsOf,
  product,
  type Refuse,
  showDims,
} from "./dims.js";

/**
 * What the dimensions are after a reshape to `target` (batch first; null for
 * a size to be computed). Positions may be laid out in a row, channels split
 * and joined, ones added and removed; whatever would mix positions and
 * channels in another way is refused.
 */
export function reshapedDims(feature: Feature, target: readonly (number | null)[], refuse: Refuse): Dim[] {
  const { dims } = feature;
  const asText = `[${target.map((size) => size ?? "?").join(", ")}] from ${showDims(feature)}`;
  const expected = "a shape that keeps every axis of positions, or lays out everything in a row";
  if (dims.includes("row")) {
    if (target.length === 2) return [...dims];
    return refuse(expected, asText);
  }
  if (dims[0] === "positions") return restored(feature, target) ?? refuse(expected, asText);
  if (target.length === 2) return inTwo(feature, target[1]!) ?? refuse(expected, asText);
  return dims[0] === "batch"
    ? (regrouped(feature, target) ?? refuse(expected, asText))
    : refuse(expected, asText);
}

/** [batch, everything]: a vector where there is one position, else a row; or [batch · positions, channels]. */
function inTwo(feature: Feature, length: number | null): Dim[] | null {
  const channels = channelsOf(feature);
  const positions = positionsOf(feature);
  const all = product([channels, positions]);
  if (all !== null && length !== null && length !== all && length !== channels) return null;
  if (positions === 1) return ["batch", { channels: channels ?? length }];
  if (length !== null && length === channels) return ["positions", { channels }];
  return ["batch", "row"];
}

/** [batch · positions, channels] back to [batch, positions, channels], as before the merging. */
function restored({ dims, size }: Feature, target: readonly (number | null)[]): Dim[] | null {
  const channels = dims[1]!;
  if (target.length === 2) return [...dims];
  const middle = target.slice(1, -1);
  if (middle.length !== size.length) return null;
  if (middle.some((n, axis) => n !== null && size[axis] !== null && n !== size[axis])) return null;
  return ["batch", ...size.map((_, axis) => ({ axis })), channels];
}

/** Both shapes cut into the smallest groups of equal products, ones left out: a group is one axis, or channels. */
function regrouped({ dims, size }: Feature, target: readonly (number | null)[]): Dim[] | null {
  const sizeOf = (dim: Dim) => (isAxis(dim) ? size[dim.axis]! : isChannels(dim) ? dim.channels : 1);
  const from = dims.slice(1).filter((dim) => sizeOf(dim) !== 1);
  const computed = target.indexOf(null, 1);
  const rest = product(target.filter((_, place) => place > 0 && place !== computed));
  const all = product(from.map(sizeOf));
  const to = target.slice(1);
  if (computed > 0 && all !== null && rest !== null) to[computed - 1] = all / rest;
  const result: Dim[] = ["batch"];
  let source = 0;
  for (let place = 0; place < to.length; place++) {
    const length = to[place]!;
    if (length === 1) {
      result.push("one");
      continue;
    }
    const first = from[source];
    if (first === undefined) return null;
    if (isAxis(first)) {
      if (sizeOf(first) !== length) return null;
      result.push(first);
      source++;
      continue;
    }
    // A run of channel dimensions against a run of the target's: only their product has to agree.
    let have = 1;
    while (source < from.length && isChannels(from[source])) have = times(have, sizeOf(from[source++]!));
    let want = 1;
    for (; place < to.length && (Number.isNaN(have) || want < have || to[place] === 1); place++) {
      if (to[place] === 1) {
        result.push("one");
        continue;
      }
      want = times(want, to[place]!);
      result.push({ channels: to[place]! });
    }
    place--;
    if (!Number.isNaN(have) && !Number.isNaN(want) && have !== want) return null;
  }
  return source === from.length ? result : null;
}

const times = (a: number, b: number | null): number => (b === null ? Number.NaN : a * b);
