import type { Hand } from "./hand.js";
import { UnitPicker } from "./unit-picker.js";

const hands: Readonly<Record<string, () => Hand>> = {
  "receptive-field": () => new UnitPicker(),
};

/** The hands that the page of a study has, if it has any. */
export const handOf = (study: string): Hand | null => hands[study]?.() ?? null;
