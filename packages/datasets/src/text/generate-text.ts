import { categorical, randomStream } from "@gradlab/random";
import { expectInteger } from "../expect-values.js";
import { endOfLine } from "./dictionary.js";
import { compileGrammar, type Grammar } from "./grammar.js";
import { sentenceGrammar } from "./sentence-grammar.js";

export interface GenerateTextOptions {
  /** How many tokens at least; the sentence that is under way is finished. */
  readonly tokens: number;
  /** 0 unless given. */
  readonly seed?: number;
  /** Another text of the same seed: 0 for training, 1 for validation, and so on; 0 unless given. */
  readonly index?: number;
  /** `sentenceGrammar` unless given. */
  readonly grammar?: Grammar;
}

/**
 * Draws a text from a grammar: words joined by blanks, a line feed for `<eos>`. What is known of it, the lowest
 * perplexity above all, is in `grammarFacts`.
 *
 * @throws {TypeError | RangeError} when an option is not as stated.
 */
export function generateText(options: GenerateTextOptions): string {
  const { tokens, seed = 0, index = 0, grammar = sentenceGrammar } = options;
  expectInteger("generateText: tokens", tokens, 1);
  expectInteger("generateText: seed", seed, 0);
  expectInteger("generateText: index", index, 0);
  const { start, ways } = compileGrammar("generateText: grammar", grammar);
  const stream = randomStream({ seed, purpose: "datasets/generate-text", index });
  const parts: string[] = [];
  let state = start;
  for (let count = 0; count < tokens || state !== start; count++) {
    const steps = ways[state]!;
    const way =
      steps[
        categorical(
          stream,
          steps.map(({ probability }) => probability),
        )
      ]!;
    if (way.token === endOfLine) parts.push("\n");
    else parts.push(parts.length > 0 && parts.at(-1) !== "\n" ? " " : "", way.token);
    state = way.next;
  }
  return parts.join("");
}
