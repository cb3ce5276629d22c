import { sequenceTaskNames } from "@gradlab/datasets";
import { type OptionsOf, seedOption } from "../../declaration/option.js";

const positions = ["learned", "sinusoidal", "rotary", "alibi"] as const;

export const trainGptOptions = {
  task: {
    kind: "choice",
    choices: sequenceTaskNames,
    default: "copy",
    help: "what is to be written after the separator: the symbols as they stand, from the end, or sorted",
  },
  text: { kind: "file", help: "learn the characters of this text instead of a task" },
  bytePairs: {
    kind: "integer",
    least: 256,
    most: 65_536,
    unit: "tokens",
    help: "learn byte pairs of the text instead of its characters, so many different ones, learned from it too",
  },
  vocab: { kind: "file", help: "learn the byte pairs of this vocab.json, with the merges.txt of --merges" },
  merges: { kind: "file", help: "the merges.txt of --vocab" },
  length: {
    kind: "integer",
    least: 1,
    most: 64,
    default: 8,
    unit: "symbols",
    help: "symbols of a task's sequence",
  },
  symbols: {
    kind: "integer",
    least: 2,
    most: 1000,
    default: 10,
    help: "how many different symbols a task has",
  },
  context: {
    kind: "integer",
    least: 2,
    most: 1024,
    default: 64,
    unit: "tokens",
    help: "how far back a model of a text sees",
  },
  width: { kind: "integer", least: 2, most: 1024, default: 64, help: "numbers of a token" },
  layers: { kind: "integer", least: 1, most: 24, default: 2, help: "transformer blocks" },
  heads: { kind: "integer", least: 1, default: 4, help: "heads of attention, a divisor of the width" },
  position: {
    kind: "choice",
    choices: positions,
    default: "learned",
    help: "how it knows where a token stands",
  },
  dropout: {
    kind: "number",
    least: 0,
    below: 1,
    default: 0,
    help: "share of units that fall away in training",
  },
  steps: { kind: "integer", least: 1, default: 400, help: "updates" },
  batch: { kind: "integer", least: 1, default: 64, unit: "sequences", help: "sequences in a step" },
  lr: {
    kind: "number",
    above: 0,
    default: 0.003,
    help: "largest learning rate of Adam; it rises over 20 steps and falls as a cosine",
  },
  checkpoint: {
    kind: "folder",
    kept: true,
    help: "write last.safetensors there whenever it is judged, every 50 steps",
  },
  resume: { kind: "flag", help: "go on from last.safetensors of --checkpoint" },
  seed: seedOption,
} as const;

export type TrainGptOptions = OptionsOf<typeof trainGptOptions>;
