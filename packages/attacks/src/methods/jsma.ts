import type { Attack } from "../attack.js";
import { type Answer, logitsAt } from "../driver/query.js";
import { expectNumber } from "../expect-values.js";
import { logit } from "../losses/loss.js";
import { rankedClasses } from "../losses/of-logits.js";

export interface JsmaOptions {
  /** What is added to a number, as a share of the bounds; 1 unless given, negative to take away. */
  readonly theta?: number;
  /** The share of numbers that may be changed; 0.1 unless given. */
  readonly gamma?: number;
}

/**
 * Saliency maps: pairs of numbers are changed as far as they go, the pair first that raises the target most and lowers
 * the others. Without a target it aims at the class with the second largest logit.
 *
 * Of pairs, those of the 100 best numbers for the target and against the others are looked at, so that memory does not
 * grow with the square of the image.
 *
 * @see Papernot et al. 2016, Algorithm 3, https://arxiv.org/abs/1511.07528
 */
export function jsma({ theta = 1, gamma = 0.1 }: JsmaOptions = {}): Attack {
  expectNumber("jsma: theta", theta, "a number in [-1, 1] other than 0", (x) => x !== 0 && Math.abs(x) <= 1);
  expectNumber("jsma: gamma", gamma, "a number in (0, 1]", (x) => x > 0 && x <= 1);
  return {
    name: "jsma",
    norm: "l0",
    goal: "nearest",
    needs: "gradients",
    targeting: "both",
    *run(sample) {
      const { lower, upper, classes } = sample;
      const target = sample.target ?? rankedClasses(sample.clean).find((k) => k !== sample.label)!;
      const way = Math.sign(theta);
      let x = sample.start ?? sample.x;
      const open = new Set(Array.from(x.keys()).filter((i) => upper[i]! > lower[i]!));
      const most = Math.max(1, Math.ceil((x.length * gamma) / 2));
      for (let k = 0; k < most; k++) {
        const answers: readonly Answer[] = yield Array.from({ length: classes }, (_, c) => ({
          x,
          loss: logit,
          target: c,
        }));
        if (sample.found() !== null) return;
        const toTarget = answers[target]!.gradient;
        const toOthers = new Float64Array(x.length);
        for (const [c, { gradient }] of answers.entries()) {
          if (c !== target) for (let i = 0; i < x.length; i++) toOthers[i]! += gradient[i]!;
        }
        const end = (i: number) => (way > 0 ? x[i]! >= upper[i]! : x[i]! <= lower[i]!);
        for (const i of open) if (end(i)) open.delete(i);
        const pair = bestPair([...open], toTarget, toOthers, way);
        if (pair === null) break;
        const next = x.slice();
        for (const i of pair) {
          const far = x[i]! + theta * (upper[i]! - lower[i]!);
          next[i] = Math.min(Math.max(far, lower[i]!), upper[i]!);
          open.delete(i);
        }
        x = next;
      }
      yield* logitsAt(x);
    },
  };
}

/** The pair with the largest `α |β|`, where α > 0 is what it does for the target and β < 0 for the others. */
function bestPair(
  open: readonly number[],
  toTarget: Float32Array,
  toOthers: Float64Array,
  way: number,
): readonly [number, number] | null {
  const byTarget = [...open].sort((a, b) => way * (toTarget[b]! - toTarget[a]!)).slice(0, 100);
  const byOthers = [...open].sort((a, b) => way * (toOthers[a]! - toOthers[b]!)).slice(0, 100);
  const some = [...new Set([...byTarget, ...byOthers])].sort((a, b) => a - b);
  let best = 0;
  let pair: readonly [number, number] | null = null;
  for (const [n, i] of some.entries()) {
    for (const j of some.slice(n + 1)) {
      const alpha = way * (toTarget[i]! + toTarget[j]!);
      const beta = way * (toOthers[i]! + toOthers[j]!);
      if (alpha > 0 && beta < 0 && -alpha * beta > best) [best, pair] = [-alpha * beta, [i, j]];
    }
  }
  return pair;
}
