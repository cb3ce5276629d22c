import type { FullOptimizerConfig } from "@gradlab/core";
import type { LanguageModelSpec } from "@gradlab/rnn-lm";

/** One pass over the training text. */
export interface LmEpoch {
  /** From 1. */
  readonly epoch: number;
  /** Updates so far. */
  readonly step: number;
  /** Mean over the steps of the epoch, each before its update; in nats a token. */
  readonly loss: number;
  /** `exp loss`; null where the loss is that of some of the vocabulary. */
  readonly perplexity: number | null;
  /** Of the text that is watched; null where there is none. */
  readonly validPerplexity: number | null;
  /** Of the last step. */
  readonly learningRate: number;
}

export interface TrainLmRecord {
  readonly model: LanguageModelSpec & { readonly kind: "rnn-lm"; readonly params: number };
  readonly data: {
    readonly source: string;
    readonly level: string;
    readonly types: number;
    /** Tokens. */
    readonly train: number;
    readonly valid: number;
    readonly test: number;
    /** The lowest perplexity that there is; null where nobody knows. */
    readonly optimum: number | null;
  };
  readonly optimizer: FullOptimizerConfig;
  readonly steps: number;
  /** Of this run, a resumed one without what came before. */
  readonly seconds: number;
  readonly stopped: "epochs" | "patience";
  readonly epochs: readonly LmEpoch[];
  /** With early stopping: the epoch that the parameters are of. */
  readonly bestEpoch: number | null;
  /** Every token of a text counted once. */
  readonly valid: Judged | null;
  readonly test: Judged | null;
  /** What the model says. */
  readonly sample: string;
  /** The last checkpoint; null where none was asked for. */
  readonly checkpoint: string | null;
}

export interface Judged {
  /** How many tokens were predicted. */
  readonly tokens: number;
  readonly perplexity: number;
}
