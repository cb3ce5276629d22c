import {
  add,
  cast,
  concat,
  customGrad,
  div,
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
  type Tensor4D,
  tidy,
  zeros,
} from "@tensorflow/tfjs-core";
import { planAttention } from "./attend.js";
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
  /** How many keys at a time, at least 1; 64 unless given. */
  readonly chunk?: number;
}

const chunkOptions = [...maskingOptions, "scale", "chunk"];

/**
 * `attend` in memory that grows with `t · chunk` instead of `t · s`: keys and values come in chunks, and the softmax is
 * carried along. With the largest score m so far, `l = Σ exp(score - m)` and `o = Σ exp(score - m) v`, a chunk makes
 * `m' = max(m, max score)`, multiplies l and o by `exp(m - m')` and adds its own; the result is `o / l`.
 *
 * For the gradient only q, k, v, the output and `m + log l` are kept: each chunk computes its weights P again from
 * them, and `dS = P ∘ (dO vᵀ - Σ dO ∘ O)`. What a query does not see because of positions (`causal`, `window`) is not
 * computed, in whole chunks. Unlike `attend` it has no dropout and no second derivative.
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
  const where = "attendInChunks";
  const sizes = planAttention(where, q, k, v, options, chunkOptions);
  const { chunk = 64, scale = 1 / Math.sqrt(sizes.d) } = options;
  expectInteger(`${where}: chunk`, chunk, 1);
  expectFinite(`${where}: scale`, scale);
  const { batch, heads, groups, t, s, d, e, plain } = sizes;
  const { bias: _, ...masking } = options;
  const plan: Plan = { sizes, scale, masking, parts: partsOf(options, sizes, chunk) };
  return tidy(() => {
    const attention = customGrad((...inputs: (Tensor | GradSaveFunc)[]) => {
      const save = inputs.at(-1) as GradSaveFunc;
      const given = inputs.slice(0, -1) as unknown as Inputs;
      const { output, logSum } = forward(plan, given);
      save([...given.filter((each) => each !== undefined), output, logSum]);
      return {
        value: output,
        gradFunc: (dy: Tensor, saved: Tensor[]) => {
          const [output, logSum] = saved.slice(-2) as [Tensor4D, Tensor4D];
          return backward(plan, saved.slice(0, -2) as unknown as Inputs, output, logSum, dy as Tensor4D);
        },
      };
    });
    const output = attention(
      reshape(q, [batch, heads, t, d]),
      reshape(k, [batch, groups, s, d]),
      reshape(v, [batch, groups, s, e]),
      ...(options.bias === undefined ? [] : [scoreAxes(options.bias, sizes)]),
    );
    return reshape(output, plain ? [batch, t, e] : [batch, heads, t, e]);
  }) as T;
}

type Inputs = readonly [q: Tensor4D, k: Tensor4D, v: Tensor4D, bias?: Tensor4D];

interface Plan {
  readonly sizes: Sizes;
  readonly scale: number;
  /** All but the bias, which has a gradient. */
  readonly masking: Masking;
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
function scoresOf({ sizes, scale, masking }: Plan, [q, k, , bias]: Inputs, part: ScorePart): Tensor4D {
  const { batch, heads, groups } = sizes;
  const shape = [batch, heads, part.last - part.first, part.to - part.from] as const;
  const scores = tidy(() => {
    const rows = mul(rowsOf(q, part), scale) as Tensor4D;
    return reshape(matMul(grouped(rows, groups), keysOf(k, part), false, true), [...shape]) as Tensor4D;
  });
  const { added } = scoreMask(
    bias === undefined ? masking : { ...masking, bias },
    { ...sizes, plain: false },
    part,
  );
  return added === null ? scores : add(scores, added);
}

function forward(plan: Plan, inputs: Inputs): { output: Tensor4D; logSum: Tensor4D } {
  const { batch, heads, groups, t, e } = plan.sizes;
  const v = inputs[2];
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
      const products = matMul(grouped(powers, groups), keysOf(v, part));
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
  const { sizes, scale, parts } = plan;
  const { batch, groups } = sizes;
  const [q, k, v, bias] = inputs;
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
      const dScores = tidy(() => {
        const dWeights = reshape(matMul(rows, keysOf(v, part), false, true), weights.shape);
        return mul(weights, sub(dWeights, rowsOf(along, part)));
      }) as Tensor4D;
      const dProducts = mul(grouped(dScores, groups), scale) as Tensor4D;
      const dRows = reshape(matMul(dProducts, keysOf(k, part)), rowsOf(q, part).shape) as Tensor4D;
      return {
        dq: withRows(dq, add(rowsOf(dq, part), dRows), part),
        dk: matMul(dProducts, grouped(rowsOf(q, part), groups), true, false) as Tensor4D,
        dv: matMul(grouped(weights, groups), rows, true, false) as Tensor4D,
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
