import type { GptConfig } from "@gradlab/attention";

/** How good the model was after a step. */
export interface GptJudgement {
  readonly step: number;
  /** Mean over the steps since the judgement before, each before its update. */
  readonly loss: number;
  /** Mean cross-entropy of sequences that are not trained on, in nats per token. */
  readonly testLoss: number;
  /** Of a task: the share of 200 sequences whose answer is right to the last symbol. */
  readonly exact: number | null;
}

export interface TrainGptRecord {
  readonly config: GptConfig;
  readonly params: number;
  readonly data: {
    /** The name of a task, or of a file. */
    readonly source: string;
    readonly kind: "task" | "text";
    /** Characters by id; null of a task, and of byte pairs. */
    readonly characters: string | null;
    /** How many byte pairs there are; null of a task, and of characters. */
    readonly bytePairs: number | null;
    /** Of the tokens that it is judged by, on average; null of a task. */
    readonly charactersPerToken: number | null;
  };
  readonly steps: number;
  /** Of this run. */
  readonly seconds: number;
  readonly history: readonly GptJudgement[];
  /** What was read, and what the model writes after it: greedily, token after token. */
  readonly examples: readonly {
    readonly read: string;
    readonly written: string;
    readonly known: string | null;
  }[];
  readonly checkpoint: string | null;
}
