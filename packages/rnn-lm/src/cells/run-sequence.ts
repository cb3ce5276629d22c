import { embed, runFused } from "@gradlab/core";
import {
  add,
  addN,
  cast,
  concat,
  customGrad,
  engine,
  type GradSaveFunc,
  matMul,
  mul,
  range,
  reshape,
  scalar,
  slice,
  stack,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
  unstack,
} from "@tensorflow/tfjs-core";
import { gruRule } from "./gru-rule.js";
import { lstmRule } from "./lstm-rule.js";
import type { RecurrentRule } from "./recurrent-rule.js";

/** What a sequence of steps is computed from; all of it is differentiable but the mask. */
export interface SequenceInputs {
  /** `x W + b` of all steps, `[t, batch, gates · hidden]`. */
  readonly fromInput: Tensor3D;
  /** `[hidden, gates · hidden]`. */
  readonly recurrent: Tensor2D;
  /** Added to `h U`, `[gates · hidden]`; null for cells without. */
  readonly recurrentBias: Tensor1D | null;
  /** The state before the first step, `[batch, hidden]` each. */
  readonly before: readonly Tensor2D[];
  /** 1 where a step counts and 0 where it leaves the state alone, `[t, batch, 1]`; null where all count. */
  readonly mask: Tensor3D | null;
}

export interface SequenceOutputs {
  /** The h after every step, `[t, batch, hidden]`; 0 where the mask is. */
  readonly outputs: Tensor3D;
  /** The state after the last. */
  readonly after: readonly Tensor2D[];
}

/**
 * All steps of a cell, with one gradient for the whole: backward each step is one product `dz Uᵀ`, and the gradient of U
 * is one product over all steps. A kernel of the backend where it has one; step by step in ordinary operations where a
 * second derivative is being taken. To be called in a `tidy`.
 */
export function runSequence(rule: RecurrentRule, inputs: SequenceInputs): SequenceOutputs {
  // A kernel or gradient of ours has no gradient of its own.
  if (engine().state.gradientDepth > 1) return stepByStep(rule, inputs);
  return fusedSequence(rule, inputs) ?? wholeSequence(rule, inputs);
}

/** The same by ordinary operations and their gradients: slower, and differentiable as often as one likes. */
export function stepByStep(rule: RecurrentRule, inputs: SequenceInputs): SequenceOutputs {
  const { fromInput, recurrent, recurrentBias, before, mask } = inputs;
  const masks = mask === null ? null : (unstack(mask) as Tensor2D[]);
  let state = before;
  const outputs = (unstack(fromInput) as Tensor2D[]).map((x, t) => {
    const product = matMul(state[0]!, recurrent);
    const fromState = (recurrentBias === null ? product : add(product, recurrentBias)) as Tensor2D;
    const { after } = rule.step(x, fromState, state);
    state = masks === null ? after : after.map((part, i) => blend(masks[t]!, part, state[i]!));
    return masks === null ? state[0]! : mul(state[0]!, masks[t]!);
  });
  return { outputs: stack(outputs) as Tensor3D, after: state };
}

/** `m a + (1 - m) b`. */
function blend(mask: Tensor2D, a: Tensor2D, b: Tensor2D): Tensor2D {
  return add(b, mul(mask, sub(a, b))) as Tensor2D;
}

/**
 * As one kernel over all steps; null where there is none for this. Steps behind the end of a sequence are computed too,
 * for nothing that counts comes after them; their outputs are 0, and the state is taken from the last that counts.
 */
function fusedSequence(rule: RecurrentRule, inputs: SequenceInputs): SequenceOutputs | null {
  const { fromInput: gates, recurrent, recurrentBias, before, mask } = inputs;
  const [h, c] = before as readonly [Tensor2D, Tensor2D?];
  const fused =
    rule === lstmRule
      ? runFused("GradlabLstm", { gates, recurrent, h, c: c! }, {})
      : rule === gruRule
        ? runFused("GradlabGru", { gates, recurrent, recurrentBias: recurrentBias!, h }, {})
        : null;
  if (fused === null) return null;
  const [outputs, cells] = fused as [Tensor3D, Tensor3D];
  const states = rule === lstmRule ? [outputs, cells] : [outputs];
  if (mask === null) return { outputs, after: states.map(lastOf) };
  const ends = endsOf(mask);
  return {
    outputs: mul(outputs, mask),
    after: states.map((steps) => embed(rowsOf(steps), ends) as Tensor2D),
  };
}

function rowsOf(steps: Tensor3D): Tensor2D {
  const [t, batch, hidden] = steps.shape;
  return reshape(steps, [t * batch, hidden]);
}

function lastOf(steps: Tensor3D): Tensor2D {
  const [t, batch, hidden] = steps.shape;
  return reshape(slice(steps, [t - 1, 0, 0], [1, batch, hidden]), [batch, hidden]);
}

/** Of each sequence the row of its last step in `[t · batch, hidden]`. */
function endsOf(mask: Tensor3D): Tensor1D {
  const batch = mask.shape[1];
  const last = sub(cast(reshape(sum(mask, 0), [batch]), "int32"), scalar(1, "int32"));
  return add(mul(last, scalar(batch, "int32")), range(0, batch, 1, "int32")) as Tensor1D;
}

/** By ordinary operations, with a gradient of our own. */
function wholeSequence(rule: RecurrentRule, inputs: SequenceInputs): SequenceOutputs {
  const { fromInput, recurrent, recurrentBias, before, mask } = inputs;
  const [steps, batch] = fromInput.shape;
  const hidden = recurrent.shape[0];
  const { parts, saves } = rule;
  // A gradient of one's own has one result: the outputs and, below them, the last state.
  const run = customGrad((...given: (Tensor | GradSaveFunc)[]) => {
    const save = given.pop() as GradSaveFunc;
    const [x, weights, ...rest] = given as [Tensor3D, Tensor2D, ...Tensor[]];
    const bias = recurrentBias === null ? null : (rest.shift() as Tensor1D);
    const first = rest as Tensor2D[];
    const masks = mask === null ? null : (unstack(mask) as Tensor2D[]);
    const states: (readonly Tensor2D[])[] = [first];
    const saved: Tensor2D[] = [];
    const outputs = (unstack(x) as Tensor2D[]).map((input, t) => {
      const state = states[t]!;
      const product = matMul(state[0]!, weights);
      const fromState = (bias === null ? product : add(product, bias)) as Tensor2D;
      const next = rule.step(input, fromState, state);
      saved.push(...next.saved);
      const after =
        masks === null ? next.after : next.after.map((part, i) => blend(masks[t]!, part, state[i]!));
      states.push(after);
      return masks === null ? after[0]! : (mul(after[0]!, masks[t]!) as Tensor2D);
    });
    save([weights, ...states.flat(), ...saved, ...(masks ?? [])]);
    return {
      value: concat([...outputs, ...states.at(-1)!], 0),
      gradFunc: (dy, kept) => {
        const [u, ...others] = kept as Tensor2D[];
        const count = parts * (steps + 1);
        return gradientOf(rule, dy as Tensor2D, {
          weights: u!,
          states: others.slice(0, count),
          saved: others.slice(count, count + saves * steps),
          masks: mask === null ? null : others.slice(count + saves * steps),
          shape: [steps, batch, hidden],
          hasBias: recurrentBias !== null,
        });
      },
    };
  });
  const bias = recurrentBias === null ? [] : [recurrentBias];
  const packed = run(fromInput, recurrent, ...bias, ...before) as Tensor2D;
  const part = (i: number) => slice(packed, [(steps + i) * batch, 0], [batch, hidden]);
  return {
    outputs: reshape(slice(packed, [0, 0], [steps * batch, hidden]), [steps, batch, hidden]),
    after: before.map((_, i) => part(i)),
  };
}

interface Kept {
  readonly weights: Tensor2D;
  /** `parts` of each state, from that before the first step on. */
  readonly states: readonly Tensor2D[];
  /** `saves` of each step. */
  readonly saved: readonly Tensor2D[];
  readonly masks: readonly Tensor2D[] | null;
  readonly shape: readonly [steps: number, batch: number, hidden: number];
  readonly hasBias: boolean;
}

/** Gradients of `fromInput`, `recurrent`, `recurrentBias` where there is one, and each part of the state before. */
function gradientOf(rule: RecurrentRule, dPacked: Tensor2D, kept: Kept): Tensor[] {
  const { weights, states, saved, masks, hasBias } = kept;
  const [steps, batch, hidden] = kept.shape;
  const { parts, saves } = rule;
  const dAll = reshape(dPacked, [steps + parts, batch, hidden]);
  const rows = unstack(dAll) as Tensor2D[];
  let dState: Tensor2D[] = rows.slice(steps);
  const transposed = transpose(weights);
  const dInputs: Tensor2D[] = [];
  const dStates: Tensor2D[] = [];
  for (let t = steps - 1; t >= 0; t--) {
    const before = states.slice(t * parts, (t + 1) * parts);
    const m = masks?.[t];
    const dOutput = m === undefined ? rows[t]! : mul(rows[t]!, m);
    const dAfter = [add(dState[0]!, dOutput), ...dState.slice(1)] as Tensor2D[];
    // Where the mask is 0 all of it goes to the state before.
    const through = m === undefined ? dAfter : dAfter.map((d) => mul(d, m) as Tensor2D);
    const d = rule.backward(through, saved.slice(t * saves, (t + 1) * saves), before);
    dInputs.unshift(d.dInput);
    dStates.unshift(d.dState);
    dState = before.map((_, i) => {
      const terms: Tensor2D[] = [];
      if (d.dBefore[i] !== null) terms.push(d.dBefore[i]!);
      if (i === 0) terms.push(matMul(d.dState, transposed));
      if (m !== undefined) terms.push(sub(dAfter[i]!, through[i]!));
      return terms.length === 1 ? terms[0]! : addN(terms);
    });
  }
  const h = concat(
    Array.from({ length: steps }, (_, t) => states[t * parts]!),
    0,
  );
  const dz = concat(dStates, 0);
  return [stack(dInputs), matMul(h, dz, true), ...(hasBias ? [sum(dz, 0)] : []), ...dState];
}
