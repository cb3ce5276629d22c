import { dropoutMask } from "@gradlab/core";
import {
  add,
  cast,
  concat,
  customGrad,
  div,
  engine,
  exp,
  fill,
  type GradSaveFunc,
  greater,
  log,
  matMul,
  max,
  maximum,
  mul,
  reshape,
  slice,
  sub,
  sum,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { alibiPart, alibiSlopes, withAlibi } from "./alibi.js";
import { attend, planAttention } from "./attend.js";
import type { Dropout } from "./dropout.js";
import { expectFinite } from "./expect-argument.js";
import { expectInteger } from "./expect-values.js";
import {
  type Masking,
  maskingOptions,
  placesOf,
  type ScorePart,
  type Sizes,
  scoreAxes,
  scoreMask,
} from "./score-mask.js";
import { tidyRecord } from "./tidy-record.js";

export interface AttendInChunksOptions extends Masking {
  /** As in `attend`. */
  readonly scale?: number;
  /** As in `attend`: the same key drops the same weights, whatever the chunk. */
  readonly dropout?: Dropout;
  /** How many keys at a time, at least 1; 64 unless given. */
  readonly chunk?: number;
}

const chunkOptions = [...maskingOptions, "scale", "dropout", "chunk"];

/**
 * `attend` in memory that grows with `t · chunk` instead of `t · s`: keys and values come in chunks, and the softmax is
 * carried along. With the largest score m so far, `l = Σ exp(score - m)` and `o = Σ exp(score - m) v`, a chunk makes
 * `m' = max(m, max score)`, multiplies l and o by `exp(m - m')` and adds its own; the result is `o / l`.
 *
 * For the gradient only q, k, v, the output and `m + log l` are kept: each chunk computes its weights P again from
 * them, and `dS = P ∘ (dO vᵀ - Σ dO ∘ O)`. What a query does not see because of positions (`causal`, `window`) is not
 * computed, in whole chunks. Dropout multiplies P by a mask M that is made for each chunk, forward and backward, from its
 * key alone: then `dS = P ∘ (M ∘ dO vᵀ - Σ dO ∘ O)`. Where a second derivative is taken, all is computed at once.
 *
 * @param q Queries, `[batch, heads, t, d]`, or `[batch, t, d]`.
 * @param k Keys, as in `attend`.
 * @param v Values, as in `attend`.
 * @returns What `attend` returns, up to rounding; the caller disposes it.
 * @throws As `attend`; {RangeError} when `chunk` is out of range.
 * @see Rabe and Staats 2021, §2, https://arxiv.org/abs/2112.05682; Dao et al. 2022, algorithms 1 and 4,
 *   https://arxiv.org/abs/2205.14135
 */
export function attendInChunks<T extends Tensor>(q: T, k: T, v: T, options: AttendInChunksOptions = {}): T {
  return inChunks("attendInChunks", q, k, v, options, false);
}

/** The same, where asked for with the bias of ALiBi too, which is made for each chunk. */
export function inChunks<T extends Tensor>(
  where: string,
  q: T,
  k: T,
  v: T,
  options: AttendInChunksOptions,
  alibi: boolean,
): T {
  const sizes = planAttention(where, q, k, v, options, chunkOptions);
  const { chunk = 64, scale = 1 / Math.sqrt(sizes.d), dropout } = options;
  expectInteger(`${where}: chunk`, chunk, 1);
  expectFinite(`${where}: scale`, scale);
  const { batch, heads, groups, t, s, d, e, plain } = sizes;
  // The gradient by hand has none of its own.
  if (engine().state.gradientDepth > 1) {
    const { chunk: _, ...rest } = options;
    return attend(q, k, v, alibi ? withAlibi(rest, sizes) : rest);
  }
  const { mask, keyMask, bias, ...masking } = options;
  const plan: Plan = {
    ...{ sizes, scale, masking, parts: partsOf(options, sizes, chunk) },
    slopes: alibi ? alibiSlopes(heads) : null,
    dropped: dropout === undefined || dropout.rate === 0 ? null : dropout,
  };
  const masksOf = (mask: Tensor | undefined, keyMask: Tensor | undefined) => ({
    ...(mask !== undefined && { mask: mask as Tensor4D }),
    ...(keyMask !== undefined && { keyMask: keyMask as Tensor2D }),
  });
  return tidy(() => {
    const masks = masksOf(mask && scoreAxes(mask, sizes), keyMask);
    const attention = customGrad((...given: (Tensor | GradSaveFunc)[]) => {
      const save = given.at(-1) as GradSaveFunc;
      const [q, k, v, bias] = given.slice(0, -1) as [Tensor4D, Tensor4D, Tensor4D, Tensor4D?];
      const inputs = { q, k, v, ...(bias !== undefined && { bias }) };
      const { output, logSum } = forward(plan, { ...inputs, ...masks });
      // Masks have no gradient, but may be gone when it is asked for.
      save([...Object.values(inputs), output, logSum, ...Object.values(masks)]);
      return {
        value: output,
        gradFunc: (dy: Tensor, saved: Tensor[]) => {
          const [q, k, v, ...rest] = saved as [Tensor4D, Tensor4D, Tensor4D, ...Tensor4D[]];
          const known = { q, k, v, ...(bias !== undefined && { bias: rest.shift()! }) };
          const [output, logSum, ...kept] = rest as [Tensor4D, Tensor4D, ...Tensor[]];
          const again = masksOf(mask && kept[0], keyMask && kept.at(-1));
          return backward(plan, { ...known, ...again }, output, logSum, dy as Tensor4D);
        },
      };
    });
    const output = attention(
      reshape(q, [batch, heads, t, d]),
      reshape(k, [batch, groups, s, d]),
      reshape(v, [batch, groups, s, e]),
      ...(bias === undefined ? [] : [scoreAxes(bias, sizes)]),
    );
    return reshape(output, plain ? [batch, t, e] : [batch, heads, t, e]);
  }) as T;
}

/** What chunks are cut of; the axes of scores where it is a bias or a mask. */
interface Inputs {
  readonly q: Tensor4D;
  readonly k: Tensor4D;
  readonly v: Tensor4D;
  readonly bias?: Tensor4D;
  readonly mask?: Tensor4D;
  readonly keyMask?: Tensor2D;
}

interface Plan {
  readonly sizes: Sizes;
  readonly scale: number;
  /** What goes by positions. */
  readonly masking: Omit<Masking, "mask" | "keyMask" | "bias">;
  /** Of ALiBi, where it is asked for. */
  readonly slopes: readonly number[] | null;
  /** null where nothing is. */
  readonly dropped: Dropout | null;
  readonly parts: readonly ScorePart[];
}

/** Chunks of keys, each with the queries that can see some of them; none where `first` is `last`. */
function partsOf(masking: Masking, { t, s }: Sizes, chunk: number): ScorePart[] {
  const places = placesOf(masking);
  return Array.from({ length: Math.ceil(s / chunk) }, (_, i) => {
    const [from, to] = [i * chunk, Math.min(s, (i + 1) * chunk)];
    if (places === null) return { from, to, first: 0, last: t };
    const { start, before, after } = places;
    // A query at p sees from p - before to p + after.
    const first = Math.min(t, Math.max(0, from - after - start));
    const last = Math.max(first, Math.min(t, to + before - start));
    return { from, to, first, last };
  });
}

/** Scores that hide a key; finite, so that no difference is NaN. */
const never = -1e30;

/** Rows of queries, `[batch, heads, n, …]`. */
const rowsOf = (x: Tensor4D, { first, last }: ScorePart): Tensor4D =>
  first === 0 && last === x.shape[2] ? x : slice(x, [0, 0, first, 0], [-1, -1, last - first, -1]);

/** Keys or values, `[batch, groups, n, …]`. */
const keysOf = (x: Tensor4D, { from, to }: ScorePart): Tensor4D =>
  from === 0 && to === x.shape[2] ? x : slice(x, [0, 0, from, 0], [-1, -1, to - from, -1]);

/** `x` with other rows in the place of those of a part. */
function withRows(x: Tensor4D, rows: Tensor4D, { first, last }: ScorePart): Tensor4D {
  const t = x.shape[2];
  const pieces = [
    ...(first > 0 ? [slice(x, [0, 0, 0, 0], [-1, -1, first, -1])] : []),
    rows,
    ...(last < t ? [slice(x, [0, 0, last, 0], [-1, -1, t - last, -1])] : []),
  ];
  return pieces.length === 1 ? rows : concat(pieces, 2);
}

/** The heads that share keys below each other, `[batch, groups, heads / groups * n, …]`, and back. */
const grouped = (x: Tensor4D, groups: number): Tensor4D => {
  const [batch, heads, n, size] = x.shape;
  return reshape(x, [batch, groups, (heads / groups) * n, size]);
};

/** The scores of a part, `[batch, heads, queries, keys]`. */
function scoresOf({ sizes, scale, masking, slopes }: Plan, inputs: Inputs, part: ScorePart): Tensor4D {
  const { q, k, v: _, ...masks } = inputs;
  const { batch, heads, groups } = sizes;
  const shape = [batch, heads, part.last - part.first, part.to - part.from] as const;
  const scores = tidy(() => {
    const rows = mul(rowsOf(q, part), scale) as Tensor4D;
    return reshape(matMul(grouped(rows, groups), keysOf(k, part), false, true), [...shape]) as Tensor4D;
  });
  const { added } = scoreMask({ ...masking, ...masks }, { ...sizes, plain: false }, part);
  const moved = slopes === null ? scores : add(scores, alibiPart(slopes, masking.queryStart ?? 0, part));
  return (added === null ? moved : add(moved, added)) as Tensor4D;
}

/** What the weights of a part are multiplied by, `[batch, heads, queries, keys]`. */
function maskOf({ rate, ...key }: Dropout, { batch, heads, t, s }: Sizes, part: ScorePart): Tensor4D {
  const { first, last, from, to } = part;
  const block = { begin: [0, 0, first, from], size: [batch, heads, last - first, to - from] };
  return dropoutMask([batch, heads, t, s], rate, key, block) as Tensor4D;
}

function forward(plan: Plan, inputs: Inputs): { output: Tensor4D; logSum: Tensor4D } {
  const { dropped } = plan;
  const { batch, heads, groups, t, e } = plan.sizes;
  const { v } = inputs;
  let carried = {
    most: fill([batch, heads, t, 1], never) as Tensor4D,
    total: zeros([batch, heads, t, 1]) as Tensor4D,
    mixed: zeros([batch, heads, t, e]) as Tensor4D,
  };
  for (const part of plan.parts) {
    if (part.first === part.last) continue;
    const next = tidyRecord(() => {
      const before = rowsOf(carried.most, part);
      const { most, powers } = tidyRecord(() => {
        const scores = scoresOf(plan, inputs, part);
        const most = maximum(before, max(scores, 3, true)) as Tensor4D;
        return { most, powers: exp(sub(scores, most)) as Tensor4D };
      });
      const faded = exp(sub(before, most));
      const products = tidy(() => {
        const kept = dropped === null ? powers : (mul(powers, maskOf(dropped, plan.sizes, part)) as Tensor4D);
        return matMul(grouped(kept, groups), keysOf(v, part));
      });
      const values = reshape(products, [batch, heads, part.last - part.first, e]);
      const total = add(mul(rowsOf(carried.total, part), faded), sum(powers, 3, true)) as Tensor4D;
      const mixed = add(mul(rowsOf(carried.mixed, part), faded), values) as Tensor4D;
      return {
        most: withRows(carried.most, most, part),
        total: withRows(carried.total, total, part),
        mixed: withRows(carried.mixed, mixed, part),
      };
    });
    for (const tensor of Object.values(carried)) tensor.dispose();
    carried = next;
  }
  const { most, total, mixed } = carried;
  // 1 where a query has seen a key. What the others have gathered from keys that they do not see is left out.
  const seen = cast(greater(most, never / 10), "float32");
  const least = maximum(total, 1e-30);
  return {
    output: mul(div(mixed, least), seen) as Tensor4D,
    // So large where nothing was seen that every weight is computed as 0 again.
    logSum: add(mul(add(most, log(least)), seen), mul(sub(1, seen), -never)) as Tensor4D,
  };
}

function backward(plan: Plan, inputs: Inputs, output: Tensor4D, logSum: Tensor4D, dy: Tensor4D): Tensor[] {
  const { sizes, scale, dropped, parts } = plan;
  const { batch, groups } = sizes;
  const { q, k, v, bias } = inputs;
  const along = sum(mul(dy, output), 3, true) as Tensor4D;
  let dq = zeros(q.shape) as Tensor4D;
  const dks: Tensor4D[] = [];
  const dvs: Tensor4D[] = [];
  const dBiases: Tensor4D[] = [];
  for (const part of parts) {
    const nothing = (size: number) => zeros([batch, groups, part.to - part.from, size]) as Tensor4D;
    if (part.first === part.last) {
      dks.push(nothing(sizes.d));
      dvs.push(nothing(sizes.e));
      if (bias !== undefined) dBiases.push(biasPart(bias, null, part));
      continue;
    }
    const found = tidyRecord(() => {
      // Each intermediate result goes as soon as it is used: they are the peak.
      const weights = tidy(() => exp(sub(scoresOf(plan, inputs, part), rowsOf(logSum, part)))) as Tensor4D;
      const rows = grouped(rowsOf(dy, part), groups);
      const mask = dropped === null ? null : maskOf(dropped, sizes, part);
      const dScores = tidy(() => {
        const dKept = reshape(matMul(rows, keysOf(v, part), false, true), weights.shape);
        const dWeights = mask === null ? dKept : mul(dKept, mask);
        return mul(weights, sub(dWeights, rowsOf(along, part)));
      }) as Tensor4D;
      const kept = mask === null ? weights : (mul(weights, mask) as Tensor4D);
      const dProducts = mul(grouped(dScores, groups), scale) as Tensor4D;
      const dRows = reshape(matMul(dProducts, keysOf(k, part)), rowsOf(q, part).shape) as Tensor4D;
      return {
        dq: withRows(dq, add(rowsOf(dq, part), dRows), part),
        dk: matMul(dProducts, grouped(rowsOf(q, part), groups), true, false) as Tensor4D,
        dv: matMul(grouped(kept, groups), rows, true, false) as Tensor4D,
        ...(bias !== undefined && { dBias: biasPart(bias, dScores, part) }),
      };
    });
    dq.dispose();
    dq = found.dq;
    dks.push(found.dk);
    dvs.push(found.dv);
    if (found.dBias !== undefined) dBiases.push(found.dBias);
  }
  const gradients: Tensor[] = [dq, concat(dks, 2), concat(dvs, 2)];
  if (bias !== undefined) {
    const isOne = bias.shape[3] === 1;
    const all = isOne ? dBiases.reduce((a, b) => add(a, b)) : concat(dBiases, 3);
    // What is raised to the lowest score there is has no slope.
    gradients.push(mul(all, cast(greater(bias, never), "float32")));
  }
  return gradients;
}

/** The gradient of the scores of a part (null: zeros), summed to the columns of the bias that it comes from. */
function biasPart(bias: Tensor4D, dScores: Tensor4D | null, part: ScorePart): Tensor4D {
  const columns = bias.shape[3] === 1 ? 1 : part.to - part.from;
  const shape = [...bias.shape.slice(0, 3), columns] as [number, number, number, number];
  const nothing = zeros(shape) as Tensor4D;
  if (dScores === null) return nothing;
  const axes = bias.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
  const summed = (axes.length === 0 ? dScores : sum(dScores, axes, true)) as Tensor4D;
  return bias.shape[2] === 1 ? summed : withRows(nothing, summed, part);
}
