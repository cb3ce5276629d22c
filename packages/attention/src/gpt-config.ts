import type { Activation } from "./activation.js";
import { rangeMismatch } from "./expect-argument.js";
import { expectOptions } from "./expect-options.js";
import { expectInteger, expectPositive } from "./expect-values.js";

/** What a small GPT is made of; plain data, to be kept beside its parameters. */
export interface GptConfig {
  /** Ids are 0 … vocabulary - 1. */
  readonly vocabulary: number;
  /** The most tokens that it reads at once. */
  readonly context: number;
  readonly width: number;
  readonly layers: number;
  /** A divisor of the width. */
  readonly heads: number;
  /** Heads of keys and values, a divisor of `heads`; `heads` unless given. */
  readonly groups?: number;
  /** Units of a feed-forward part; `4 * width` unless given. */
  readonly hidden?: number;
  /** `"learned"` (a table) unless given. */
  readonly position?: "learned" | "sinusoidal" | "rotary" | "alibi" | "none";
  /** `"gelu-tanh"` unless given, as in GPT-2. */
  readonly activation?: Activation;
  readonly norm?: "layer" | "rms";
  /** Of norms; 1e-5 unless given. */
  readonly epsilon?: number;
  /** Whether logits are products with the table of the tokens; true unless given. */
  readonly tied?: boolean;
}

const known = [
  ...["vocabulary", "context", "width", "layers", "heads", "groups", "hidden", "position", "activation"],
  ...["norm", "epsilon", "tied"],
];

/** Checks a configuration, with its defaults filled in. */
export function fullGptConfig(where: string, config: GptConfig): Required<GptConfig> {
  expectOptions(where, config, known, "config");
  const { vocabulary, context, width, layers, heads } = config;
  for (const [name, size] of Object.entries({ vocabulary, context, width, layers, heads })) {
    expectInteger(`${where}: config.${name}`, size, 1);
  }
  if (width % heads !== 0) throw rangeMismatch(`${where}: config.heads`, `a divisor of ${width}`, heads);
  const {
    groups = heads,
    hidden = 4 * width,
    position = "learned",
    activation = "gelu-tanh",
    norm = "layer",
    epsilon = 1e-5,
    tied = true,
  } = config;
  expectInteger(`${where}: config.groups`, groups, 1);
  if (heads % groups !== 0) throw rangeMismatch(`${where}: config.groups`, `a divisor of ${heads}`, groups);
  expectInteger(`${where}: config.hidden`, hidden, 1);
  const positions = ["learned", "sinusoidal", "rotary", "alibi", "none"];
  if (!positions.includes(position)) {
    throw rangeMismatch(`${where}: config.position`, `one of ${positions.join(", ")}`, position);
  }
  if (position === "rotary" && (width / heads) % 2 === 1) {
    throw rangeMismatch(
      `${where}: config.width`,
      "an even number for each head, to be turned",
      width / heads,
    );
  }
  expectPositive(`${where}: config.epsilon`, epsilon);
  return {
    vocabulary,
    context,
    width,
    layers,
    heads,
    groups,
    hidden,
    position,
    activation,
    norm,
    epsilon,
    tied,
  };
}
