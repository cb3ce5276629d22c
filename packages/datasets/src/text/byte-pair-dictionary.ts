import { bytePairFiles } from "../byte-pairs.js";
import { rangeMismatch } from "../expect-argument.js";
import type { Dictionary } from "./dictionary.js";

/**
 * The dictionary of the byte pairs of GPT-2's files, for `corpusOf`, `encodeText` and their kin.
 *
 * @param vocab The text of `vocab.json`, or what it holds: ids by token, 0 … n - 1.
 * @param merges The text of `merges.txt`.
 * @throws {TypeError | RangeError} as `bytePairs`, and when an id is as large as the number of tokens, or larger.
 */
export function bytePairDictionary(
  vocab: string | Readonly<Record<string, number>>,
  merges: string,
): Dictionary {
  const { ids, ranks } = bytePairFiles("bytePairDictionary", vocab, merges);
  const tokens: string[] = [];
  for (const [token, id] of ids) {
    if (id >= ids.size) {
      const where = `bytePairDictionary: vocab[${JSON.stringify(token)}]`;
      throw rangeMismatch(where, `ids below ${ids.size}, the number of tokens`, id);
    }
    tokens[id] = token;
  }
  return { level: "byte-pairs", tokens, merges: [...ranks.keys()] };
}
