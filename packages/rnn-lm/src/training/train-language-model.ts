import { type PartOf, type Training, type TrainingStep, type TrainOptions, train } from "@gradlab/core";
import { reshape, type Tensor1D, type Tensor2D, tensor2d, transpose, zerosLike } from "@tensorflow/tfjs-core";
import { rangeMismatch, typeMismatch } from "../expect-argument.js";
import { expectFraction, expectInteger } from "../expect-values.js";
import {
  type DropoutRates,
  expectSpec,
  hiddenStates,
  type LanguageModelSpec,
  type LanguageModelState,
  languageModelLoss,
} from "../model/language-model.js";
import { fedLoss } from "./fed-loss.js";
import type { Feeding } from "./feeding.js";
import { drawTokens, expectSampled, type SampledSoftmax, sampledLoss } from "./sampled-loss.js";

/** The tokens of a step, as `textColumns` of `@gradlab/datasets` gives them. */
export interface TokenBatch {
  /** `[batch, T]`, row by row. */
  readonly inputs: Int32Array;
  /** The same, one token later. */
  readonly targets: Int32Array;
  readonly shape: readonly [batch: number, steps: number];
  /** What the model remembers is of another text: it is forgotten. */
  readonly isFirst?: boolean;
}

interface Tokens {
  readonly inputs: Tensor2D;
  readonly targets: Tensor2D;
  readonly isFirst: boolean;
}

export interface TrainLanguageModelOptions
  extends Omit<TrainOptions<LanguageModelState, Tokens>, "loss" | "batch"> {
  /** The tokens of a step, or null to end. As a pure function of `step` it resumes exactly. */
  readonly batch: (step: number) => TokenBatch | null;
  /** Of the dropout masks and of what is drawn; 0 unless given. */
  readonly seed?: number;
  /** None unless given. */
  readonly dropout?: DropoutRates;
  /** What the model reads: teacher forcing unless given. */
  readonly feeding?: Feeding;
  /**
   * Trains on the true token against some others, for large vocabularies; the loss is then no cross-entropy, and
   * perplexity is for `surprises` to count. All of the vocabulary unless given. Only with teacher forcing.
   */
  readonly sampled?: SampledSoftmax;
}

/**
 * Trains a language model by truncated backpropagation through time, one step each time the next result is asked for.
 * Each step reads T tokens of every text of the batch; what the network remembers goes on to the next step, its gradient
 * does not. The carried state moves with each update that is applied, and is in the checkpoint.
 *
 * @param training Of `startTraining` with `initLanguageModelState`, or of `loadCheckpoint`. Changed.
 * @returns The steps, as `train` of `@gradlab/core` yields them; the loss is in nats a token.
 * @throws {NonFiniteError} when the loss or the gradients are not finite, as they are for an id out of range.
 * @throws {ShapeError | TypeError | RangeError} when an option is out of range, or tokens do not fit the state.
 * @see Werbos 1990, https://doi.org/10.1109/5.58337; Mikolov et al. 2010
 */
export function trainLanguageModel(
  spec: LanguageModelSpec,
  training: Training<LanguageModelState>,
  options: TrainLanguageModelOptions,
): AsyncGenerator<TrainingStep, void, undefined> {
  const caller = "trainLanguageModel";
  expectSpec(`${caller}: spec`, spec);
  const { batch, seed = 0, dropout, feeding, sampled, ...rest } = options;
  if (typeof batch !== "function") throw typeMismatch(`${caller}: batch`, "a function", batch);
  expectInteger(`${caller}: seed`, seed, 0);
  if (sampled !== undefined) {
    expectSampled(caller, sampled, spec.vocabulary);
    if (feeding !== undefined) throw rangeMismatch(`${caller}: feeding`, "none beside sampled", feeding);
  }
  const masks = (step: number) =>
    dropout === undefined ? {} : { dropout: { ...dropout, seed, index: step } };
  return train<LanguageModelState, Tokens>(training, {
    caller,
    ...rest,
    batch: (step) => {
      const next = batch(step);
      return next === null ? null : tokensOf(next);
    },
    loss: ({ params, carry }, { inputs, targets, isFirst }, step) => {
      const before = isFirst ? forgotten(carry) : carry;
      const state = { params, carry: before };
      if (sampled !== undefined) {
        const pass = hiddenStates(spec, params, transpose(inputs), before, masks(step));
        const labels = reshape(transpose(targets), [targets.size]) as Tensor1D;
        const loss = sampledLoss(
          params,
          pass.hidden,
          labels,
          drawTokens(sampled, spec.vocabulary, { seed, step }),
        );
        return { loss, moved: { carry: pass.carry } as PartOf<LanguageModelState> };
      }
      const applied = masks(step);
      const truth = feeding?.(step) ?? 1;
      expectFraction(`${caller}: feeding(${step})`, truth, true);
      // With certainty of the true tokens all of them are known at once.
      const { loss, carry: after } =
        truth === 1
          ? languageModelLoss(spec, state, { inputs, targets }, applied)
          : fedLoss(spec, state, { inputs, targets }, { ...applied, truth, seed, step });
      return { loss, moved: { carry: after } as PartOf<LanguageModelState> };
    },
  });
}

function tokensOf({ inputs, targets, shape, isFirst = false }: TokenBatch): Tokens {
  const size: [number, number] = [shape[0], shape[1]];
  return { inputs: tensor2d(inputs, size, "int32"), targets: tensor2d(targets, size, "int32"), isFirst };
}

function forgotten(carry: LanguageModelState["carry"]): LanguageModelState["carry"] {
  return carry.map(({ h, c }) => ({ h: zerosLike(h), ...(c && { c: zerosLike(c) }) }));
}
