import {
  crossEntropy,
  dropoutMask,
  embed,
  expectShape,
  normalTensor,
  torchUniform,
  uniformTensor,
} from "@gradlab/core";
import {
  fused as fusedOps,
  mul,
  reshape,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  transpose,
  zeros,
} from "@tensorflow/tfjs-core";
import type { CellName } from "../cells/recurrent-rule.js";
import { rangeMismatch } from "../expect-argument.js";
import { expectFraction, expectInteger, expectOneOf } from "../expect-values.js";
import {
  applyRecurrent,
  type Carry,
  initCarry,
  initRecurrent,
  type LayerCarry,
  type RecurrentLayerParams,
  type RecurrentSpec,
} from "../recurrent-network.js";
import { scoped } from "../scoped.js";

/** What a recurrent language model is: plain data. */
export interface LanguageModelSpec {
  readonly cell: CellName;
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** Numbers of each token. */
  readonly embedding: number;
  /** Units of every layer. */
  readonly hidden: number;
  /** 1 unless given. */
  readonly layers?: number;
  /** The output layer has the embedding for weights; then `hidden` is `embedding`. False unless given. */
  readonly tied?: boolean;
}

export interface LanguageModelParams {
  /** `[vocabulary, embedding]`. */
  readonly embedding: Tensor2D;
  readonly layers: readonly RecurrentLayerParams[];
  /** `[hidden, vocabulary]`; none where it is the embedding. */
  readonly kernel?: Tensor2D | undefined;
  /** `[vocabulary]`. */
  readonly bias: Tensor1D;
}

/** What a training moves: the weights, and what the network remembers of the text so far. */
export interface LanguageModelState {
  readonly params: LanguageModelParams;
  readonly carry: readonly LayerCarry[];
}

/** The recurrent part of a language model. */
export function recurrentSpec({ cell, embedding, hidden, layers = 1 }: LanguageModelSpec): RecurrentSpec {
  return { cell, inputs: embedding, hidden, layers };
}

export function expectSpec(where: string, spec: LanguageModelSpec): void {
  expectOneOf(`${where}: cell`, spec.cell, ["lstm", "gru", "elman"]);
  expectInteger(`${where}: vocabulary`, spec.vocabulary, 1);
  expectInteger(`${where}: embedding`, spec.embedding, 1);
  expectInteger(`${where}: hidden`, spec.hidden, 1);
  expectInteger(`${where}: layers`, spec.layers ?? 1, 1);
  if (spec.tied && spec.hidden !== spec.embedding) {
    throw rangeMismatch(`${where}: hidden`, `embedding, ${spec.embedding}, where they are tied`, spec.hidden);
  }
}

export interface InitLanguageModelOptions {
  readonly seed: number;
  /**
   * `"torch"`, the default: as PyTorch begins (embedding N(0, 1), the rest uniform); a number a: U(-a, a) for all
   * weights, biases of the output 0.
   */
  readonly scheme?: "torch" | number;
  /** Added to the bias of the forget gates of an LSTM; 0 unless given. */
  readonly forgetBias?: number;
}

/**
 * Initial weights of a language model, the same on every backend.
 *
 * Unlike in PyTorch, a tied embedding is drawn as the output layer is: N(0, 1) would begin with a loss of hundreds.
 *
 * @returns The caller disposes them.
 * @throws {TypeError | RangeError} when the spec or an option is not as stated.
 */
export function initLanguageModel(
  spec: LanguageModelSpec,
  options: InitLanguageModelOptions,
): LanguageModelParams {
  expectSpec("initLanguageModel: spec", spec);
  const { seed, scheme = "torch", forgetBias = 0 } = options;
  expectInteger("initLanguageModel: seed", seed, 0);
  const { vocabulary, embedding, hidden, tied = false } = spec;
  const key = (purpose: string) => ({ seed, purpose });
  const within = (shape: readonly number[], purpose: string, bound: number) =>
    uniformTensor(shape, { ...key(purpose), low: -bound, high: bound });
  if (scheme !== "torch") {
    const layers = scoped(() =>
      initRecurrent(recurrentSpec(spec), { seed, forgetBias }).map((layer, i) => {
        const drawn = Object.entries(layer).map(([part, tensor]) => {
          const weights = part === "input" || part === "recurrent";
          return [part, weights ? within(tensor.shape, `layers.${i}.${part}`, scheme) : tensor] as const;
        });
        return Object.fromEntries(drawn) as unknown as RecurrentLayerParams;
      }),
    );
    return {
      embedding: within([vocabulary, embedding], "embedding", scheme) as Tensor2D,
      layers,
      ...(!tied && { kernel: within([hidden, vocabulary], "kernel", scheme) as Tensor2D }),
      bias: zeros([vocabulary]) as Tensor1D,
    };
  }
  const linear = (shape: readonly number[], purpose: string) =>
    torchUniform(shape, { ...key(purpose), fanIn: hidden });
  return {
    embedding: (tied
      ? linear([vocabulary, embedding], "embedding")
      : normalTensor([vocabulary, embedding], key("embedding"))) as Tensor2D,
    layers: initRecurrent(recurrentSpec(spec), { seed, forgetBias }),
    ...(!tied && { kernel: linear([hidden, vocabulary], "kernel") as Tensor2D }),
    bias: linear([vocabulary], "bias") as Tensor1D,
  };
}

/**
 * Rates of dropout, in [0, 1) each; 0 unless given. One mask serves all steps of a sequence unless `locked` is false.
 *
 * @see Merity, Keskar, Socher 2018, §4, https://arxiv.org/abs/1708.02182
 */
export interface DropoutRates {
  /** Of whole tokens: their embedding is 0 wherever they stand. */
  readonly words?: number;
  /** Of the embeddings, as they go into the first layer. */
  readonly input?: number;
  /** Of what goes from layer to layer. */
  readonly hidden?: number;
  /** Of what goes into the output layer. */
  readonly output?: number;
  /** Of the recurrent weights (DropConnect). */
  readonly recurrent?: number;
  readonly locked?: boolean;
}

/** Masks that are to be drawn: their rates, and what they are keyed by. */
export interface DropoutMasks extends DropoutRates {
  readonly seed: number;
  /** The step of the training. */
  readonly index: number;
}

export interface ApplyLanguageModelOptions {
  /** None unless given: no dropout where a model is judged. */
  readonly dropout?: DropoutMasks;
  /** As in `applyRecurrent`. */
  readonly fused?: boolean;
}

/**
 * What a language model expects after each token of some texts.
 *
 * @param ids `[batch, T]`, int32. An id out of range gives NaN, as in `embed`.
 * @param carry The state before the first.
 * @returns `logits` `[batch, T, vocabulary]` of the token after each, and the `carry` after the last; the caller disposes
 *   both.
 * @throws {ShapeError | TypeError | RangeError} when shapes do not line up or an option is not as stated.
 */
export function applyLanguageModel(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
  ids: Tensor2D,
  carry: Carry,
  options: ApplyLanguageModelOptions = {},
): { logits: Tensor3D; carry: LayerCarry[] } {
  expectShape("applyLanguageModel: ids", ids, [null, null]);
  const [batch, steps] = ids.shape;
  return scoped(() => {
    const pass = hiddenStates(spec, params, transpose(ids), carry, options);
    const logits = reshape(outputLogits(params, pass.hidden), [steps, batch, spec.vocabulary]);
    return { logits: transpose(logits, [1, 0, 2]) as Tensor3D, carry: pass.carry };
  });
}

/** `[T · batch, hidden]`, step by step, from ids `[T, batch]`. To be called in a `tidy`. */
export function hiddenStates(
  spec: LanguageModelSpec,
  params: LanguageModelParams,
  ids: Tensor2D,
  carry: Carry,
  { dropout, fused = true }: ApplyLanguageModelOptions,
): { hidden: Tensor2D; carry: LayerCarry[] } {
  const [steps, batch] = ids.shape;
  const { words = 0, input = 0, hidden = 0, output = 0, recurrent = 0, locked = true } = dropout ?? {};
  const mask = (what: string, shape: readonly number[], rate: number) => {
    const { seed, index } = dropout!;
    return dropoutMask(shape, rate, { seed, purpose: `rnn-lm/dropout ${what}`, index });
  };
  for (const [name, rate] of Object.entries({ words, input, hidden, output, recurrent })) {
    expectFraction(`applyLanguageModel: dropout.${name}`, rate);
  }
  const rows = locked ? 1 : steps;
  let x = embed(params.embedding, ids) as Tensor3D; // [T, batch, embedding]
  if (words > 0) x = mul(x, embed(mask("words", [spec.vocabulary, 1], words) as Tensor2D, ids));
  if (input > 0) x = mul(x, mask("input", [rows, batch, spec.embedding], input));
  const pass = applyRecurrent(recurrentSpec(spec), params.layers, x, carry, {
    timeMajor: true,
    fused,
    ...(dropout && { dropout: { hidden, recurrent, locked, seed: dropout.seed, index: dropout.index } }),
  });
  let y = pass.outputs;
  if (output > 0) y = mul(y, mask("output", [rows, batch, spec.hidden], output));
  return { hidden: reshape(y, [steps * batch, spec.hidden]), carry: pass.carry };
}

/** `[n, vocabulary]` from `[n, hidden]`. */
export function outputLogits({ embedding, kernel, bias }: LanguageModelParams, hidden: Tensor2D): Tensor2D {
  // With the bias in the product: adding it would read and write every logit once more.
  const weights = kernel === undefined ? { b: embedding, transposeB: true } : { b: kernel };
  return fusedOps.matMul({ a: hidden, ...weights, bias }) as Tensor2D;
}

/** The mean cross-entropy of the tokens that follow, `[batch, T]`, in nats. To be called in a `tidy`. */
export function languageModelLoss(
  spec: LanguageModelSpec,
  { params, carry }: LanguageModelState,
  { inputs, targets }: { readonly inputs: Tensor2D; readonly targets: Tensor2D },
  options: ApplyLanguageModelOptions = {},
): { loss: Scalar; carry: LayerCarry[] } {
  expectShape("languageModelLoss: targets", targets, inputs.shape);
  const pass = hiddenStates(spec, params, transpose(inputs), carry, options);
  const labels = reshape(transpose(targets), [targets.size]);
  return { loss: crossEntropy(outputLogits(params, pass.hidden), labels), carry: pass.carry };
}

/**
 * The state of a language model at the beginning of a training: initial weights, and zeros for what it remembers of each
 * of `batch` texts.
 */
export function initLanguageModelState(
  spec: LanguageModelSpec,
  { batch, ...options }: InitLanguageModelOptions & { readonly batch: number },
): LanguageModelState {
  expectInteger("initLanguageModelState: batch", batch, 1);
  return { params: initLanguageModel(spec, options), carry: initCarry(recurrentSpec(spec), batch) };
}
