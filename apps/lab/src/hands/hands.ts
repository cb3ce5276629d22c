import { AttackBench } from "./attack-bench.js";
import type { Hand } from "./hand.js";
import { LiveLook } from "./live-look.js";
import { UnitPicker } from "./unit-picker.js";

const hands: Readonly<Record<string, () => Hand>> = {
  "receptive-field": () => new UnitPicker(),
  "train-cnn": () => new LiveLook(false),
  classify: () => new LiveLook(true),
  attack: () => new AttackBench(),
};

/** The hands that the page of a study has, if it has any. */
export const handOf = (study: string): Hand | null => hands[study]?.() ?? null;
