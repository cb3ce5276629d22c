import type { ActivationMap, Evaluation, LayerActivations, ParameterHistogram } from "@gradlab/classic-cnns";
import type { NetworkOptions } from "@gradlab/classic-cnns/networks";
import type { FullOptimizerConfig } from "@gradlab/core";
import type { Picture } from "../../declaration/option.js";
import type { EpochRecord } from "../../networks/checkpoint.js";

export interface TrainCnnRecord {
  readonly network: {
    readonly name: string;
    /** Of a network of one's own: its layers in the notation, where that has all of them. */
    readonly spec?: string;
    readonly params: number;
  } & NetworkOptions;
  readonly data: {
    readonly source: string;
    readonly kind: string;
    readonly classes: number;
    readonly labels: readonly string[];
    readonly train: number;
    readonly validation: number;
    readonly test: number;
  };
  readonly optimizer: FullOptimizerConfig;
  readonly steps: number;
  /** Of this run, a resumed one without what came before. */
  readonly seconds: number;
  readonly stopped: "epochs" | "patience";
  readonly epochs: readonly EpochRecord[];
  /** With early stopping: the epoch that the parameters are of. */
  readonly bestEpoch: number | null;
  readonly training: Evaluation;
  readonly validation: Evaluation | null;
  readonly test: Evaluation | null;
  /** The trained network, looked into. */
  readonly inspection: Inspection;
  /** The last checkpoint; null where none was asked for. */
  readonly checkpoint: string | null;
  readonly beside: {
    /** What layers make of two images and of noise. */
    readonly looks: Looks;
    /** The table of the network's layers. */
    readonly layers: string;
  };
}

/** A trained network while it looks at some images: how its numbers are distributed, and what is dead in it. */
export interface Inspection {
  /** How many images it looked at, spread over the set. */
  readonly images: number;
  /** Mean cross-entropy on them. */
  readonly loss: number | null;
  /** Of every ReLU: channels (or units) that are positive nowhere on these images. */
  readonly deadUnits: readonly { readonly layer: string; readonly dead: number; readonly of: number }[];
  readonly activations: readonly LayerActivations[];
  readonly weights: readonly ParameterHistogram[];
  readonly gradients: readonly ParameterHistogram[];
}

export interface Looks {
  /** What is looked at: names of classes, and noise. */
  readonly columns: readonly string[];
  /** The images themselves. */
  readonly inputs: readonly Picture[];
  readonly maps: readonly ActivationMap[];
}
