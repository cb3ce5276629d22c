import { dropoutMask, expectShape, orthogonal, ShapeError, torchUniform, xavierUniform } from "@gradlab/core";
import {
  add,
  cast,
  expandDims,
  fused as fusedOps,
  less,
  mul,
  range,
  reshape,
  stack,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  tensor1d,
  tidy,
  transpose,
  where,
  zeros,
  zerosLike,
} from "@tensorflow/tfjs-core";
import { cellRules } from "./cells/cell-rules.js";
import type { CellName } from "./cells/recurrent-rule.js";
import { runSequence, stepByStep } from "./cells/run-sequence.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectFraction, expectInteger, expectOneOf } from "./expect-values.js";
import { scoped } from "./scoped.js";

/** What a recurrent network is: plain data. */
export interface RecurrentSpec {
  readonly cell: CellName;
  /** How many numbers a step reads. */
  readonly inputs: number;
  /** Units of every layer. */
  readonly hidden: number;
  /** Layers on top of one another; 1 unless given. */
  readonly layers?: number;
}

/** The weights of a layer; `g` blocks of columns: i, f, g, o of an LSTM, r, z, n of a GRU, one of an Elman network. */
export interface RecurrentLayerParams {
  /** W, `[inputs, g · hidden]`. */
  readonly input: Tensor2D;
  /** U, `[hidden, g · hidden]`. */
  readonly recurrent: Tensor2D;
  /** `[g · hidden]`. */
  readonly bias: Tensor1D;
  /** Of a GRU: added to `h U`, `[g · hidden]`. */
  readonly recurrentBias?: Tensor1D | undefined;
}

export type RecurrentParams = readonly RecurrentLayerParams[];

/** What a layer remembers, `[batch, hidden]` each. */
export interface LayerCarry {
  readonly h: Tensor2D;
  /** Of an LSTM. */
  readonly c?: Tensor2D | undefined;
}

/** What a network remembers, layer by layer. */
export type Carry = readonly LayerCarry[];

export interface InitRecurrentOptions {
  readonly seed: number;
  /** Begins the purposes of the random numbers: `"layers"` unless given. */
  readonly name?: string;
  /**
   * `"torch"`, the default: U(-1/√hidden, 1/√hidden) for all of it; `"orthogonal"`: Xavier's for the input, orthogonal
   * blocks for the state, biases 0.
   */
  readonly scheme?: "torch" | "orthogonal";
  /** Added to the bias of the forget gate of an LSTM, so that it remembers at first; 0 unless given. */
  readonly forgetBias?: number;
}

export function expectRecurrentSpec(where: string, spec: RecurrentSpec): void {
  expectOneOf(`${where}: cell`, spec.cell, Object.keys(cellRules));
  expectInteger(`${where}: inputs`, spec.inputs, 1);
  expectInteger(`${where}: hidden`, spec.hidden, 1);
  expectInteger(`${where}: layers`, spec.layers ?? 1, 1);
}

/**
 * Initial weights of a recurrent network; the same on every backend, and those of a layer whatever the others are.
 *
 * @returns The caller disposes them.
 * @throws {TypeError | RangeError} when the spec or an option is not as stated.
 * @see https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html ("torch"); Jozefowicz, Zaremba, Sutskever 2015
 *   (forget bias), https://proceedings.mlr.press/v37/jozefowicz15.html
 */
export function initRecurrent(spec: RecurrentSpec, options: InitRecurrentOptions): RecurrentLayerParams[] {
  expectRecurrentSpec("initRecurrent: spec", spec);
  const { seed, name = "layers", scheme = "torch", forgetBias = 0 } = options;
  expectInteger("initRecurrent: seed", seed, 0);
  expectOneOf("initRecurrent: scheme", scheme, ["torch", "orthogonal"]);
  const { cell, hidden, layers = 1 } = spec;
  const { gates, recurrentBias } = cellRules[cell];
  const wide = gates * hidden;
  return Array.from({ length: layers }, (_, layer): RecurrentLayerParams => {
    const inputs = layer === 0 ? spec.inputs : hidden;
    const key = (part: string) => ({ seed, purpose: `${name}.${layer}.${part}` });
    const uniform = (part: string, shape: readonly number[]) =>
      torchUniform(shape, { ...key(part), fanIn: hidden });
    const bias = (part: string) => (scheme === "torch" ? uniform(part, [wide]) : zeros([wide]));
    return {
      ...(scheme === "torch"
        ? {
            input: uniform("input", [inputs, wide]) as Tensor2D,
            recurrent: uniform("recurrent", [hidden, wide]) as Tensor2D,
          }
        : {
            input: xavierUniform([inputs, wide], key("input")) as Tensor2D,
            recurrent: orthogonalBlocks(hidden, gates, key("recurrent")),
          }),
      bias: tidy(() => {
        const drawn = bias("bias");
        if (cell !== "lstm" || forgetBias === 0) return drawn as Tensor1D;
        const forget = Float32Array.from({ length: wide }, (_, i) =>
          Math.floor(i / hidden) === 1 ? forgetBias : 0,
        );
        return add(drawn, tensor1d(forget)) as Tensor1D;
      }),
      ...(recurrentBias && { recurrentBias: bias("recurrentBias") as Tensor1D }),
    };
  });
}

/** `[hidden, gates · hidden]`: each block orthogonal by itself. */
function orthogonalBlocks(hidden: number, gates: number, key: { seed: number; purpose: string }): Tensor2D {
  return tidy(() => {
    const blocks = Array.from({ length: gates }, (_, index) =>
      orthogonal([hidden, hidden], { ...key, index }),
    );
    return reshape(transpose(stack(blocks), [1, 0, 2]), [hidden, gates * hidden]);
  });
}

/**
 * The state before anything was read: zeros.
 *
 * @returns `[batch, hidden]` tensors, layer by layer; the caller disposes them.
 */
export function initCarry(spec: RecurrentSpec, batch: number): LayerCarry[] {
  expectRecurrentSpec("initCarry: spec", spec);
  expectInteger("initCarry: batch", batch, 1);
  const { cell, hidden, layers = 1 } = spec;
  return Array.from({ length: layers }, () => ({
    h: zeros([batch, hidden]) as Tensor2D,
    ...(cellRules[cell].parts === 2 && { c: zeros([batch, hidden]) as Tensor2D }),
  }));
}

/** Rates of dropout inside of a recurrent network, in [0, 1) each; 0 unless given. */
export interface RecurrentDropout {
  /** Of what goes from layer to layer. */
  readonly hidden?: number;
  /** Of the recurrent weights U (DropConnect): one mask for all steps. */
  readonly recurrent?: number;
  /** One mask for all steps of a sequence, unless false. */
  readonly locked?: boolean;
  /** Of the masks, with `index`: in a training, key them by the step. */
  readonly seed: number;
  readonly index: number;
}

export interface ApplyRecurrentOptions {
  /** How many steps of each sequence count, `[batch]` in [1, T]; all unless given. */
  readonly lengths?: ArrayLike<number>;
  /** x and the outputs are `[T, batch, …]`; not, unless given. */
  readonly timeMajor?: boolean;
  /** None unless given. */
  readonly dropout?: RecurrentDropout;
  /** `false`: by ordinary operations, step by step; their own gradients. True unless given. */
  readonly fused?: boolean;
}

/**
 * A recurrent network over whole sequences: words, or any series of numbers. One product for `x W` of all steps, one of
 * each step for `h U`; the gradient goes back through all of them.
 *
 * With `lengths`, a sequence stops there, whatever stands behind: its outputs beyond are 0, and its state is that after
 * its last step.
 *
 * @param x `[batch, T, inputs]`, float32, T at least 1.
 * @param carry The state before, `[batch, hidden]` tensors; `initCarry` has zeros.
 * @returns `outputs`, the h of the last layer after every step, `[batch, T, hidden]`, and the `carry` after; the caller
 *   disposes both.
 * @throws {ShapeError | TypeError | RangeError} when shapes do not line up or an option is not as stated.
 * @see Merity, Keskar, Socher 2018, §2 (DropConnect), https://arxiv.org/abs/1708.02182; Gal and Ghahramani 2016 (locked
 *   masks), https://arxiv.org/abs/1512.05287
 */
export function applyRecurrent(
  spec: RecurrentSpec,
  params: RecurrentParams,
  x: Tensor3D,
  carry: Carry,
  options: ApplyRecurrentOptions = {},
): { outputs: Tensor3D; carry: LayerCarry[] } {
  const { timeMajor = false, lengths, dropout, fused = true } = options;
  expectShape("applyRecurrent: x", x, [null, null, spec.inputs]);
  const [steps, batch] = timeMajor ? x.shape : [x.shape[1], x.shape[0]];
  if (steps < 1 || batch < 1) {
    throw new ShapeError(
      `applyRecurrent: x: expected at least one step of one sequence, got [${x.shape.join(", ")}]`,
    );
  }
  expectParams(spec, params);
  expectCarry(spec, carry, batch);
  if (dropout !== undefined) {
    expectFraction("applyRecurrent: dropout.hidden", dropout.hidden ?? 0);
    expectFraction("applyRecurrent: dropout.recurrent", dropout.recurrent ?? 0);
  }
  if (lengths !== undefined) expectLengths(lengths, batch, steps);
  return scoped(() => {
    const mask = lengths === undefined ? null : maskOf(lengths, steps);
    const inOrder = timeMajor ? x : (transpose(x, [1, 0, 2]) as Tensor3D);
    // What stands behind the end of a sequence may be anything, NaN too.
    let sequence = mask === null ? inOrder : where(cast(mask, "bool"), inOrder, zerosLike(inOrder));
    const after = params.map((layer, i): LayerCarry => {
      if (i > 0 && dropout?.hidden) {
        const rows = (dropout.locked ?? true) ? 1 : steps;
        sequence = mul(sequence, maskFor(dropout, `hidden ${i}`, [rows, batch, spec.hidden], dropout.hidden));
      }
      const next = runLayer(spec, layer, sequence, carry[i]!, { mask, dropout, layer: i, fused });
      sequence = next.outputs;
      return next.carry;
    });
    const outputs = timeMajor ? sequence : (transpose(sequence, [1, 0, 2]) as Tensor3D);
    return { outputs, carry: after };
  });
}

/** One layer over `[t, batch, inputs]`. */
function runLayer(
  { cell, hidden }: RecurrentSpec,
  { input, recurrent, bias, recurrentBias }: RecurrentLayerParams,
  x: Tensor3D,
  { h, c }: LayerCarry,
  {
    mask,
    dropout,
    layer,
    fused,
  }: {
    readonly mask: Tensor3D | null;
    readonly dropout: RecurrentDropout | undefined;
    readonly layer: number;
    readonly fused: boolean;
  },
): { outputs: Tensor3D; carry: LayerCarry } {
  const rule = cellRules[cell];
  const [steps, batch, inputs] = x.shape;
  const wide = rule.gates * hidden;
  const rows = reshape(x, [steps * batch, inputs]);
  const product = fusedOps.matMul({ a: rows, b: input, bias });
  const rate = dropout?.recurrent ?? 0;
  const dropped =
    rate > 0 ? mul(recurrent, maskFor(dropout!, `recurrent ${layer}`, recurrent.shape, rate)) : recurrent;
  const run = fused ? runSequence : stepByStep;
  const { outputs, after } = run(rule, {
    fromInput: reshape(product, [steps, batch, wide]),
    recurrent: dropped as Tensor2D,
    recurrentBias: recurrentBias ?? null,
    before: c === undefined ? [h] : [h, c],
    mask,
  });
  return { outputs, carry: { h: after[0]!, ...(after[1] && { c: after[1] }) } };
}

function maskFor(
  { seed, index }: RecurrentDropout,
  what: string,
  shape: readonly number[],
  rate: number,
): Tensor {
  return dropoutMask(shape, rate, { seed, purpose: `rnn-lm/dropout ${what}`, index });
}

/** `[t, batch, 1]`: 1 before the end of each sequence. */
function maskOf(lengths: ArrayLike<number>, steps: number): Tensor3D {
  const ends = expandDims(tensor1d(Int32Array.from(lengths), "int32"), 0);
  const before = less(expandDims(range(0, steps, 1, "int32"), 1), ends); // [t, batch]
  return expandDims(cast(before, "float32"), 2) as Tensor3D;
}

function expectLengths(lengths: ArrayLike<number>, batch: number, steps: number): void {
  if (lengths.length !== batch) {
    throw rangeMismatch("applyRecurrent: lengths", `${batch} of them, one of each sequence`, lengths.length);
  }
  for (let i = 0; i < batch; i++) {
    const length = lengths[i]!;
    if (Number.isSafeInteger(length) && length >= 1 && length <= steps) continue;
    throw rangeMismatch(`applyRecurrent: lengths[${i}]`, `an integer in [1, ${steps}]`, length);
  }
}

function expectParams({ cell, inputs, hidden, layers = 1 }: RecurrentSpec, params: RecurrentParams): void {
  const { gates, recurrentBias } = cellRules[cell];
  if (params.length !== layers)
    throw rangeMismatch("applyRecurrent: params", `${layers} layers`, params.length);
  for (const [i, layer] of params.entries()) {
    const where = `applyRecurrent: params[${i}]`;
    expectShape(`${where}.input`, layer.input, [i === 0 ? inputs : hidden, gates * hidden]);
    expectShape(`${where}.recurrent`, layer.recurrent, [hidden, gates * hidden]);
    expectShape(`${where}.bias`, layer.bias, [gates * hidden]);
    if (!recurrentBias) continue;
    if (layer.recurrentBias === undefined)
      throw rangeMismatch(`${where}.recurrentBias`, "a tensor", undefined);
    expectShape(`${where}.recurrentBias`, layer.recurrentBias, [gates * hidden]);
  }
}

function expectCarry({ cell, hidden, layers = 1 }: RecurrentSpec, carry: Carry, batch: number): void {
  if (carry.length !== layers) throw rangeMismatch("applyRecurrent: carry", `${layers} layers`, carry.length);
  for (const [i, { h, c }] of carry.entries()) {
    expectShape(`applyRecurrent: carry[${i}].h`, h, [batch, hidden]);
    if (cellRules[cell].parts === 1) continue;
    if (c === undefined) throw rangeMismatch(`applyRecurrent: carry[${i}].c`, "a tensor", undefined);
    expectShape(`applyRecurrent: carry[${i}].c`, c, [batch, hidden]);
  }
}
