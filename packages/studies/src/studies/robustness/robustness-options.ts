import { type OptionsOf, seedOption } from "../../declaration/option.js";
import { networkOptions } from "../attack/attack-options.js";

/** Radii of the curve unless `eps` says so. */
export const usualRadii = {
  linf: [2 / 255, 4 / 255, 8 / 255, 0.05, 0.1, 0.2],
  l2: [0.1, 0.25, 0.5, 1, 2],
  l1: [1, 3, 6, 12, 24],
} as const;

export const robustnessOptions = {
  ...networkOptions,
  count: { kind: "integer", least: 1, default: 50, unit: "images", help: "how many images of --data" },
  attack: {
    kind: "choice",
    choices: ["quick", "autoattack"],
    default: "quick",
    help: "quick: APGD with 40 steps and FAB with 15, both aimed at few classes; autoattack: the standard ensemble, at every radius",
  },
  norm: {
    kind: "choice",
    choices: ["linf", "l2", "l1"],
    default: "linf",
    help: "how distances are measured",
  },
  eps: {
    kind: "numbers",
    above: 0,
    help: "radii of the curve, growing (default: usual ones of the norm)",
  },
  batch: {
    kind: "integer",
    least: 1,
    default: 64,
    unit: "images",
    help: "images at once; changes no result",
  },
  checkpoint: { kind: "folder", kept: true, help: "keep what is known there after every 25 images" },
  resume: { kind: "flag", help: "go on from what --checkpoint has kept" },
  seed: seedOption,
} as const;

export type RobustnessOptions = OptionsOf<typeof robustnessOptions>;
