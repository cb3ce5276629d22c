import { type OptionsOf, seedOption } from "../../declaration/option.js";

const positions = ["none", "sinusoidal", "learned", "rotary", "alibi"] as const;

const mostForAll = 7;

export const attentionCheckOptions = {
  tokens: { kind: "integer", least: 2, most: 256, default: 5, help: "tokens of the input" },
  width: { kind: "integer", least: 1, most: 1024, default: 8, help: "numbers of a token" },
  heads: { kind: "integer", least: 1, default: 2, help: "heads, a divisor of the width" },
  position: {
    kind: "choice",
    choices: positions,
    default: "none",
    help: "how attention learns where a token stands",
  },
  causal: { kind: "flag", help: "no token sees a later one" },
  permutations: {
    kind: "integer",
    least: 1,
    help: `how many permutations to draw (default: all of up to ${mostForAll} tokens, 200 of more)`,
  },
  seed: seedOption,
} as const;

export type AttentionCheckOptions = OptionsOf<typeof attentionCheckOptions>;
